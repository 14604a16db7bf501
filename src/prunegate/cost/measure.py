"""Measure: what two models cost to run, interleaved on one machine, in one engine.

Each round times baseline, candidate, baseline on the same inputs, so that a drifting machine hits
both; the two baselines against each other tell how quiet it was. CPU time of the process is kept
beside wall time, because a busy machine spoils the latter first. Nothing here knows files or
policies: models in, plain figures out.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from torch import nn

from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures, steady
from prunegate.cost.processor import processor
from prunegate.cost.rounds import (
    Inputs,
    Round,
    Run,
    Slot,
    Taken,
    calls_per_slot,
    device_of,
    runner,
    settings,
    take,
    take_round,
)
from prunegate.errors import MeasurementError
from prunegate.io.progress import Progress, silent
from prunegate.models.placement import engine_of


def machine(device: torch.device, load_before: float, load_after: float) -> dict[str, str]:
    """Describe the processor, its cores, the software, and how busy it was."""
    found = {
        **processor().facts(),
        "cores": str(cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_before": f"{load_before:.2f}",
        "load_after": f"{load_after:.2f}",
    }
    if device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
    return found


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_average() -> float:
    """Return the load average of the last minute: runnable processes, on average."""
    return os.getloadavg()[0]


FEWEST_ROUNDS = 6
"""With fewer, even the smallest and the largest round enclose the median in under 95 % of runs."""


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Estimate95:
    """Return the median of paired ratios with its 95 % two-sided interval, to six digits.

    >>> median_ratio([1, 2, 3, 4, 5, 6], [2] * 6)
    Interval(value=1.75, low=0.5, high=3.0)

    Raises:
        MeasurementError: fewer than six pairs, or a time that is not above zero.
    """
    pairs = list(zip(numerators, denominators, strict=True))
    if len(pairs) < FEWEST_ROUNDS:
        raise MeasurementError(
            f"{len(pairs)} rounds are too few; measure at least {FEWEST_ROUNDS}."
        )
    if not all(0 < x < math.inf and 0 < y < math.inf for x, y in pairs):
        raise MeasurementError(
            "a round took no time at all; measure longer rounds or larger batches."
        )
    ratios = sorted(x / y for x, y in pairs)
    rank = _rank(len(ratios))
    ends = (ratios[rank - 1], statistics.median(ratios), ratios[-rank])
    low, value, high = (float(f"{ratio:.6g}") for ratio in ends)
    return Estimate95(value=value, low=low, high=high)


def candidate_ratio(
    rounds: Sequence[Round[Taken]], time_of: Callable[[Taken], float]
) -> Estimate95:
    """The candidate's time over the mean of the baseline's two; raises as ``median_ratio``."""
    before = [float(np.mean([time_of(slot) for slot in one.baseline])) for one in rounds]
    return median_ratio([time_of(one.candidate) for one in rounds], before)


def noise_ratio(rounds: Sequence[Round[Taken]], time_of: Callable[[Taken], float]) -> Estimate95:
    """The baseline's second time over its first (A/A); raises as ``median_ratio``."""
    return median_ratio(
        [time_of(one.after) for one in rounds], [time_of(one.before) for one in rounds]
    )


def _rank(rounds: int) -> int:
    """Return the largest k with 2 P(Binomial(rounds, 1/2) < k) <= 5 %."""
    tail, rank = 0, 0
    # Integers, so that no rounding decides: 40 tail <= 2**rounds is 2 tail / 2**rounds <= 1/20.
    while 40 * (tail + math.comb(rounds, rank)) <= 2**rounds:
        tail += math.comb(rounds, rank)
        rank += 1
    return rank


_FEWEST_CALLS = {50: 1, 95: 20, 99: 100}
"""Calls below which a percentile is just the slowest call, hence not reported."""


def measure(  # noqa: PLR0913  # the settings of one experiment, by keyword
    baseline: nn.Module,
    candidate: nn.Module,
    sample_inputs: Inputs,
    *,
    candidate_inputs: Inputs | None = None,
    batch: int = 1,
    threads: int = 1,
    rounds: int = 20,
    seconds: float = 20.0,
    progress: Progress = silent,
) -> Measurements:
    """Time two models against each other.

    Args:
        baseline: Called as ``module(tensor)`` or ``module(**tensors)``, in evaluation mode.
        candidate: The same, on the same device.
        sample_inputs: Samples on the models' device; repeated if there are fewer than ``batch``.
        candidate_inputs: The same samples as the candidate takes them; None: as the baseline does.
        batch: Samples a call.
        threads: torch's threads; put back afterwards.
        rounds: At least six, for an interval.
        seconds: About how long to measure, all rounds together; every slot has one call at least.
        progress: Called with ("measure", rounds done, rounds).

    Returns:
        Timed figures. Latencies are per call, CPU time and throughput per sample. Percentiles that
        the number of calls cannot support are None, and so is all CPU time on a GPU.

    Raises:
        MeasurementError: settings without sense, or a model that cannot run on the inputs.
    """
    check_settings(batch=batch, threads=threads, rounds=rounds, seconds=seconds)
    inputs = take(sample_inputs, batch)
    others = inputs if candidate_inputs is None else take(candidate_inputs, batch)
    device = device_of(inputs)
    load_before = load_average()
    with settings(baseline, candidate, threads):
        runs = [runner(baseline, inputs, device), runner(candidate, others, device)]
        calls = calls_per_slot(runs, rounds, seconds)
        taken = _rounds(runs, calls, rounds, progress)
    timed = _Timed(rounds=taken, batch=batch, threads=threads, device=device)
    return timed.measurements(_engines(baseline, candidate, device), load_before)


def _rounds(runs: Sequence[Run], calls: int, rounds: int, progress: Progress) -> list[Round[Slot]]:
    """Take turns: baseline, candidate, baseline, so many calls each."""
    taken = []
    for done in range(rounds):
        taken.append(take_round(runs[0], runs[1], calls))
        progress("measure", done + 1, rounds)
    return taken


@dataclass(frozen=True, kw_only=True)
class _Timed:
    """Rounds that were taken, and what a call in them was."""

    rounds: Sequence[Round[Slot]]
    batch: int
    threads: int
    device: torch.device

    def measurements(self, engine: str, load_before: float) -> Measurements:
        """The figures of both models, and how quiet the machine was."""
        noise = noise_ratio(self.rounds, _latency)
        on_cpu = self._on_cpu
        return Measurements(
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            engine=engine,
            batch=self.batch,
            threads=self.threads,
            rounds=len(self.rounds),
            baseline=self._figures([slot for r in self.rounds for slot in r.baseline]),
            candidate=self._figures([r.candidate for r in self.rounds]),
            cpu_ratio=candidate_ratio(self.rounds, _cpu) if on_cpu else None,
            latency_ratio=candidate_ratio(self.rounds, _latency),
            noise=noise,
            cpu_noise=noise_ratio(self.rounds, _cpu) if on_cpu else None,
            quiet=steady(noise),
            environment=machine(self.device, load_before, load_average()),
        )

    @property
    def _on_cpu(self) -> bool:
        """Whether the process's CPU time is that of the models."""
        return self.device.type == "cpu"

    def _figures(self, slots: Sequence[Slot]) -> ModelFigures:
        calls = np.concatenate([slot.calls for slot in slots])
        cpu = float(np.median([slot.cpu / len(slot.calls) for slot in slots]))
        return ModelFigures(
            latency_p50_ms=_percentile(calls, 50),
            latency_p95_ms=_percentile(calls, 95),
            latency_p99_ms=_percentile(calls, 99),
            throughput_per_s=_digits(self.batch * len(calls) / float(calls.sum())),
            cpu_ms=_digits(1000 * cpu / self.batch) if self._on_cpu else None,
        )


def _engines(baseline: nn.Module, candidate: nn.Module, device: torch.device) -> str:
    """What the models ran in; two engines are told, because their ratio is none of pruning."""
    one, other = (engine_of(module) for module in (baseline, candidate))
    return f"{one} {device.type}" if one == other else f"{one} against {other} {device.type}"


def describe(
    timed: Measurements, *, baseline: ModelFigures, candidate: ModelFigures
) -> Measurements:
    """Add what is counted about the models to what was timed."""
    return replace(
        timed,
        baseline=_with_counts(timed.baseline, baseline),
        candidate=_with_counts(timed.candidate, candidate),
    )


def _with_counts(timed: ModelFigures, counted: ModelFigures) -> ModelFigures:
    return replace(
        timed,
        digest=counted.digest,
        files=counted.files,
        model_bytes=counted.model_bytes,
        parameters=counted.parameters,
        zeros=counted.zeros,
        quantized=counted.quantized,
        active_heads=counted.active_heads,
        peak_memory_bytes=counted.peak_memory_bytes,
        flops=counted.flops,
    )


def check_settings(*, batch: int, threads: int, rounds: int, seconds: float) -> None:
    """Refuse settings of an experiment that make no sense.

    Raises:
        MeasurementError: batch or threads below one, too few rounds for an interval, or a time that
            is not above zero (NaN is not).
    """
    if batch < 1 or threads < 1:
        raise MeasurementError(f"batch {batch}, threads {threads}: both have to be at least 1.")
    if rounds < FEWEST_ROUNDS:
        raise MeasurementError(f"{rounds} rounds are too few; measure at least {FEWEST_ROUNDS}.")
    if not 0 < seconds < 86_400:
        raise MeasurementError(f"{seconds} seconds: give a time above zero and below a day.")


def _cpu(slot: Slot) -> float:
    return slot.cpu


def _latency(slot: Slot) -> float:
    return float(np.median(slot.calls))


def _percentile(calls: np.ndarray[Any, np.dtype[np.float64]], share: int) -> float | None:
    """Return a latency in ms that this share of the calls stayed within (a call's, no average)."""
    if len(calls) < _FEWEST_CALLS[share]:
        return None
    return _digits(1000 * float(np.percentile(calls, share, method="inverted_cdf")))


def _digits(value: float) -> float:
    """Six digits: a clock gives no more."""
    return float(f"{value:.6g}")
