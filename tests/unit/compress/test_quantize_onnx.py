"""int8 of ONNX graphs: the arithmetic is the stated one, onnxruntime's own tool agrees."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from prunegate.compress.quantize_onnx import int8
from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.int8_rounding import round_to_int8
from prunegate.models.onnx_module import OnnxModule, open_session

pytestmark = pytest.mark.models

onnx = pytest.importorskip("onnx")
Array = np.ndarray[Any, Any]
KINDS = ("dynamic", "static", "weight_only")
TYPES = {"f": onnx.TensorProto.FLOAT, "i": onnx.TensorProto.INT64}


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def model(
    nodes: list[tuple[str, list[str], str, dict[str, Any]]],
    stored: dict[str, Array],
    given: str = "f",
) -> bytes:
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(op, ins, [out], **more) for op, ins, out, more in nodes],
        "g",
        [onnx.helper.make_tensor_value_info("data", TYPES[given], None)],
        [onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(values, name) for name, values in stored.items()],
    )
    opset = onnx.helper.make_opsetid("", 20)
    raw: bytes = onnx.helper.make_model(
        graph, opset_imports=[opset], ir_version=10
    ).SerializeToString()
    return raw


W, B = normal(16, 24), normal(24, seed=1)
MLP = model(
    [
        ("MatMul", ["data", "w"], "product", {}),
        ("Add", ["product", "b"], "hidden", {}),
        ("Relu", ["hidden"], "positive", {}),
        ("Gemm", ["positive", "head", "offset"], "logits", {"transB": 1}),
    ],
    {"w": W, "b": B, "head": normal(5, 24, seed=2), "offset": normal(5, seed=3)},
)
CNN = model(
    [
        ("Conv", ["data", "f", "b"], "first", {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}),
        ("Relu", ["first"], "positive", {}),
        ("Conv", ["positive", "g"], "second", {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        ("Add", ["second", "second"], "logits", {}),
    ],
    {"f": normal(8, 3, 3, 3), "b": normal(8, seed=1), "g": normal(4, 8, 1, 1, seed=2)},
)
WORDS = model(
    [
        ("Gather", ["table", "data"], "rows", {}),
        ("Transpose", ["table"], "turned", {"perm": [1, 0]}),
        ("MatMul", ["rows", "turned"], "logits", {}),
    ],
    {"table": normal(40, 6)},
    given="i",
)
GIVEN = {
    "mlp": (MLP, torch.from_numpy(normal(7, 16, seed=9))),
    "cnn": (CNN, torch.from_numpy(normal(2, 3, 8, 8, seed=9))),
    "words": (WORDS, torch.tensor([[1, 39, 3], [0, 7, 7]])),
}


def answer(raw: bytes, data: torch.Tensor) -> torch.Tensor:
    return OnnxModule(raw)(data).logits


def operators(raw: bytes) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load_from_string(raw).graph.node)


def constants(raw: bytes) -> dict[str, Array]:
    stored = onnx.load_from_string(raw).graph.initializer
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in stored}


@pytest.mark.slow
@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", GIVEN)
def test_it_stays_close_stores_no_float_weights_and_repeats(
    name: str, kind: Any, per_channel: bool
) -> None:
    raw, data = GIVEN[name]

    def made() -> bytes:
        rows = iter([{"data": data[:1]}, {"data": data}]) if kind == "static" else ()
        return int8(raw, kind=kind, per_channel=per_channel, calibration=rows)

    quantized = made()
    assert made() == quantized
    exact = answer(raw, data)
    close = answer(quantized, data)
    assert close.shape == exact.shape
    assert 0 < (close - exact).abs().max() < 0.03 * exact.abs().max()
    floats = [v for v in constants(quantized).values() if v.dtype == np.float32 and v.ndim > 1]
    assert not floats
    whole = {v.shape for v in constants(quantized).values() if v.dtype == np.uint8 and v.ndim > 1}
    assert {tuple(sorted(shape)) for shape in whole} == {
        tuple(sorted(v.shape)) for v in constants(raw).values() if v.ndim > 1
    }


def test_each_kind_computes_as_it_says() -> None:
    dynamic, static, weight_only = (
        operators(int8(MLP, kind=kind, calibration=[{"data": GIVEN["mlp"][1]}]))  # type: ignore[arg-type]
        for kind in KINDS
    )
    assert dynamic["MatMulInteger"] == 2
    assert dynamic["MatMul"] == dynamic["Gemm"] == 0
    assert static["QuantizeLinear"] == 2
    assert weight_only["QuantizeLinear"] == weight_only["DynamicQuantizeLinear"] == 0
    assert operators(int8(CNN))["Conv"] == 2  # integer convolutions are slower than float ones
    assert "ConvInteger" not in operators(int8(CNN))


def test_dynamic_is_the_product_of_the_rounded_numbers() -> None:
    raw = model([("MatMul", ["data", "w"], "logits", {})], {"w": W})
    data = normal(7, 16, seed=5)
    low, high = min(0.0, data.min()), max(0.0, data.max())
    step = (high - low) / 255
    zero = np.rint(-low / step)
    rounded = (np.clip(np.rint(data / step) + zero, 0, 255) - zero) * step
    whole, scale = round_to_int8(W, 1)
    got = answer(int8(raw), torch.from_numpy(data)).numpy()
    assert got == pytest.approx(rounded @ (whole * scale.astype(np.float64)), abs=1e-4)


@pytest.mark.parametrize("per_channel", [True, False])
def test_onnxruntimes_own_tool_stores_the_same_numbers(per_channel: bool, tmp_path: Path) -> None:
    raw, data = GIVEN["mlp"]
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # it wants a pre-processing that is not needed here
    try:
        from onnxruntime.quantization import quantize_dynamic

        quantize_dynamic(
            onnx.load_from_string(raw),
            tmp_path / "theirs.onnx",
            per_channel=per_channel,
            op_types_to_quantize=["MatMul"],
        )
    finally:
        logging.disable(before)
    theirs = (tmp_path / "theirs.onnx").read_bytes()
    ours = int8(raw, per_channel=per_channel)
    stored = [
        sorted(
            (v.shape, (v.astype(np.int16) - middle).tobytes())
            for v in constants(file).values()
            if v.dtype in (np.int8, np.uint8) and v.ndim == 2
        )
        for file, middle in ((theirs, 0), (ours, 128))
    ]
    assert stored[0] == stored[1]
    # Theirs multiplies uint8 by int8, which is exact without VNNI only on request.
    session = open_session(theirs, "theirs", 1, exact=True)
    asked = session.run(None, {"data": data.numpy()})[0]
    assert np.allclose(asked, answer(ours, data).numpy(), atol=1e-5)


def test_per_channel_is_closer_where_channels_differ_in_size() -> None:
    uneven = W * np.logspace(-3, 0, 24, dtype=np.float32)
    raw = model([("MatMul", ["data", "w"], "logits", {})], {"w": uneven})
    data = GIVEN["mlp"][1]
    small = [
        (answer(int8(raw, kind="weight_only", per_channel=wanted), data) - answer(raw, data))[:, :8]
        for wanted in (True, False)
    ]
    assert small[0].abs().max() < 0.1 * small[1].abs().max()


def test_tied_tables_are_quantized_together_or_not_at_all() -> None:
    # The table is all there is, so it dominates: by default it is quantized, and stored once.
    by_default = int8(WORDS)
    assert by_default == int8(WORDS, embeddings=True)
    stored = [v.shape for v in constants(by_default).values() if v.dtype == np.uint8 and v.ndim]
    assert stored == [(40, 6)]
    with pytest.raises(UnsupportedError, match="no float32 matrices, convolutions or tables"):
        int8(WORDS, embeddings=False)


def test_a_table_that_does_not_dominate_stays_unless_asked() -> None:
    raw = model(
        [("Gather", ["table", "data"], "rows", {}), ("MatMul", ["rows", "w"], "logits", {})],
        {"table": normal(10, 6), "w": normal(6, 30)},
        given="i",
    )
    kept = constants(int8(raw))
    assert np.array_equal(kept["table"], normal(10, 6))
    assert "table" not in constants(int8(raw, embeddings=True))


def test_static_ranges_are_those_of_all_batches_and_hold_zero() -> None:
    raw = model([("MatMul", ["data", "w"], "logits", {})], {"w": W})
    batches = [{"data": torch.full((1, 16), value)} for value in (1.0, 5.1, 3.0)]
    stored = constants(int8(raw, kind="static", calibration=batches))
    assert stored["data_scale"] == pytest.approx(5.1 / 255)
    assert stored["data_zero"] == 0
    below = constants(int8(raw, kind="static", calibration=[{"data": -batches[1]["data"]}]))
    assert below["data_zero"] == 255
    still = constants(int8(raw, kind="static", calibration=[{"data": torch.zeros(1, 16)}]))
    assert still["data_scale"] == 1


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "give at least one batch"),
        ([{"data": torch.ones(1, 3)}], "cannot run on these rows"),
        ([{"other": torch.ones(1, 16)}], "cannot run on these rows"),
        ([{"data": torch.full((1, 16), torch.nan)}], "is missing, empty, NaN or infinite"),
        ([{"data": torch.ones(0, 16)}], "is missing, empty, NaN or infinite"),
    ],
)
def test_calibration_without_usable_rows_is_refused(batches: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        int8(MLP, kind="static", calibration=batches)
    assert "\n" not in str(caught.value)


def test_weights_that_are_infinite_are_named() -> None:
    raw = model([("MatMul", ["data", "w"], "logits", {})], {"w": np.full((2, 2), np.inf, "f")})
    with pytest.raises(ModelError, match="w: NaN or infinite weights cannot be quantized"):
        int8(raw)


def test_an_int8_model_is_not_quantized_again() -> None:
    with pytest.raises(UnsupportedError, match="give the float32 model, or drop the step"):
        int8(int8(MLP))


@pytest.mark.parametrize("more", [{"alpha": 2.0}, {"beta": 0.5}, {"transA": 1}])
def test_scaled_products_stay_as_they_are(more: dict[str, Any]) -> None:
    data = torch.from_numpy(normal(16, 16, seed=4))
    raw = model(
        [("MatMul", ["data", "v"], "a", {}), ("Gemm", ["a", "w", "b"], "logits", more)],
        {"v": normal(16, 16), "w": W, "b": B},
    )
    quantized = int8(raw)
    assert operators(quantized)["Gemm"] == 1
    exact = answer(raw, data)
    assert (answer(quantized, data) - exact).abs().max() < 0.03 * exact.abs().max()


def test_a_graph_inside_a_node_keeps_what_it_reads() -> None:
    inner = [
        onnx.helper.make_graph(
            [onnx.helper.make_node("Add", ["product", name], ["sum"])],
            "branch",
            [],
            [onnx.helper.make_tensor_value_info("sum", onnx.TensorProto.FLOAT, None)],
        )
        for name in ("b", "c")
    ]
    raw = model(
        [
            ("MatMul", ["data", "w"], "product", {}),
            ("If", ["yes"], "logits", {"then_branch": inner[0], "else_branch": inner[1]}),
        ],
        {"w": W, "b": B, "c": -B, "yes": np.array(False)},
    )
    data = GIVEN["mlp"][1]
    exact = answer(raw, data)
    assert torch.allclose(exact, data @ torch.from_numpy(W) - torch.from_numpy(B), atol=1e-4)
    assert (answer(int8(raw), data) - exact).abs().max() < 0.03 * exact.abs().max()


def dequantized(raw: bytes, data: Array) -> Array:
    """What a rewritten graph stands for: its stored whole numbers times their scales, in float64.

    onnx's own reference evaluator computes each operator as the standard words it, in numpy.
    """
    from onnx.reference import ReferenceEvaluator

    found: Array = ReferenceEvaluator(onnx.load_from_string(raw)).run(None, {"data": data})[0]
    return found


EXTREMES = {
    "all 127": lambda shape: np.ones(shape, np.float32),
    "all -127": lambda shape: -np.ones(shape, np.float32),
    "in turn": lambda shape: np.where(np.indices(shape).sum(0) % 2, -1, 1).astype(np.float32),
    "drawn": lambda shape: normal(*shape, seed=11),
}
PRODUCTS: dict[str, tuple[Any, tuple[int, ...], tuple[int, ...]]] = {
    "MatMul": (("MatMul", ["data", "w"], "logits", {}), (64, 32), (5, 64)),
    "one row": (("MatMul", ["data", "w"], "logits", {}), (64, 32), (1, 64)),
    "odd": (("MatMul", ["data", "w"], "logits", {}), (65, 33), (7, 65)),
    "Gemm": (("Gemm", ["data", "w"], "logits", {"transB": 1}), (32, 64), (5, 64)),
    "Conv": (("Conv", ["data", "w"], "logits", {}), (8, 5, 3, 3), (2, 5, 6, 6)),
    "pointwise": (("Conv", ["data", "w"], "logits", {}), (32, 64, 1, 1), (2, 64, 4, 4)),
    "groups": (("Conv", ["data", "w"], "logits", {"group": 4}), (8, 2, 3, 3), (2, 8, 6, 6)),
    "depthwise": (("Conv", ["data", "w"], "logits", {"group": 16}), (16, 1, 3, 3), (1, 16, 6, 6)),
}


@pytest.mark.slow
@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("product", PRODUCTS)
def test_products_are_those_of_whole_numbers_at_the_extremes(
    product: str, kind: Any, per_channel: bool
) -> None:
    """On every processor: nothing saturates where all weights and activations are the largest."""
    node, shape, given = PRODUCTS[product]
    for weights in EXTREMES.values():
        raw = model([node], {"w": weights(shape)})
        for data in (np.ones(given, np.float32), normal(*given, seed=12)):
            rows = [{"data": torch.from_numpy(data)}] if kind == "static" else ()
            quantized = int8(raw, kind=kind, per_channel=per_channel, calibration=rows)
            expected = dequantized(quantized, data)
            got = answer(quantized, torch.from_numpy(data)).numpy()
            # A result that is itself stored in 8 bits may be rounded to the next step.
            step = constants(quantized).get("logits_scale", 0.0)
            assert np.abs(got - expected).max() <= 1.01 * step + 1e-5 * np.abs(expected).max()


def test_rows_of_a_table_are_the_stored_numbers() -> None:
    for weights in EXTREMES.values():
        raw = model([("Gather", ["w", "data"], "logits", {})], {"w": weights((9, 6))}, given="i")
        rows = np.array([0, 8, 3])
        whole, scale = round_to_int8(weights((9, 6)), 0)
        got = answer(int8(raw), torch.from_numpy(rows)).numpy()
        assert np.array_equal(got, (whole * scale[:, None])[rows])
