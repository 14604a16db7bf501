"""How much faster a pruned ViT-B/16 runs, beside what its arithmetic allows; and on a busy machine.

python tests/benchmarks/speedups.py
python tests/benchmarks/speedups.py --quick

Random weights, 1,000 labels, torch float32, one thread; times do not depend on the values. 64 heads
of 144 are left, spread evenly, and in the second model 2,539 neurons of 3,072 in every layer: 61 M
parameters. Both are timed against the unpruned model in turns. The ratio of operations is the limit
of what pruning can give. Single images are timed again while other processes want every core:
either that run is refused, or its interval holds what the quiet one found.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from trained.fresh import fresh

from prunegate.cost.flops import flops
from prunegate.cost.measure import cores, load_average, measure
from prunegate.cost.measurement import Estimate95, Measurements, is_evidence
from prunegate.models.cut import cut

CONFIG = {"architectures": ["ViTForImageClassification"], "num_labels": 1000}
HEADS = [6, 5, 5] * 4
"""64 in 12 layers."""
NEURONS = 2539
BURN = "while True: pass"


@dataclass(frozen=True)
class Case:
    """A pruned model."""

    name: str
    module: nn.Module


def pruned(*, neurons: bool) -> Case:
    """The model with 64 heads, and with fewer neurons if asked for."""
    model = fresh(CONFIG, 0)
    cut(model.family, model.module, "heads", [range(count) for count in HEADS])
    if neurons:
        cut(model.family, model.module, "neurons", [range(NEURONS)] * len(HEADS))
    return Case("61 M" if neurons else "64 heads", model.module)


def parameters(module: nn.Module) -> int:
    """All of them."""
    return sum(parameter.numel() for parameter in module.parameters())


def faster(ratio: Estimate95 | None) -> str:
    """A ratio of times as a speed-up."""
    if ratio is None:
        return "-"
    return f"{1 / ratio.value:.3f} ({1 / ratio.high:.3f} to {1 / ratio.low:.3f})"


def itself(ratio: Estimate95 | None) -> str:
    """The baseline against itself."""
    return "-" if ratio is None else f"{ratio.low:.3f} to {ratio.high:.3f}"


@contextmanager
def company() -> Iterator[None]:
    """Other processes that want every core, for the length of a context."""
    burning = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(cores())]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


def show(name: str, batch: int, limit: float | None, found: Measurements) -> None:
    """One line."""
    allowed = "" if limit is None else f"{limit:.3f}"
    verdict = "evidence" if is_evidence(found) else "refused"
    print(
        f"{name:14} {batch:>5}  {allowed:>7}  {faster(found.cpu_ratio):24} "
        f"{faster(found.latency_ratio):24} {itself(found.noise):15} "
        f"{itself(found.cpu_noise):15} {verdict}",
        flush=True,
    )


def holds(interval: Estimate95 | None, value: Estimate95 | None) -> bool:
    """Whether a busy run's interval holds a quiet run's estimate."""
    return (
        interval is not None and value is not None and interval.low <= value.value <= interval.high
    )


def again(baseline: nn.Module, case: Case, seconds: float, quiet: Measurements) -> None:
    """The same on a busy machine, and what it says about the quiet run's ratio."""
    inputs = {"pixel_values": torch.randn(1, 3, 224, 224)}
    with company():
        busy = measure(baseline, case.module, inputs, batch=1, seconds=2 * seconds)
    show("  cores busy", 1, None, busy)
    print(
        f"  refused: {not is_evidence(busy)}; wall interval holds the quiet run's ratio: "
        f"{holds(busy.latency_ratio, quiet.latency_ratio)}; CPU interval: "
        f"{holds(busy.cpu_ratio, quiet.cpu_ratio)}; load {busy.environment['load_after']}",
        flush=True,
    )


def main() -> None:
    """Print a line a model and batch, and for single images one of the busy machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds a line, batch 1 alone")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8], help="images a call")
    parser.add_argument("--rounds", type=int, default=20, help="a line; six at least")
    parser.add_argument("--seconds", type=float, default=20.0, help="a line, or one call a turn")
    chosen = parser.parse_args()
    batches = [1] if chosen.quick else chosen.batch
    seconds = 8.0 if chosen.quick else chosen.seconds
    baseline = fresh(CONFIG, 0).module
    pixels = torch.randn(8, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    cases = [pruned(neurons=False), pruned(neurons=True)]
    one = {"pixel_values": pixels[:1]}
    whole = flops(baseline, one)
    print(f"load at the start {load_average():.2f} on {cores()} cores, {seconds:g} s a line")
    print(f"unpruned: {parameters(baseline):,} parameters, {whole / 1e9:.2f} GFLOPs an image")
    for case in cases:
        operations = flops(case.module, one) / 1e9
        print(f"{case.name}: {parameters(case.module):,} parameters, {operations:.2f} GFLOPs")
    print(
        f"{'':14} batch  limit    {'CPU time, x faster':24} {'wall time, x faster':24} "
        f"{'wall A/A':15} {'CPU A/A':15}"
    )
    for batch in batches:
        for case in cases:
            limit = whole / flops(case.module, one)
            inputs = {"pixel_values": pixels}
            how = {"batch": batch, "rounds": chosen.rounds}
            quiet = measure(baseline, case.module, inputs, **how, seconds=seconds)
            show(case.name, batch, limit, quiet)
            if batch == 1:
                again(baseline, case, seconds, quiet)
    print(f"load at the end {load_average():.2f}")


if __name__ == "__main__":
    main()
