"""Export a torch model to ONNX: the same numbers in a file that needs no Python.

The exporter is torch's (``torch.export``, onnxscript); batch size and sequence length stay free.
What it writes is cleaned: stack traces and with them this machine's paths go, free dimensions get
plain names, a tied embedding is stored once. The same model gives the same bytes. Every export is
checked against the model that it came from, in onnxruntime, on the example and on another shape.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.onnx_file import edge, graphs
from prunegate.models.onnx_module import OnnxModule
from prunegate.models.placement import placed

OPSET = 20
"""The first with Gelu as one operator; onnxruntime 1.20 and onnxruntime-web read it."""
MOST_DIFFERENCE = 1e-4
"""Of the largest logit; a right export differs by about 1e-7, a wrong one by about 1."""
_IMAGES = ("pixel_values",)
_TEXTS = ("input_ids", "attention_mask")
_FREE = {_IMAGES: ("batch",), _TEXTS: ("batch", "sequence")}
_LARGEST = 2**31 - 1


def to_onnx(module: nn.Module, example: Mapping[str, Tensor]) -> bytes:
    """Return the bytes of model.onnx.

    Args:
        module: A classifier or causal language model whose answer has ``logits``; its mode and
            device are put back.
        example: Inputs on the CPU: pixel_values, or input_ids and attention_mask; one row at least.

    Raises:
        UnsupportedError: other inputs, above 2 GB, something that cannot be exported, or no extra
            ``edge``.
        ModelError: the exported model answers differently.
    """
    names = _names(example)
    for library in ("onnx", "onnxruntime", "onnxscript"):
        edge(library)
    if sum(p.numel() * p.element_size() for p in module.parameters()) > _LARGEST:
        raise UnsupportedError("export: larger than 2 GB, which ONNX cannot hold in one file.")
    with placed(module, "cpu", training=False), torch.no_grad():
        model = _export(module, {name: _two_of_each(example[name]) for name in names})
        _strip(model)
        _name_dimensions(model, _FREE[names])
        _share_tied(model)
        raw = cast("bytes", model.SerializeToString(deterministic=True))
        exported = OnnxModule(raw)
        for inputs in _trials({name: example[name] for name in names}):
            _check_same(module(**inputs, **_options(module)).logits, exported(**inputs).logits)
    return raw


class _Images(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: Tensor) -> Tensor:
        return cast("Tensor", self.model(pixel_values=pixel_values).logits)


class _Texts(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.options = _options(model)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        answer = self.model(input_ids=input_ids, attention_mask=attention_mask, **self.options)
        return cast("Tensor", answer.logits)


def _options(model: nn.Module) -> dict[str, Any]:
    """Return what a generative model needs to answer with logits alone."""
    config = getattr(model, "config", None)
    return {"use_cache": False} if hasattr(config, "use_cache") else {}


def _names(example: Mapping[str, Tensor]) -> tuple[str, ...]:
    for names in (_IMAGES, _TEXTS):
        if set(example) == set(names):
            if any(len(tensor) == 0 for tensor in example.values()):
                raise ModelError("export: the example is empty; give one row at least.")
            return names
    raise UnsupportedError(
        f"export: inputs {', '.join(example) or 'none'}; models of pixel_values, or of input_ids "
        "and attention_mask, can be exported."
    )


def _two_of_each(tensor: Tensor) -> Tensor:
    """Make free dimensions at least two: torch.export takes a one for a constant."""
    free = 2 if tensor.ndim == 2 else 1
    repeats = [2 if axis < free and size < 2 else 1 for axis, size in enumerate(tensor.shape)]
    return tensor.repeat(*repeats)


def _export(module: nn.Module, example: dict[str, Tensor]) -> Any:
    names = tuple(example)
    wrapped = (_Images if names == _IMAGES else _Texts)(module).eval()
    free = dict.fromkeys(range(len(_FREE[names])), torch.export.Dim.DYNAMIC)
    try:
        with _silence():
            program = torch.onnx.export(
                wrapped,
                (),
                kwargs=example,
                dynamo=True,
                dynamic_shapes=dict.fromkeys(names, free),
                output_names=["logits"],
                opset_version=OPSET,
                verbose=False,
            )
    except Exception as error:  # torch.export raises many types, over many layers
        cause = str(error.__cause__ or error).partition("\n")[0]
        raise UnsupportedError(f"export: torch cannot export this model ({cause}).") from error
    assert program is not None  # noqa: S101  # for mypy: dynamo=True returns a program
    return program.model_proto


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what torch and onnxscript say to themselves, and the caller's random numbers."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _strip(model: Any) -> None:
    """Remove all that describes the export, not the model: traces, paths, intermediate shapes."""
    _forget(model)
    for graph in graphs(model.graph):
        _forget(graph)
        del graph.value_info[:]
        for part in (*graph.node, *graph.initializer, *graph.input, *graph.output):
            _forget(part)
        for node in graph.node:
            node.ClearField("name")  # says what its output's name says


def _forget(part: Any) -> None:
    part.ClearField("doc_string")
    del part.metadata_props[:]


def _name_dimensions(model: Any, free: tuple[str, ...]) -> None:
    """Give the free dimensions of inputs and output plain names."""
    plain = {}
    for value in model.graph.input:
        for dimension, name in zip(value.type.tensor_type.shape.dim, free, strict=False):
            plain[dimension.dim_param] = dimension.dim_param = name
    for value in model.graph.output:
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_param = plain.get(dimension.dim_param, dimension.dim_param)


def _share_tied(model: Any) -> None:
    """Store a matrix once that is both an embedding table and, transposed, the last layer's."""
    onnx = edge("onnx")
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    tables = {node.input[0] for node in model.graph.node if node.op_type == "Gather"}
    matrices = [node.input[1] for node in model.graph.node if node.op_type == "MatMul"]
    for table in sorted(tables & stored.keys()):
        shape = list(stored[table].dims)
        for matrix in matrices:
            if matrix not in stored or list(stored[matrix].dims) != shape[::-1] or len(shape) != 2:
                continue
            values = onnx.numpy_helper.to_array(stored[table])
            if np.array_equal(values.T, onnx.numpy_helper.to_array(stored[matrix])):
                node = onnx.helper.make_node("Transpose", [table], [matrix], perm=[1, 0])
                model.graph.initializer.remove(stored.pop(matrix))
                model.graph.node.insert(0, node)


def _trials(example: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """Yield the example, then another batch size, another length and, for texts, padding."""
    yield example
    other = {name: torch.cat([tensor[:1], tensor]) for name, tensor in example.items()}
    if set(other) == set(_TEXTS):
        other = {name: torch.cat([tensor[:, :1], tensor], dim=1) for name, tensor in other.items()}
        other = {name: tensor[:, : max(2, tensor.shape[1] - 2)] for name, tensor in other.items()}
        other["attention_mask"][0, -1] = 0
    yield other


def _check_same(expected: Tensor, got: Tensor) -> None:
    if expected.shape != got.shape or not bool(torch.isfinite(got).all()):
        raise ModelError(
            f"export: the ONNX model answers {list(got.shape)}, some of it perhaps not finite; "
            f"torch answers {list(expected.shape)}. Judge the torch model instead."
        )
    difference = float((expected - got).abs().max() / expected.abs().max().clamp_min(1e-6))
    if not difference <= MOST_DIFFERENCE:
        raise ModelError(
            f"export: the ONNX model's logits differ by {difference:.1g} of the largest, above "
            f"{MOST_DIFFERENCE:g}. Judge the torch model instead."
        )
