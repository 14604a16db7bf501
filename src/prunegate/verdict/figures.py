"""Figures: the operational side of a candidate (latency, size, cost) as rules see it.

Figures are not sampled rows: size and parameters are exact, prices are quoted or scaled, and times
come from a clock that may have been disturbed. A figure that cannot be trusted has ``unusable``
set, and a rule on it is inconclusive, never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.cost.measurement import Interval, Measurements, is_evidence, steady
from prunegate.cost.projection import Projection
from prunegate.policy.catalogue import METRICS, TIMED


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One operational metric of both models."""

    baseline: float | None
    candidate: float | None
    ratio: Interval | None = None
    """candidate / baseline with its interval, where it was estimated and not counted."""
    unusable: str = ""
    """Why the figure is no evidence; empty: it is."""


def figures(measurements: Measurements | None, cost: Projection | None) -> dict[str, Figure]:
    """Every operational metric that is known, by name."""
    found: dict[str, Figure] = {}
    if measurements is not None:
        found |= _measured(measurements)
    if cost is not None:
        found |= _costs(cost, measurements)
    return found


def _measured(measurements: Measurements) -> dict[str, Figure]:
    noisy = "" if is_evidence(measurements) else _noise(measurements.noise)
    found = {}
    for name, metric in METRICS.items():
        if metric.kind != "operational" or not hasattr(measurements.baseline, name):
            continue
        timed = name in TIMED
        found[name] = Figure(
            baseline=_number(getattr(measurements.baseline, name)),
            candidate=_number(getattr(measurements.candidate, name)),
            ratio=_time_ratio(name, measurements) if timed else None,
            unusable=noisy if timed else "",
        )
    return found


def _time_ratio(name: str, measurements: Measurements) -> Interval | None:
    """Paired rounds estimate the ratio of medians; the tails have no interval of their own."""
    return measurements.latency_ratio if name == "latency_p50_ms" else None


def _noise(noise: Interval | None) -> str:
    seen = (
        ""
        if noise is None
        else f" (the baseline against itself: {noise.low:.2f} to {noise.high:.2f})"
    )
    return f"the machine was too busy to time anything{seen}; measure again on a quiet one"


def _costs(cost: Projection, measurements: Measurements | None) -> dict[str, Figure]:
    per_1k = Figure(
        baseline=float(cost.cost_per_1k_baseline),
        candidate=float(cost.cost_per_1k_candidate),
        ratio=_price_ratio(cost),
        unusable=_price_noise(cost, measurements),
    )
    found = {"cost_per_1k": per_1k}
    if cost.months:
        last = cost.months[-1]
        found["monthly_cost"] = Figure(
            baseline=float(last.baseline),
            candidate=float(last.candidate),
            ratio=per_1k.ratio,
            unusable=per_1k.unusable,
        )
    return found


def _price_ratio(cost: Projection) -> Interval | None:
    if cost.price_candidate_low is None or cost.price_candidate_high is None:
        return None
    base = float(cost.price_baseline)
    low, value, high = (
        float(price) / base
        for price in (cost.price_candidate_low, cost.price_candidate, cost.price_candidate_high)
    )
    return Interval(value=value, low=low, high=high)


def _price_noise(cost: Projection, measurements: Measurements | None) -> str:
    """A price scaled by a ratio of CPU times is evidence only if CPU time was steady."""
    if cost.price_candidate_low is None or measurements is None:
        return ""
    noise = measurements.cpu_noise
    if is_evidence(measurements) if noise is None else steady(noise):
        return ""
    return _noise(noise or measurements.noise)


def _number(value: float | int | None) -> float | None:
    return None if value is None else float(value)
