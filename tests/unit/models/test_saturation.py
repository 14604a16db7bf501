"""Models that compute otherwise on other processors are noticed, by their weights and by trying."""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from prunegate.compress.quantize_onnx import int8
from prunegate.cost.processor import processor, processor_from_cpuinfo
from prunegate.models.onnx_module import OnnxModule
from prunegate.models.saturation import may_saturate

pytestmark = pytest.mark.models

onnx = pytest.importorskip("onnx")
Array = np.ndarray[Any, Any]
KINDS = onnx.TensorProto


def graph(nodes: list[Any], stored: dict[str, Array], kind: int = KINDS.FLOAT) -> bytes:
    made = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("data", kind, None)],
        [onnx.helper.make_tensor_value_info("logits", KINDS.FLOAT, None)],
        [onnx.numpy_helper.from_array(np.asarray(v), name) for name, v in stored.items()],
    )
    opset = [onnx.helper.make_opsetid("", 20)]
    raw: bytes = onnx.helper.make_model(
        made, opset_imports=opset, ir_version=10
    ).SerializeToString()
    return raw


def node(op: str, inputs: str, output: str, **more: Any) -> Any:
    return onnx.helper.make_node(op, inputs.split(), [output], **more)


SCALES = {"s": np.float32(1 / 255), "z": np.uint8(0), "t": np.float32(1 / 127), "o": np.int8(0)}
ROUNDED = [node("QuantizeLinear", "data s z", "q"), node("DequantizeLinear", "q s z", "d")]
WIDENED = node("DequantizeLinear", "w t o", "v")
LARGE = np.full((8, 4), 127, np.int8)
FORMS: dict[str, tuple[list[Any], Array]] = {
    "MatMulInteger": (
        [
            node("QuantizeLinear", "data s z", "q"),
            node("MatMulInteger", "q w z", "i"),
            node("Cast", "i", "logits", to=1),
        ],
        LARGE,
    ),
    "MatMul": ([*ROUNDED, WIDENED, node("MatMul", "d v", "logits")], LARGE),
    "Gemm": ([*ROUNDED, WIDENED, node("Gemm", "d v", "logits", transB=1)], LARGE.T),
    "Transpose": (
        [
            *ROUNDED,
            node("Transpose", "w", "wt", perm=[1, 0]),
            node("DequantizeLinear", "wt t o", "v"),
            node("MatMul", "d v", "logits"),
        ],
        LARGE.T,
    ),
    "Conv": (
        [*ROUNDED, WIDENED, node("Conv", "d v", "logits")],
        np.full((4, 8, 1, 1), 127, np.int8),
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_eight_bit_product_is_looked_through(form: str) -> None:
    nodes, weights = FORMS[form]
    found = OnnxModule(graph(nodes, {"w": weights, **SCALES})).saturation
    assert (found.products, found.saturating) == (1, 1)
    small = OnnxModule(graph(nodes, {"w": weights // 2, **SCALES})).saturation
    assert (small.products, small.saturating, small.here) == (1, 0, False)


def test_what_saturates_here_is_found_by_multiplying() -> None:
    """The same answer as the processor's own description gives, on any x86 processor."""
    sets = processor().instruction_sets
    if sets is None or "AVX2" not in sets:
        pytest.skip("the rule is known for x86 processors with AVX2 only")
    nodes, weights = FORMS["MatMul"]
    module = OnnxModule(graph(nodes, {"w": weights, **SCALES}))
    assert module.saturation.here != bool({"AVX-512 VNNI", "AVX-VNNI"} & set(sets))
    rows = torch.ones(3, 8)
    exact = module.exactly()(rows).logits
    assert torch.allclose(exact, torch.full((3, 4), 8.0))
    assert torch.allclose(module(rows).logits, exact) != module.saturation.here
    assert torch.equal(copy.deepcopy(module.exactly())(rows).logits, exact)


@given(st.lists(st.lists(st.integers(-128, 127), min_size=3, max_size=3), min_size=1, max_size=7))
def test_a_product_may_saturate_if_two_neighbours_pass_sixteen_bits(rows: list[list[int]]) -> None:
    weights = np.array(rows, dtype=np.int8)
    pairs = [
        255 * (int(weights[k, n]) + int(weights[k + 1, n]))
        for k in range(0, len(weights) - 1, 2)
        for n in range(3)
    ]
    # |-32,768| fits where 32,768 does not; no multiple of 255 lies there.
    assert may_saturate(weights) == any(not -(2**15) <= pair < 2**15 for pair in pairs)


def test_what_we_write_never_saturates_and_what_others_write_may(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).standard_normal((64, 32)).astype(np.float32)
    raw = graph([node("MatMul", "data w", "logits")], {"w": weight})
    assert OnnxModule(int8(raw)).saturation.saturating == 0
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # it wants a pre-processing that is not needed here
    try:
        from onnxruntime.quantization import quantize_dynamic

        quantize_dynamic(onnx.load_from_string(raw), tmp_path / "theirs.onnx")
    finally:
        logging.disable(before)
    theirs = OnnxModule((tmp_path / "theirs.onnx").read_bytes())
    assert (theirs.saturation.products, theirs.saturation.saturating) == (1, 1)


@pytest.mark.parametrize(
    ("cpuinfo", "name", "sets"),
    [
        (
            "model name\t: AMD EPYC\nflags\t\t: fpu avx2\n\nflags\t: avx512f\n",
            "AMD EPYC",
            ("AVX2",),
        ),
        (
            "model name: X\nflags: amx_int8 avx512_vnni avx2 avx512f avx_vnni\n",
            "X",
            ("AVX2", "AVX-512", "AVX-512 VNNI", "AVX-VNNI", "AMX int8"),
        ),
        (
            "CPU implementer: 0x41\nCPU part: 0xd40\nFeatures: fp asimd asimddp\n",
            "ARM implementer 0x41 part 0xd40",
            ("NEON dot product",),
        ),
        ("model name: old\nflags: fpu sse2\n", "old", ()),
        ("model name: silent\n", "silent", None),
    ],
)
def test_the_processor_is_named_with_what_matters_to_eight_bits(
    cpuinfo: str, name: str, sets: tuple[str, ...] | None
) -> None:
    found = processor_from_cpuinfo(cpuinfo)
    assert (found.name, found.instruction_sets) == (name, sets)
    words = {None: "not known", (): "none of those looked for"}.get(sets, ", ".join(sets or ()))
    assert found.facts() == {"processor": name, "instruction_sets": words}
