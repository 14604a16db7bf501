"""What an ONNX graph stores: how many weights, how many of them zero, how many bytes twice.

Exporters put weights into initializers, into Constant nodes, into sparse tensors and, from
scikit-learn, into the attributes of operators; all of these are counted, so that no way of storing
makes a model look smaller. Nothing makes one look larger: what the answer does not depend on is no
weight, and equal tensors are one tensor that is stored twice, also where one of them is turned, as
exporters store an output matrix that is tied to the embeddings. The zero of a quantized tensor is
its zero point.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from prunegate.models.onnx_file import edge, graphs
from prunegate.models.weights import TIED

_WHOLE = {"INT8", "UINT8", "INT4", "UINT4", "INT2", "UINT2"}
_FLOATS = {"FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"}
_SHORT_FLOATS = ("FLOAT8", "FLOAT6", "FLOAT4")
_ZERO_POINTS = {  # operator -> inputs that hold the weights and what is zero among them, their axis
    "DequantizeLinear": (0, 2, 1),
    "MatMulInteger": (1, 3, -1),
    "MatMulIntegerToFloat": (1, 5, -1),
    "DynamicQuantizeMatMul": (1, 3, -1),
    "QAttention": (1, 7, -1),
    "QLinearMatMul": (3, 5, -1),
    "QGemm": (3, 5, -1),
    "ConvInteger": (1, 3, 0),
    "QLinearConv": (3, 5, 0),
}
_PACKED = "MatMulNBits"
"""An operator whose weights lie packed in bytes, K x N of them."""
Values = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class StoredWeights:
    """What a graph stores."""

    count: int
    """Elements of the weights; of quantized ones with their scales and zero points."""
    zeros: int
    """Those of them that are zero, in tensors of two axes and more; of packed weights none."""
    spare: int
    """Bytes of tensors that are stored before, or that no answer depends on."""
    quantized: bool
    """Whether weights are whole numbers, of which rounding makes some zero."""


def stored_weights(model: Any) -> StoredWeights:
    """Look through an ``onnx.ModelProto`` whose tensors are all inside.

    Single numbers and the whole numbers that describe shapes are no weights.
    """
    count = zeros = spare = 0
    quantized, seen, read = False, set[Any](), _read(model.graph)
    for graph in graphs(model.graph):
        packed, zero_points = _packed(graph), _zero_points(graph)
        for name, tensor in filter(_is_weight, _tensors(graph)):
            values = edge("onnx").numpy_helper.to_array(tensor)
            if name not in read:
                spare += values.nbytes
                continue
            if values.nbytes >= TIED and values.min() != values.max():
                key = _key(values, tensor.data_type)
                if key in seen:
                    spare += values.nbytes
                    continue
                seen.add(key)
            quantized |= _kind(tensor) in _WHOLE and values.ndim > 1
            count += packed.get(name, values.size)
            if name not in packed:
                zeros += _zeros(values, zero_points.get(name))
        for values, size in _apart(graph):
            count += size
            zeros += size - int(np.count_nonzero(values))
    return StoredWeights(count=count, zeros=zeros, spare=spare, quantized=quantized)


def _read(graph: Any) -> set[str]:
    """Names that a graph's answers depend on, those in the graphs inside its nodes too."""
    makers = {name: node for node in graph.node for name in node.output}
    found: set[str] = set()
    left = [value.name for value in graph.output]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        node = makers.get(name)
        if node is not None:
            left += [*node.input, *_inside(node)]
    return found


def _inside(node: Any) -> Iterator[str]:
    """What the graphs inside a node read and answer with."""
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            for graph in graphs(inner):
                yield from (value.name for value in graph.output)
                yield from (name for one in graph.node for name in one.input)


def _tensors(graph: Any) -> Iterator[tuple[str, Any]]:
    """Initializers and constants of a graph, by the names that nodes use."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for node in graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value":
                yield node.output[0], attribute.t


def _is_weight(named: tuple[str, Any]) -> bool:
    tensor, kind = named[1], _kind(named[1])
    known = kind in _WHOLE or kind in _FLOATS or kind.startswith(_SHORT_FLOATS)
    return known and bool(tensor.dims) and prod(tensor.dims) > 0


def _kind(tensor: Any) -> str:
    return str(edge("onnx").TensorProto.DataType.Name(tensor.data_type))


def _apart(graph: Any) -> Iterator[tuple[Values, int]]:
    """Weights that are no dense tensors: what of them is stored, and how many they stand for."""
    sparse = list(graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("sparse_tensor"):
                sparse.append(attribute.sparse_tensor)
            if node.op_type == "Constant" or node.domain == "ai.onnx.ml":
                given = np.asarray(attribute.floats)
                if given.size > 1:
                    yield np.ones_like(given), given.size
    for one in sparse:
        yield edge("onnx").numpy_helper.to_array(one.values), prod(one.dims)


def _key(values: Values, kind: int) -> tuple[Any, ...]:
    """What equal tensors have in common, however a matrix is turned."""
    if values.ndim != 2:
        return (kind, values.shape, _digest(values))
    return (kind, *sorted(values.shape), *sorted((_digest(values), _digest(values.T))))


def _digest(values: Values) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).digest()


def _packed(graph: Any) -> dict[str, int]:
    """Tensors of several weights a byte, and how many weights they hold."""
    found = {}
    for node in graph.node:
        told = {attribute.name: attribute.i for attribute in node.attribute}
        if node.op_type == _PACKED and {"K", "N"} <= told.keys() and len(node.input) > 1:
            found[node.input[1]] = told["K"] * told["N"]
    return found


def _zero_points(graph: Any) -> Mapping[str, tuple[Values, int]]:
    """Of quantized tensors: what is zero among them, and the axis that it lies along."""
    stored = dict(_tensors(graph))
    turned = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Transpose"}
    found = {}
    for node in graph.node:
        weights, zero, axis = _ZERO_POINTS.get(node.op_type, (0, 0, 0))
        if zero == 0 or len(node.input) <= zero or node.input[zero] not in stored:
            continue
        told = next((one.i for one in node.attribute if one.name == "axis"), axis)
        value = edge("onnx").numpy_helper.to_array(stored[node.input[zero]])
        name = node.input[weights]
        found[turned.get(name, name)] = (value, told)
    return found


def _zeros(values: Values, quantized: tuple[Values, int] | None) -> int:
    if values.ndim < 2:
        return 0
    if quantized is None:
        return int(np.count_nonzero(values == 0))
    zero, axis = quantized
    if zero.size == 1:
        return int(np.count_nonzero(values == zero.reshape(())))
    along = [axis % values.ndim, *range(values.ndim)]
    fits = [one for one in along if values.shape[one] == zero.size]
    if zero.ndim != 1 or not fits:  # a zero point for each block
        return 0
    return int(np.count_nonzero(np.moveaxis(values, fits[0], -1) == zero))
