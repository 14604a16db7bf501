"""How much smaller and faster int8 makes a ViT, pruned and unpruned, in torch and in onnxruntime.

python tests/benchmarks/smaller.py           ViT-B/16 with 1,000 labels, then the demo's geometry
python tests/benchmarks/smaller.py --quick   the demo's geometry only

Random weights. Size is that of model.safetensors or model.onnx, against the unpruned float32 model
of the same engine. Time is process CPU time of one image on one thread, interleaved with that same
model: so speed is never credited to a change of engine. Printed, never asserted.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import copy
import sys
from dataclasses import dataclass
from typing import Any

import safetensors.torch
import torch
from torch import nn

from prunegate.compress.export import to_onnx
from prunegate.compress.quantize_onnx import int8
from prunegate.cost.measure import measure
from prunegate.cost.measurement import steady
from prunegate.models.int8 import int8_state, quantize_module
from prunegate.models.kept_units import KeptUnits
from prunegate.models.onnx_module import OnnxModule
from prunegate.models.vit import FAMILY

Units = tuple[int, ...]


@dataclass(frozen=True)
class Geometry:
    """A ViT and what to keep of each layer: heads (repeated over the layers) and neurons."""

    name: str
    config: dict[str, Any]
    keep: dict[str, tuple[Units, int]]
    seconds: float


def vit(**changes: Any) -> dict[str, Any]:
    """A config with as many labels as ``labels`` says."""
    labels = changes.pop("labels")
    names = {str(i): f"label {i}" for i in range(labels)}
    back = {name: int(i) for i, name in names.items()}
    return {"model_type": "vit", "id2label": names, "label2id": back, **changes}


BASE = Geometry(
    "ViT-B/16, 1,000 labels",
    vit(
        labels=1000,
        image_size=224,
        patch_size=16,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
    ),
    {
        "unpruned": ((12,), 3072),
        "64 heads, 2,539 neurons": ((5, 5, 6), 2539),
        "3 heads, 768 neurons": ((3,), 768),
    },
    20.0,
)
DEMO = Geometry(
    "the demo's geometry",
    vit(
        labels=2,
        image_size=32,
        patch_size=8,
        hidden_size=96,
        num_hidden_layers=6,
        num_attention_heads=6,
        intermediate_size=192,
    ),
    {
        "unpruned": ((6,), 192),
        "3 heads, 96 neurons": ((3,), 96),
        "1 head, 32 neurons": ((1,), 32),
    },
    2.0,
)


def build(geometry: Geometry, heads: Units, neurons: int) -> nn.Module:
    """A model of random weights, with so many heads and neurons left in each layer."""
    layers = geometry.config["num_hidden_layers"]
    kept = KeptUnits.whole(
        {"heads": [heads[i % len(heads)] for i in range(layers)], "neurons": [neurons] * layers}
    )
    module = FAMILY.skeleton(geometry.config, kept)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.02)
    return module


def images(geometry: Geometry) -> dict[str, torch.Tensor]:
    """Two random images."""
    side = geometry.config["image_size"]
    generator = torch.Generator().manual_seed(1)
    return {"pixel_values": torch.randn((2, 3, side, side), generator=generator)}


def in_torch(module: nn.Module, kind: str) -> tuple[nn.Module, int]:
    """The module of a kind, and the bytes it is stored in."""
    if kind != "float32":
        module = copy.deepcopy(module)
        quantize_module(module, kind=kind)  # type: ignore[arg-type]
    return module, len(safetensors.torch.save(int8_state(module)))


def in_onnx(raw: bytes, kind: str, inputs: dict[str, torch.Tensor]) -> tuple[nn.Module, int]:
    """The same for onnxruntime."""
    if kind != "float32":
        rows = [inputs] if kind == "static" else []
        raw = int8(raw, kind=kind, calibration=rows)  # type: ignore[arg-type]
    return OnnxModule(raw), len(raw)


KINDS = {
    "torch": ("float32", "dynamic", "weight_only"),
    "onnxruntime": ("float32", "dynamic", "static", "weight_only"),
}


def table(geometry: Geometry, engine: str) -> None:
    """Print one line per pruning and kind."""
    print(f"\n{geometry.name}, {engine}")
    print("kept                     numbers             bytes  x smaller  x faster (95 %)")
    inputs = images(geometry)
    first: tuple[nn.Module, int] | None = None
    for name, (heads, neurons) in geometry.keep.items():
        module = build(geometry, heads, neurons)
        raw = to_onnx(module, inputs) if engine == "onnxruntime" else b""
        for kind in KINDS[engine]:
            made = in_onnx(raw, kind, inputs) if raw else in_torch(module, kind)
            first = first or made
            smaller = f"{made[1]:12,}  {first[1] / made[1]:9.2f}"
            faster = speed(first[0], made[0], inputs, geometry.seconds)
            print(f"{name:24s} {kind:12s} {smaller}  {faster}", flush=True)


def speed(
    first: nn.Module, other: nn.Module, inputs: dict[str, torch.Tensor], seconds: float
) -> str:
    """How many times less CPU time the other model takes, with its interval."""
    timed = measure(first, other, inputs, rounds=8, seconds=seconds)
    ratio, noise = timed.cpu_ratio, timed.cpu_noise
    assert ratio is not None
    assert noise is not None
    mark = "" if steady(noise) else "  (noisy)"
    return f"{1 / ratio.value:5.2f} ({1 / ratio.high:.2f} to {1 / ratio.low:.2f}){mark}"


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the demo's geometry")
    parser.add_argument("--engines", nargs="+", choices=KINDS, default=list(KINDS))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for geometry in (DEMO,) if chosen.quick else (BASE, DEMO):
        for engine in chosen.engines:
            table(geometry, engine)
    return 0


if __name__ == "__main__":
    sys.exit(main())
