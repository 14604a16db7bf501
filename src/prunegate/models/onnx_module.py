"""A model.onnx that is called like a torch module, and computed by onnxruntime.

What will be deployed is what is judged: the scores come from the runtime, not from the torch model
that was exported. On the CPU, with as many threads as torch has at the time of the call. It can
neither be trained nor moved.

Two things to know of int8 in onnxruntime. With ``dynamic`` one scale serves a whole batch, so a
row's score depends a little on its neighbours: judge in batches of the size that is deployed. And
on x86 without VNNI, products of uint8 and int8 saturate at 16 bits: our own files hold uint8 only,
which is exact everywhere; files from elsewhere are looked through (``saturation.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.onnx_file import edge, graphs, read_onnx
from prunegate.models.saturation import saturation_of
from prunegate.models.surgery import ONNX_FILE

_NO_MEMORY = ("Failed to allocate memory", "bad alloc", "bad_alloc")
"""Words of onnxruntime, which has no type of error for it."""
_SCALES = "DynamicQuantize"
"""How operators begin that take one scale for all that they are given at once."""
_SILENT = 4  # errors are raised; the log would print them a second time
# Threads that wait by spinning would be billed as work, to whichever model runs next.
_SESSION = {"session.intra_op.allow_spinning": "0"}

_EXACT = {"session.x64quantprecision": "1"}


@dataclass(frozen=True, kw_only=True)
class OnnxAnswer:
    """What a call returns; named as in transformers."""

    logits: Tensor
    """float32, on the CPU."""


class OnnxModule(nn.Module):
    """Inference of one ONNX file.

    Args:
        raw: The bytes of the file.
        name: What errors call it.
        exact: Compute eight-bit products without saturation, see ``open_session``.

    Raises:
        ModelError: the file is malformed, or has several outputs and none is ``logits``.
        UnsupportedError: as ``read_onnx``.
    """

    def __init__(self, raw: bytes, name: str = ONNX_FILE, *, exact: bool = False) -> None:
        super().__init__()
        self.raw = raw
        self.name = name
        self._exact = exact
        model = read_onnx(raw, name)
        weights = {tensor.name for tensor in model.graph.initializer}  # old files list them as well
        self.inputs = tuple(v.name for v in model.graph.input if v.name not in weights)
        """Names, in the order of the graph."""
        self.scales_by_batch = any(
            node.op_type.startswith(_SCALES) for part in graphs(model.graph) for node in part.node
        )
        """Whether a row's answer depends a little on the rows beside it."""
        self.saturation = saturation_of(model)
        """Whether its eight-bit products come out alike on every processor."""
        self._output = _logits(tuple(value.name for value in model.graph.output), name)
        self._threads = torch.get_num_threads()
        self._session = self._open()
        self.training = False

    @property
    def engine(self) -> str:
        """What computes it: "onnxruntime" and its version."""
        return f"onnxruntime {edge('onnxruntime').__version__}"

    def forward(self, *tensors: Tensor, **named: Tensor) -> OnnxAnswer:
        """Run the graph.

        Args:
            tensors: Inputs in the order of the graph.
            named: Inputs by name.

        Raises:
            ModelError: inputs missing, unknown, or of shapes and types that the graph refuses.
            MemoryError: there is not enough memory for so many rows.
        """
        given = dict(zip(self.inputs, tensors, strict=False)) | named
        if len(given) < len(tensors) + len(named) or set(given) != set(self.inputs):
            got = [*(f"input {place}" for place in range(1, len(tensors) + 1)), *named]
            raise ModelError(
                f"{self.name}: takes {', '.join(self.inputs)}; got {', '.join(got) or 'nothing'}."
            )
        if self._threads != torch.get_num_threads():
            self._threads = torch.get_num_threads()
            self._session = self._open()
        arrays = {key: tensor.detach().cpu().numpy() for key, tensor in given.items()}
        try:
            answer = self._session.run([self._output], arrays)[0]
        except Exception as error:  # onnxruntime's own types, which derive from Exception
            if any(words in str(error) for words in _NO_MEMORY):
                raise MemoryError(f"{self.name}: {_first(error)}") from error
            raise ModelError(
                f"{self.name}: cannot run on these inputs ({_first(error)})."
            ) from error
        return OnnxAnswer(logits=torch.from_numpy(answer).float())

    def train(self, mode: bool = True) -> OnnxModule:
        """Stay in evaluation mode.

        Raises:
            UnsupportedError: training was asked for.
        """
        if mode:
            raise UnsupportedError(
                f"{self.name}: an ONNX model cannot be trained; fine-tune before the export."
            )
        return self

    def exactly(self) -> OnnxModule:
        """Return the same file as processors with VNNI compute it."""
        return OnnxModule(self.raw, self.name, exact=True)

    def __reduce__(self) -> tuple[Callable[..., OnnxModule], tuple[Any, ...]]:
        """Copies and pickles open the same bytes again: a session is bound to its process."""
        return partial(OnnxModule, exact=self._exact), (self.raw, self.name)

    def _open(self) -> Any:
        return open_session(self.raw, self.name, self._threads, exact=self._exact)


def open_session(raw: bytes, name: str, threads: int, *, exact: bool = False) -> Any:
    """Return an ``onnxruntime.InferenceSession`` on the CPU, for bytes that ``read_onnx`` accepts.

    Args:
        raw: The file.
        name: What errors call it.
        threads: Within one operator.
        exact: Multiply uint8 by int8 without saturation on any processor, which is slower; a
            deployment that does not ask for it computes otherwise.

    Raises:
        ModelError: onnxruntime refuses the graph.
        UnsupportedError: no extra ``edge``.
    """
    runtime = edge("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    options.use_deterministic_compute = True
    for key, value in (_SESSION | (_EXACT if exact else {})).items():
        options.add_session_config_entry(key, value)
    try:
        return runtime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own types, which derive from Exception
        raise ModelError(f"{name}: onnxruntime refuses it ({_first(error)}).") from error


def _logits(outputs: tuple[str, ...], name: str) -> str:
    if "logits" in outputs:
        return "logits"
    if len(outputs) == 1:
        return outputs[0]
    raise ModelError(f"{name}: outputs {', '.join(outputs)}; expected one named logits.")


def _first(error: Exception) -> str:
    return str(error).partition("\n")[0]
