"""What a graph stores, however it stores it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.models
onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from prunegate.models.onnx_weights import StoredWeights, stored_weights  # noqa: E402

WEIGHTS = np.arange(-8, 312, dtype=np.float32).reshape(16, 20) / 7  # one of them is zero
Graph = tuple[list[Any], list[Any], list[Any]]


def model(nodes: list[Any], dense: list[Any] = [], sparse: list[Any] = []) -> Any:  # noqa: B006
    """A graph that answers with all that these nodes make and these tensors are."""
    made = [name for node in nodes for name in node.output]
    stored = [one.name for one in dense] + [one.values.name for one in sparse]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in made + stored]
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [given], values, dense, sparse_initializer=sparse)
    return helper.make_model(graph)


def tensor(values: np.ndarray, name: str = "w") -> Any:
    return numpy_helper.from_array(values, name)


def of_bfloat16() -> Any:
    return helper.make_tensor("w", TensorProto.BFLOAT16, WEIGHTS.shape, WEIGHTS.flatten())


def sparsely() -> Any:
    places = np.flatnonzero(WEIGHTS)
    return helper.make_sparse_tensor(
        tensor(WEIGHTS.flatten()[places]), tensor(places, "places"), list(WEIGHTS.shape)
    )


def linear() -> Any:
    given = {"coefficients": WEIGHTS.flatten().tolist()}
    return helper.make_node("LinearClassifier", ["x"], ["y"], domain="ai.onnx.ml", **given)


def constant(**value: Any) -> Any:
    return helper.make_node("Constant", [], ["w"], **value)


WAYS: dict[str, Callable[[], Any]] = {
    "initializer": lambda: model([], [tensor(WEIGHTS)]),
    "half precision": lambda: model([], [tensor(WEIGHTS.astype(np.float16))]),
    "bfloat16": lambda: model([], [of_bfloat16()]),
    "constant": lambda: model([constant(value=tensor(WEIGHTS))]),
    "sparse": lambda: model([], [], [sparsely()]),
    "sparse constant": lambda: model([constant(sparse_value=sparsely())]),
    "in a branch": lambda: model(
        [helper.make_node("If", ["x"], ["y"], then_branch=model([], [tensor(WEIGHTS)]).graph)]
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_weights_and_zeros_are_counted_however_they_are_stored(way: str) -> None:
    found = stored_weights(WAYS[way]())
    assert (found.count, found.zeros, found.quantized) == (320, 1, False)


@pytest.mark.parametrize(
    "node", [linear(), constant(value_floats=WEIGHTS.flatten().tolist())], ids=["linear", "floats"]
)
def test_numbers_in_attributes_are_weights(node: Any) -> None:
    assert stored_weights(model([node])).count == 320


def test_numbers_that_describe_shapes_and_single_ones_are_none() -> None:
    shapes = [tensor(np.arange(9), "shape"), tensor(np.float32(2), "one")]
    assert stored_weights(model([], shapes)) == StoredWeights(
        count=0, zeros=0, spare=0, quantized=False
    )


@pytest.mark.parametrize("turned", [False, True])
def test_an_equal_tensor_is_stored_twice_also_where_it_is_turned(turned: bool) -> None:
    again = np.ascontiguousarray(WEIGHTS.T) if turned else WEIGHTS
    found = stored_weights(model([], [tensor(WEIGHTS), tensor(again, "again")]))
    assert (found.count, found.zeros, found.spare) == (320, 1, WEIGHTS.nbytes)


def test_what_no_answer_depends_on_is_no_weight() -> None:
    """Neither a tensor that nobody reads nor one that only leads elsewhere, in whatever order."""
    nodes = [
        helper.make_node("Identity", ["aside"], ["elsewhere"]),
        helper.make_node("Identity", ["between"], ["y"]),
        constant(value=tensor(WEIGHTS)),
        helper.make_node("Identity", ["read"], ["between"]),
    ]
    stored = [tensor(WEIGHTS + n, name) for n, name in enumerate(("alone", "aside", "read"))]
    whole = model(nodes, stored)
    kept = [value for value in whole.graph.output if value.name == "y"]
    del whole.graph.output[:]
    whole.graph.output.extend(kept)
    found = stored_weights(whole)
    assert (found.count, found.spare) == (320, 3 * WEIGHTS.nbytes)


def test_tensors_of_one_value_are_no_doubles_and_so_no_saving() -> None:
    gone = np.zeros_like(WEIGHTS)
    found = stored_weights(model([], [tensor(gone, name) for name in "ab"]))
    assert (found.count, found.zeros, found.spare) == (640, 640, 0)


QUANTIZED = {  # operator -> its inputs, the zero point's shape
    "DequantizeLinear": (["w", "scale", "zero"], (16, 1)),
    "MatMulInteger": (["x", "w", "x0", "zero"], (1, 20)),
    "QLinearMatMul": (["x", "s", "x0", "w", "scale", "zero", "s", "x0"], (1, 20)),
    "ConvInteger": (["x", "w", "x0", "zero"], (16, 1)),
}


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
@pytest.mark.parametrize("operator", QUANTIZED)
@pytest.mark.parametrize("per_channel", [False, True])
def test_the_zero_of_a_quantized_tensor_is_its_zero_point(
    operator: str, kind: Any, per_channel: bool
) -> None:
    inputs, shape = QUANTIZED[operator]
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 4, (16, 20)).astype(kind)
    zero = rng.integers(1, 4, shape if per_channel else (1, 1)).astype(kind)
    expected = int((whole == zero).sum())
    given = {"axis": 0} if operator == "DequantizeLinear" else {}
    point = tensor(zero.flatten() if per_channel else zero.reshape(()), "zero")
    node = helper.make_node(operator, inputs, ["y"], **given)
    found = stored_weights(model([node], [tensor(whole), point]))
    assert (found.zeros, found.quantized) == (expected, True)
    apart = helper.make_node("Constant", [], ["zero"], value=point)
    assert stored_weights(model([apart, node], [tensor(whole)])) == found
    assert found.count == 320 + (zero.size if per_channel else 0)


def test_packed_weights_are_as_many_as_they_stand_for() -> None:
    node = helper.make_node(
        "MatMulNBits",
        ["x", "w", "s"],
        ["y"],
        domain="com.microsoft",
        K=64,
        N=8,
        bits=4,
        block_size=32,
    )
    packed = np.arange(8 * 2 * 16, dtype=np.uint8).reshape(8, 2, 16)
    found = stored_weights(
        model([node], [tensor(packed), tensor(np.ones((8, 2), np.float32), "s")])
    )
    assert (found.count, found.zeros) == (64 * 8 + 16, 0)
