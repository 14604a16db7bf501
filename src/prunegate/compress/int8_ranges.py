"""Static int8: the range of every activation, seen on calibration rows, as a scale of uint8."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from prunegate.errors import ModelError
from prunegate.models.onnx_file import edge, read_onnx
from prunegate.models.onnx_module import open_session


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A value v is stored as round(v / scale) + zero, within 0 and 255."""

    scale: np.float32
    zero: np.uint8


def observe(
    raw: bytes, values: set[str], calibration: Iterable[Mapping[str, Tensor]]
) -> dict[str, Scale]:
    """Run the float model; return scales that span from the smallest to the largest value seen.

    Args:
        raw: The float model.
        values: Names of inputs or intermediate results, all float32.
        calibration: Inputs by name, batch by batch.

    Raises:
        ModelError: no batches, inputs that do not fit, or values that are NaN or infinite.
    """
    # Zero is always within: padding and Relu rely on it being stored exactly.
    low, high = dict.fromkeys(values, 0.0), dict.fromkeys(values, 0.0)
    runner = _Runner(raw, values)
    batches = 0
    for batch in calibration:
        batches += 1
        for name, seen in runner.values(batch).items():
            low[name] = min(low[name], float(seen.min()))
            high[name] = max(high[name], float(seen.max()))
    if not batches:
        raise ModelError("static int8 needs calibration rows; give at least one batch.")
    return {name: _scale(low[name], high[name]) for name in values}


class _Runner:
    """The float model, which shows what it computes on the way."""

    def __init__(self, raw: bytes, values: set[str]) -> None:
        onnx = edge("onnx")
        model = read_onnx(raw)
        self._values = values
        self._computed = sorted(values - {value.name for value in model.graph.input})
        present = {value.name for value in model.graph.output}
        for name in self._computed:
            if name not in present:
                kind = onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
                model.graph.output.append(kind)
        threads = torch.get_num_threads()
        self._session = open_session(model.SerializeToString(), "calibration", threads)

    def values(self, batch: Mapping[str, Tensor]) -> dict[str, npt.NDArray[np.float32]]:
        """Return the wanted values for a batch."""
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in batch.items()}
        try:
            results = self._session.run(self._computed, arrays) if self._computed else []
        except Exception as error:  # onnxruntime's own types, which derive from Exception
            first = str(error).partition("\n")[0]
            raise ModelError(
                f"calibration: the model cannot run on these rows ({first})."
            ) from error
        computed = dict(zip(self._computed, results, strict=True))
        found = {}
        for name in sorted(self._values):
            seen = computed.get(name, arrays.get(name))
            if seen is None or not seen.size or not np.isfinite(seen).all():
                raise ModelError(
                    f"calibration: {name} is missing, empty, NaN or infinite; check the rows and "
                    "the checkpoint."
                )
            found[name] = seen
        return found


def _scale(low: float, high: float) -> Scale:
    scale = np.float32((high - low) / 255)
    if not scale > 0:
        return Scale(scale=np.float32(1), zero=np.uint8(0))
    return Scale(scale=scale, zero=np.uint8(np.clip(np.rint(-low / scale), 0, 255)))
