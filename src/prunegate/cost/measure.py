"""Measure: what two models cost to run, interleaved on one machine, in one engine.

Each round times baseline, candidate, baseline on the same inputs, so that a drifting machine hits
both; the two baselines against each other tell how quiet it was. CPU time of the process is kept
beside wall time, because a busy machine spoils the latter first. Nothing here knows files or
policies: models in, plain figures out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from torch import nn

from prunegate.cost.interval import FEWEST_ROUNDS, median_ratio
from prunegate.cost.machine import load, machine
from prunegate.cost.measurement import Interval, Measurements, ModelFigures, steady
from prunegate.cost.rounds import (
    Inputs,
    Round,
    Slot,
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

_FEWEST_CALLS = {50: 1, 95: 20, 99: 100}
"""Calls below which a percentile is just the slowest call, hence not reported."""


def measure(  # noqa: PLR0913  # the settings of one experiment, by keyword
    baseline: nn.Module,
    candidate: nn.Module,
    sample_inputs: Inputs,
    *,
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
    device = device_of(inputs)
    load_before = load()
    with settings(baseline, candidate, threads):
        runs = [runner(module, inputs, device) for module in (baseline, candidate)]
        calls = calls_per_slot(runs, rounds, seconds)
        taken = []
        for done in range(rounds):
            taken.append(take_round(runs[0], runs[1], calls))
            progress("measure", done + 1, rounds)
    noise = _ratio(taken, "after", "before", cpu=False)
    on_cpu = device.type == "cpu"
    return Measurements(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        engine=_engines(baseline, candidate, device),
        batch=batch,
        threads=threads,
        rounds=rounds,
        baseline=_figures([slot for r in taken for slot in (r.before, r.after)], batch, on_cpu),
        candidate=_figures([r.candidate for r in taken], batch, on_cpu),
        cpu_ratio=_ratio(taken, "candidate", "baseline", cpu=True) if on_cpu else None,
        latency_ratio=_ratio(taken, "candidate", "baseline", cpu=False),
        noise=noise,
        cpu_noise=_ratio(taken, "after", "before", cpu=True) if on_cpu else None,
        quiet=steady(noise),
        environment=machine(device, load_before, load()),
    )


def _engines(baseline: nn.Module, candidate: nn.Module, device: torch.device) -> str:
    """What the models ran in; two engines are told, because their ratio is none of pruning."""
    one, other = (engine_of(module) for module in (baseline, candidate))
    return f"{one} {device.type}" if one == other else f"{one} against {other} {device.type}"


def figures(
    *,
    digest: str | None = None,
    model_bytes: int | None = None,
    parameters: int | None = None,
    active_heads: int | None = None,
    peak_memory_bytes: int | None = None,
    flops: int | None = None,
) -> ModelFigures:
    """Return what is counted about a model, not timed."""
    return ModelFigures(
        digest=digest,
        model_bytes=model_bytes,
        parameters=parameters,
        active_heads=active_heads,
        peak_memory_bytes=peak_memory_bytes,
        flops=flops,
    )


def describe(
    timed: Measurements, *, baseline: ModelFigures, candidate: ModelFigures
) -> Measurements:
    """Add what is counted about the models (``figures``) to what was timed."""
    return replace(
        timed,
        baseline=_with_counts(timed.baseline, baseline),
        candidate=_with_counts(timed.candidate, candidate),
    )


def _with_counts(timed: ModelFigures, counted: ModelFigures) -> ModelFigures:
    return replace(
        timed,
        digest=counted.digest,
        model_bytes=counted.model_bytes,
        parameters=counted.parameters,
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


def _ratio(rounds: list[Round], over: str, under: str, *, cpu: bool) -> Interval:
    """Return the ratio of two parts of the rounds; ``baseline`` is the mean of its two slots."""
    return median_ratio(
        [_time(r, over, cpu) for r in rounds], [_time(r, under, cpu) for r in rounds]
    )


def _time(taken: Round, part: str, cpu: bool) -> float:
    slots = [taken.before, taken.after] if part == "baseline" else [getattr(taken, part)]
    return float(np.mean([slot.cpu if cpu else np.median(slot.calls) for slot in slots]))


def _figures(slots: list[Slot], batch: int, on_cpu: bool) -> ModelFigures:
    calls = np.concatenate([slot.calls for slot in slots])
    cpu = float(np.median([slot.cpu / len(slot.calls) for slot in slots]))
    return ModelFigures(
        latency_p50_ms=_percentile(calls, 50),
        latency_p95_ms=_percentile(calls, 95),
        latency_p99_ms=_percentile(calls, 99),
        throughput_per_s=_digits(batch * len(calls) / float(calls.sum())),
        cpu_ms=_digits(1000 * cpu / batch) if on_cpu else None,
    )


def _percentile(calls: np.ndarray[Any, np.dtype[np.float64]], share: int) -> float | None:
    """Return a latency in ms that this share of the calls stayed within (a call's, no average)."""
    if len(calls) < _FEWEST_CALLS[share]:
        return None
    return _digits(1000 * float(np.percentile(calls, share, method="inverted_cdf")))


def _digits(value: float) -> float:
    """Six digits: a clock gives no more."""
    return float(f"{value:.6g}")
