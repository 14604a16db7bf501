"""ViT-B/16 on a GPU: 86 M parameters against 64 heads and 61 M, in float32, float16 and int8.

python tests/benchmarks/accelerator.py [--batch 1 8 64] [--per-hour 2.50]
python tests/benchmarks/accelerator.py --device cpu --tiny

Random weights, 1,000 labels; times do not depend on the values. Every model is timed against the
unpruned one in float32, in turns, each call ended by a synchronisation. With a price of the card
per hour, what a thousand images cost. The table is printed as it goes into
docs/compression.md, under the card's name. ``--tiny`` has two layers and shows that it runs.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from speedups import CONFIG, HEADS, NEURONS
from torch import nn
from trained.fresh import fresh

from prunegate.compress.quantize import quantize
from prunegate.cost.measure import measure
from prunegate.cost.measurement import Estimate95, Measurements, is_evidence
from prunegate.errors import MeasurementError
from prunegate.models.cut import cut
from prunegate.models.load import LoadedModel
from prunegate.policy.steps import Quantize

TINY = {
    **CONFIG,
    "image_size": 32,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 32,
}
HEAD = (
    "| model | numbers | parameters | batch | latency, ms | x faster (95 %) | A/A | 1,000 images |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Case:
    """One model as it is timed."""

    name: str
    numbers: str
    module: nn.Module
    parameters: int


def models(*, tiny: bool) -> Iterator[tuple[str, LoadedModel]]:
    """The unpruned model, with fewer heads, and with fewer neurons too."""
    config, heads, neurons = (TINY, [2, 1], 24) if tiny else (CONFIG, HEADS, NEURONS)
    kept = {"heads": [range(count) for count in heads], "neurons": [range(neurons)] * len(heads)}
    for name, kinds in (("unpruned", ()), ("64 heads", ("heads",)), ("61 M", tuple(kept))):
        model = fresh(config, 0)
        for kind in kinds:
            cut(model.family, model.module, kind, kept[kind])
        yield name, model


def cases(*, tiny: bool) -> Iterator[Case]:
    """Each of them in each kind of numbers."""
    for name, model in models(tiny=tiny):
        count = sum(one.numel() for one in model.module.parameters())
        example = model.family.example(model.config)
        whole, _ = quantize(deepcopy(model.module), Quantize(engine="torch"), example)
        for numbers, module in (
            ("float32", model.module),
            ("float16", deepcopy(model.module).half()),
            ("int8", whole),
        ):
            yield Case(name, numbers, module.eval(), count)


def line(case: Case, batch: int, found: Measurements, price: float | None) -> str:
    """One row of the table."""
    latency = found.candidate.latency_p50_ms
    ratio = found.latency_ratio
    faster = "-" if ratio is None else _inverse(ratio)
    noise = found.noise
    same = "-" if noise is None else f"{noise.low:.3f} to {noise.high:.3f}"
    same += "" if is_evidence(found) else " (busy)"
    cost = "" if price is None or latency is None else f"${price / 3600 * latency / batch:.5f}"
    told = "-" if latency is None else f"{latency:.3f}"
    head = f"| {case.name} | {case.numbers} | {case.parameters:,} | {batch} "
    return f"{head}| {told} | {faster} | {same} | {cost} |"


def _inverse(ratio: Estimate95) -> str:
    return f"{1 / ratio.value:.2f} ({1 / ratio.high:.2f} to {1 / ratio.low:.2f})"


def timed(baseline: nn.Module, case: Case, batch: int, pixels: torch.Tensor, how: Any) -> str:
    """A row, or why there is none."""
    given = {"pixel_values": pixels}
    half = {"pixel_values": pixels.half()} if case.numbers == "float16" else None
    module = case.module.to(pixels.device)
    try:
        found = measure(
            baseline, module, given, candidate_inputs=half, batch=batch, seconds=how.seconds
        )
    except MeasurementError as error:
        return f"| {case.name} | {case.numbers} | {case.parameters:,} | {batch} | {error} | | | |"
    return line(case, batch, found, how.per_hour)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=10.0, help="a row")
    parser.add_argument("--per-hour", type=float, help="price of the card, dollars")
    parser.add_argument("--tiny", action="store_true", help="that it runs, and no more")
    chosen = parser.parse_args()
    device = torch.device(chosen.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("torch sees no GPU here, so nothing was timed; --device cpu times the CPU")
        return
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{card}, torch {torch.__version__}\n")
    print(*HEAD, sep="\n", flush=True)
    side = TINY["image_size"] if chosen.tiny else 224
    chance = torch.Generator().manual_seed(0)
    pixels = torch.randn(max(chosen.batch), 3, side, side, generator=chance).to(device)
    made = list(cases(tiny=chosen.tiny))
    baseline = deepcopy(made[0].module).to(device)
    for batch in chosen.batch:
        for case in made:
            print(timed(baseline, case, batch, pixels, chosen), flush=True)
            case.module.to("cpu")


if __name__ == "__main__":
    main()
