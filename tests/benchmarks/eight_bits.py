"""What exact eight-bit products cost: weights stored as uint8 (ours) beside int8 (most tools').

python tests/benchmarks/eight_bits.py           products, then the demo's int8 candidate (minutes)
python tests/benchmarks/eight_bits.py --quick   products only

On x86 without VNNI onnxruntime's products of uint8 and int8 saturate in 16 bits; those of uint8 and
uint8 do not. Time is process CPU time on one thread, interleaved; the processor is named. Printed,
never asserted.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "functional"))

from tiny import with_signed_weights

from prunegate.compress.export import to_onnx
from prunegate.compress.quantize_onnx import int8
from prunegate.cost.measure import measure
from prunegate.cost.processor import processor
from prunegate.data.labelled.rows import select_rows
from prunegate.demo.workspace import default_cache, prepare_demo, scaled
from prunegate.models.load import read_candidate
from prunegate.models.onnx_module import OnnxModule, open_session
from prunegate.pipeline.context import Settings, set_up
from prunegate.policy.load import read_policy
from prunegate.policy.steps import Rows

SIZES = [(768, 3072), (384, 1536)]
ROWS = (197, 16, 1)


def product(wide: int, out: int) -> bytes:
    """A float32 model of one product."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((wide, out)).astype(np.float32)
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["data", "w"], ["logits"])],
        "product",
        [onnx.helper.make_tensor_value_info("data", kind, [None, wide])],
        [onnx.helper.make_tensor_value_info("logits", kind, None)],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    opset = [onnx.helper.make_opsetid("", 20)]
    return bytes(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()
    )


def products() -> None:
    """Print how much faster each form is than float32, and how many answers are wrong."""
    print("\nproduct, dynamic          rows  " + "".join(f"{n:>22s}" for n in FORMS))
    for wide, out in SIZES:
        raw = product(wide, out)
        ours = int8(raw)
        sessions = {
            name: open_session(make(raw, ours), name, 1, exact=name.endswith("option"))
            for name, make in FORMS.items()
        }
        for rows in ROWS:
            data = np.random.default_rng(1).standard_normal((rows, wide)).astype(np.float32)
            times = {name: [] for name in sessions}  # type: dict[str, list[float]]
            for _ in range(21):
                for name, session in sessions.items():
                    calls = max(1, 20 // rows)
                    start = time.process_time_ns()
                    for _ in range(calls):
                        session.run(None, {"data": data})
                    times[name].append((time.process_time_ns() - start) / calls)
            base = float(np.median(times["float32"]))
            shown = [f"{base / float(np.median(times[name])):.2f} x" for name in sessions]
            print(
                f"{wide:5d} x {out:<5d}           {rows:5d}  " + "".join(f"{s:>22s}" for s in shown)
            )


FORMS = {
    "float32": lambda raw, _ours: raw,
    "int8": lambda _raw, ours: with_signed_weights(ours),
    "int8, session option": lambda _raw, ours: with_signed_weights(ours),
    "uint8": lambda _raw, ours: ours,
}


def demo() -> None:
    """Print sizes, speeds and accuracy of the demo's representative candidate in int8."""
    bench, candidate = demo_candidate()
    raw = to_onnx(candidate.module, candidate.family.example(candidate.config))
    drawn = bench.material.examples(Rows(split="calibration"), 0)
    calibration = [drawn.batch(np.arange(512)).inputs]
    gate = bench.material.split("gate")
    rows = [gate.inputs(part) for part in gate.batches(64)]
    order = np.concatenate(list(gate.batches(64)))
    places = np.array(select_rows(bench.rows, "gate"))[order]
    labels = np.array([bench.rows.labels[place] for place in places]) == "unsafe"
    float32 = OnnxModule(raw)
    base = scores(float32, rows)
    print(f"\nthe demo's representative candidate, {len(labels):,} images, batch 64, one thread")
    print("form                         bytes  x faster (95 %)       accuracy  decisions changed")
    print(f"float32               {len(raw):12,}  1                    {right(base, labels)}  -")
    for kind in ("dynamic", "static"):
        ours = int8(raw, kind=kind, calibration=calibration if kind == "static" else ())
        for name, made in (("int8", with_signed_weights(ours)), ("uint8", ours)):
            module = OnnxModule(made)
            found = scores(module, rows)
            changed = int(((found >= 0.5) != (base >= 0.5)).sum())
            print(
                f"{kind + ', ' + name:20s}  {len(made):12,}  {speed(float32, module, rows[0]):19s}"
                f"  {right(found, labels)}  {changed}",
                flush=True,
            )


def demo_candidate() -> tuple[Any, Any]:
    """The demo's context and its candidate of representative data, made if need be."""
    cache = default_cache()
    space = prepare_demo(cache, seed=0, sizes=scaled(1.0), epochs=4, progress=lambda *_: None)
    source = read_policy(space.policies["representative"])
    bench = set_up(source, Settings(seed=0, batch=64))
    folder = cache / "eight-bits"
    if not (folder / "surgery.json").exists():
        bench.make(source.policy.compress, folder)
    return bench, read_candidate(folder)


def speed(one: OnnxModule, other: OnnxModule, inputs: dict[str, torch.Tensor]) -> str:
    """How many times less CPU time the other takes, with its interval."""
    ratio = measure(one, other, inputs, batch=64, rounds=8, seconds=6.0).cpu_ratio
    assert ratio is not None
    return f"{1 / ratio.value:.2f} ({1 / ratio.high:.2f} to {1 / ratio.low:.2f})"


def scores(module: OnnxModule, rows: list[dict[str, torch.Tensor]]) -> Any:
    """The positive class's probability of every row."""
    with torch.inference_mode():
        return np.concatenate(
            [module(**part).logits.double().softmax(-1)[:, 1].numpy() for part in rows]
        )


def right(found: Any, labels: Any) -> str:
    """The share of right decisions."""
    return f"{((found >= 0.5) == labels).mean():8.2%}"


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="products only")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(", ".join(processor().facts().values()))
    products()
    if not chosen.quick:
        demo()
    return 0


if __name__ == "__main__":
    sys.exit(main())
