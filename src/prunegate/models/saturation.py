"""Does a quantized model compute the same numbers on every processor?

On x86 without VNNI onnxruntime multiplies uint8 by int8 with an instruction that adds two products
in 16 bits and saturates: with activations of 255, two neighbouring weights whose sum passes 128
are enough. On processors with VNNI, and on ARM, the same file is computed exactly. What prunegate
quantizes is stored so that it cannot happen (``compress/quantize_onnx.py``); files that others
quantized are looked through here.

Two questions, answered apart. *May* a product saturate: decided by its weights, the same on every
processor. *Does* it, here: its weights are multiplied once by onnxruntime, with all activations at
255, and held against the exact whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from prunegate.models.onnx_file import edge, graphs

_MOST = 2**15 - 1  # of 16 bits
_LARGEST = 255  # of uint8 activations
_WEIGHTS = {  # operator -> the input that holds its weights
    "MatMulInteger": 1,
    "MatMulIntegerToFloat": 1,
    "DynamicQuantizeMatMul": 1,
    "QAttention": 1,
    "QLinearMatMul": 3,
    "QGemm": 3,
    "ConvInteger": 1,
    "QLinearConv": 3,
}
_FUSED = {"MatMul", "Gemm", "Conv"}  # fused with the DequantizeLinear before them
_FILTERS = {"Conv", "ConvInteger", "QLinearConv"}
Whole = npt.NDArray[np.int8]


@dataclass(frozen=True, kw_only=True)
class Saturation:
    """What a look through a model's eight-bit products found."""

    products: int
    """Products of activations and stored int8 weights."""
    saturating: int
    """Of those, the ones that compute otherwise on x86 processors without VNNI."""
    here: bool
    """Whether this processor is such a one: multiplied here, their results are wrong."""


def saturation_of(model: Any) -> Saturation:
    """Look through an ``onnx.ModelProto`` that ``read_onnx`` accepts."""
    found = [ways for graph in graphs(model.graph) for ways in _products(graph)]
    risky = [[way for way in ways if may_saturate(way)] for ways in found]
    risky = [ways for ways in risky if ways]
    here = any(not _exact_here(ways[0]) for ways in risky)
    return Saturation(products=len(found), saturating=len(risky), here=here)


def may_saturate(weights: Whole) -> bool:
    """Whether two neighbouring products can pass 16 bits.

    Args:
        weights: int8 [K, N]; sums run along K, two at a time.
    """
    even = weights[: len(weights) // 2 * 2].astype(np.int32)
    pairs = even[0::2] + even[1::2]
    return bool(pairs.size) and int(np.abs(pairs).max()) * _LARGEST > _MOST


def _exact_here(weights: Whole) -> bool:
    """Multiply by activations of 255, in onnxruntime, and compare with the exact sums."""
    onnx, runtime = edge("onnx"), edge("onnxruntime")
    kinds = onnx.TensorProto
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMulInteger", ["data", "weights"], ["sums"])],
        "probe",
        [onnx.helper.make_tensor_value_info("data", kinds.UINT8, [None, len(weights)])],
        [onnx.helper.make_tensor_value_info("sums", kinds.INT32, None)],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(weights), "weights")],
    )
    opset = onnx.helper.make_opsetid("", 13)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    data = np.full((1, len(weights)), _LARGEST, dtype=np.uint8)
    sums = session.run(None, {"data": data})[0]
    exact = weights.astype(np.int64).sum(axis=0) * _LARGEST
    return bool(np.array_equal(sums[0], exact))


def _products(graph: Any) -> Iterator[tuple[Whole, ...]]:
    """Yield the int8 weights of every product with eight-bit activations, as ``_matrices`` does."""
    onnx = edge("onnx")
    stored = {t.name: t for t in graph.initializer if t.data_type == onnx.TensorProto.INT8}
    if not stored:
        return
    makers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        found = _weights(node, makers)
        tensor = stored.get(found.name) if found else None
        if found and tensor is not None and len(tensor.dims) >= 2:
            yield tuple(_matrices(node, onnx.numpy_helper.to_array(tensor), found.turned))


@dataclass(frozen=True, kw_only=True)
class _Weights:
    """Where a product's weights are stored."""

    name: str
    turned: bool
    """Stored as [N, K]."""


def _weights(node: Any, makers: dict[str, Any]) -> _Weights | None:
    """Name the weights of a node that multiplies in eight bits; None: it is another node."""
    turned = any(a.name == "transB" and a.i for a in node.attribute)
    if node.op_type in _WEIGHTS:
        place = _WEIGHTS[node.op_type]
        return _through(node.input[place], makers, turned) if len(node.input) > place else None
    if node.op_type not in _FUSED or len(node.input) < 2:
        return None
    data, weights = (_maker(name, makers) for name in node.input[:2])
    if data != "DequantizeLinear" or weights != "DequantizeLinear":
        return None
    return _through(makers[node.input[1]].input[0], makers, turned)


def _maker(name: str, makers: dict[str, Any]) -> str | None:
    return makers[name].op_type if name in makers else None


def _through(name: str, makers: dict[str, Any], turned: bool) -> _Weights:
    """Follow a stored matrix through transpositions."""
    while _maker(name, makers) in ("Transpose", "Identity"):
        turned ^= _maker(name, makers) == "Transpose"
        name = makers[name].input[0]
    return _Weights(name=name, turned=turned)


def _matrices(node: Any, weights: Whole, turned: bool) -> Iterator[Whole]:
    """Yield weights as matrices [K, N], in each order in which a runtime may sum along K."""
    if node.op_type not in _FILTERS:
        for matrix in weights.reshape(-1, *weights.shape[-2:]):
            yield matrix.T if turned else matrix
        return
    groups = next((a.i for a in node.attribute if a.name == "group"), 1)
    if groups == len(weights) > 1 and weights.shape[1] == 1:
        return  # depthwise: summed in 32 bits, one product at a time
    yield np.moveaxis(weights, 1, -1).reshape(len(weights), -1).T  # channels last
    yield weights.reshape(len(weights), -1).T
