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
from prunegate.models.onnx_module import OnnxModule

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
    whole = {v.shape for v in constants(quantized).values() if v.dtype == np.int8 and v.ndim > 1}
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
            (v.shape, v.tobytes())
            for v in constants(file).values()
            if v.dtype == np.int8 and v.ndim == 2
        )
        for file in (theirs, ours)
    ]
    assert stored[0] == stored[1]
    assert torch.allclose(answer(theirs, data), answer(ours, data), atol=1e-5)


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
    assert [v.shape for v in constants(by_default).values() if v.dtype == np.int8] == [(40, 6)]
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
