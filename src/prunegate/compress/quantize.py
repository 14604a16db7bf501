"""Quantize and export: from a float32 module to what will be deployed, as a module to be judged.

What comes out is the artefact itself: ``OnnxModule`` runs the very bytes of model.onnx, and the
int8 layers of torch hold the very tensors that are stored.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from prunegate.compress.ranking_input import Examples
from prunegate.errors import TableError
from prunegate.models.surgery import Storage
from prunegate.policy.steps import Quantize

if TYPE_CHECKING:
    from prunegate.models.onnx_module import OnnxModule

BATCH = 32
"""Calibration rows per pass."""


def export_onnx(module: nn.Module, example: Mapping[str, Tensor]) -> tuple[OnnxModule, Storage]:
    """Turn a float32 module into model.onnx.

    Args:
        module: float32.
        example: Inputs that it takes, two rows.

    Raises:
        UnsupportedError: no extra ``edge``.
        ModelError: the export does not answer as the module does.
    """
    from prunegate.compress.export import to_onnx
    from prunegate.models.onnx_module import OnnxModule

    return OnnxModule(to_onnx(module, example)), Storage(format="onnx")


def quantize(
    module: nn.Module,
    step: Quantize,
    example: Mapping[str, Tensor],
    calibration: Examples | None = None,
) -> tuple[nn.Module, Storage]:
    """Make a float32 module, or the model.onnx of one, eight-bit.

    Args:
        module: float32, or an ``OnnxModule`` of float32.
        step: How.
        example: Inputs that it takes, two rows.
        calibration: Rows that scale the activations; static only.

    Raises:
        UnsupportedError: nothing to quantize, or no extra ``edge``.
        TableError: static without calibration rows.
        ModelError: weights that are not finite.
    """
    settings: dict[str, Any] = {
        "kind": step.kind,
        "per_channel": step.per_channel,
        "embeddings": step.embeddings,
    }
    if step.engine == "torch":
        from prunegate.models.int8 import quantize_module

        module = copy.deepcopy(module)
        quantize_module(module, **settings)
        return module, Storage(format="int8", quantized=settings)
    from prunegate.compress.quantize_onnx import int8
    from prunegate.models.onnx_module import OnnxModule

    if not isinstance(module, OnnxModule):
        module, _ = export_onnx(module, example)
    raw = int8(module.raw, **settings, calibration=_inputs(step, calibration))
    return OnnxModule(raw), Storage(format="onnx", quantized=settings)


def _inputs(step: Quantize, data: Examples | None) -> Iterator[Mapping[str, Tensor]]:
    if step.kind != "static":
        return
    if data is None or not len(data):
        raise TableError("static int8 needs calibration rows; give the step some.")
    for start in range(0, len(data), BATCH):
        yield data.batch(np.arange(start, min(start + BATCH, len(data)))).inputs
