"""Open a model.onnx: bytes in, a graph that is safe to run out.

An ONNX file is a program. What could make it read other files or other code is refused: tensors
stored outside the file, functions and operators of unknown domains. So is what would load and be
wrong: NaN weights. The rest (shapes, types, unknown operators) is for the runtime to refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.surgery import ONNX_FILE

_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
_LARGEST = 2**31 - 1  # protobuf's own limit


def edge(name: str) -> Any:
    """Import onnx, onnxruntime or onnxscript.

    Raises:
        UnsupportedError: the extra that brings it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise UnsupportedError(
            f"ONNX models need {name}; run: pip install 'prunegate[edge]'."
        ) from error


def read_onnx(raw: bytes, name: str = ONNX_FILE) -> Any:
    """Parse the bytes of an ONNX file into an ``onnx.ModelProto``.

    Raises:
        ModelError: not ONNX, without inputs or outputs, truncated or NaN weights.
        UnsupportedError: external data, foreign operators, above 2 GB, or no extra ``edge``.
    """
    onnx = edge("onnx")
    if len(raw) > _LARGEST:
        raise UnsupportedError(f"{name}: larger than 2 GB, which ONNX cannot hold in one file.")
    try:
        model = onnx.load_model_from_string(raw)
    except Exception as error:  # protobuf's DecodeError; its module is not ours to import
        raise ModelError(f"{name}: not an ONNX file; export the model again.") from error
    if not (model.ir_version and model.graph.node and model.graph.output and model.graph.input):
        raise ModelError(f"{name}: not an ONNX model with inputs and outputs; export it again.")
    _refuse_foreign(model, name)
    for tensor in _tensors(model):
        _check_tensor(tensor, name)
    return model


def graphs(graph: Any) -> Iterator[Any]:
    """Yield a graph and every graph inside its nodes (branches, loops)."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node or inner.initializer or inner.sparse_initializer:
                    yield from graphs(inner)


def _refuse_foreign(model: Any, name: str) -> None:
    if model.functions or model.training_info:
        raise UnsupportedError(
            f"{name}: holds functions or training graphs; export the model for inference, with "
            "every operator spelled out."
        )
    nodes = (node for graph in graphs(model.graph) for node in graph.node)
    foreign = {node.domain for node in nodes} | {opset.domain for opset in model.opset_import}
    foreign -= _DOMAINS
    if foreign:
        raise UnsupportedError(
            f"{name}: operators of {', '.join(map(repr, sorted(foreign)))}; only those of ai.onnx, "
            "ai.onnx.ml and com.microsoft run here, because others need code from elsewhere."
        )


def _tensors(model: Any) -> Iterator[Any]:
    for graph in graphs(model.graph):
        yield from graph.initializer
        yield from _parts(graph.sparse_initializer)
        for node in graph.node:
            for attribute in node.attribute:
                yield from (attribute.t, *attribute.tensors)
                yield from _parts((attribute.sparse_tensor, *attribute.sparse_tensors))


def _parts(sparse: Any) -> Iterator[Any]:
    for tensor in sparse:
        yield from (tensor.values, tensor.indices)


def _check_tensor(tensor: Any, name: str) -> None:
    onnx = edge("onnx")
    if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise UnsupportedError(
            f"{name}: {tensor.name!r} is stored outside the file, where no digest covers it; save "
            "the model with its weights inside (onnx.save_model(..., save_as_external_data=False))."
        )
    if tensor.data_type == onnx.TensorProto.UNDEFINED:  # an attribute that is no tensor
        return
    try:
        values = onnx.numpy_helper.to_array(tensor)
    except Exception as error:  # ValueError, TypeError, KeyError, by what is broken
        raise ModelError(
            f"{name}: tensor {tensor.name!r} is not whole; copy or export the file again."
        ) from error
    floats = values.dtype.kind in "fV"  # V: bfloat16 and other short kinds
    if floats and bool(np.isnan(values.astype(np.float64, copy=False)).any()):
        raise ModelError(
            f"{name}: NaN in {tensor.name!r}; the training diverged, use an earlier checkpoint."
        )
