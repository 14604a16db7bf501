"""Figures: the operational side of a candidate (latency, size, cost) as rules see it.

Figures are not sampled rows: size and parameters are exact, prices are quoted or scaled, and times
come from a clock that may have been disturbed. A figure that cannot be trusted has ``unusable``
set, and a rule on it is inconclusive, never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from prunegate.cost.measurement import Estimate95, Measurements, is_evidence
from prunegate.cost.projection import Projection
from prunegate.cost.tariff import RENTED, steady_enough
from prunegate.metrics.catalogue import METRICS, priced
from prunegate.text.said import said


@dataclass(frozen=True, kw_only=True)
class OperationalFigure:
    """One operational metric of both models."""

    baseline: float | None
    candidate: float | None
    ratio: Estimate95 | None = None
    """candidate / baseline with its interval, where it was estimated and not counted."""
    interval: Estimate95 | None = None
    """The candidate's own interval, where a level of it was estimated."""
    unusable: str = ""
    """Why the figure is no evidence; empty: it is."""
    remark: str = ""
    """What the number alone does not say."""


def operational_figures(
    measurements: Measurements | None, cost: Projection | None, unpriced: str = ""
) -> dict[str, OperationalFigure]:
    """Every operational metric that is known, by name; ``unpriced`` says why there is no cost."""
    found: dict[str, OperationalFigure] = {}
    if unpriced:
        unknown = OperationalFigure(baseline=None, candidate=None, unusable=unpriced)
        found |= dict.fromkeys(priced(), unknown)
    if measurements is not None:
        found |= _measured(measurements)
    if cost is not None:
        found |= _costs(cost, measurements)
    return found


def _measured(measurements: Measurements) -> dict[str, OperationalFigure]:
    noisy = "" if is_evidence(measurements) else _noise(measurements.noise)
    found = {}
    for name, metric in METRICS.items():
        if not metric.operational or not hasattr(measurements.baseline, name):
            continue
        timed, restless = metric.timed, noisy or _while_generating(name, measurements)
        found[name] = OperationalFigure(
            baseline=_number(getattr(measurements.baseline, name)),
            candidate=_number(getattr(measurements.candidate, name)),
            ratio=_time_ratio(name, measurements) if timed else None,
            unusable=restless if timed else "",
        )
    return found


def _while_generating(name: str, measurements: Measurements) -> str:
    """Why a figure of generating is no evidence: its rounds are its own, and so is their noise."""
    timing = measurements.generation
    if timing is None or timing.quiet:
        return ""
    noise = {"ttft_ms": timing.ttft_noise, "tpot_ms": timing.tpot_noise}
    return _noise(noise[name]) if name in noise else ""


def _time_ratio(name: str, measurements: Measurements) -> Estimate95 | None:
    """Paired rounds estimate the ratio of medians; the tails have no interval of their own."""
    ratios = {"latency_p50_ms": measurements.latency_ratio}
    timing = measurements.generation
    if timing is not None:
        ratios |= {"ttft_ms": timing.ttft_ratio, "tpot_ms": timing.tpot_ratio}
    return ratios.get(name)


def _noise(noise: Estimate95 | None) -> str:
    if noise is None:
        return said("note.busy")
    return said("note.busy_noise", low=noise.low, high=noise.high)


def _costs(cost: Projection, measurements: Measurements | None) -> dict[str, OperationalFigure]:
    noise = _price_noise(cost, measurements)
    low, high = _per_1k_ends(cost)
    found = {
        "cost_per_1k": _bill(
            (cost.cost_per_1k_baseline, cost.cost_per_1k_candidate, low, high), noise
        )
    }
    if cost.months:
        last = cost.months[-1]
        amounts = (last.baseline, last.candidate, last.candidate_low, last.candidate_high)
        found["monthly_cost"] = _bill(amounts, noise)
        found["saving"] = OperationalFigure(
            baseline=None,
            candidate=float(last.cumulative),
            interval=_interval(last.cumulative_low, last.cumulative, last.cumulative_high),
            unusable=noise,
        )
        found["break_even_month"] = _break_even(cost, noise)
    return found


def _bill(
    amounts: tuple[str | None, str | None, str | None, str | None], noise: str
) -> OperationalFigure:
    """One amount of both models, the candidate's with the ends of its interval."""
    before, after, low, high = amounts
    interval = _interval(low, after, high)
    base = None if before is None else float(before)
    return OperationalFigure(
        baseline=base,
        candidate=None if after is None else float(after),
        ratio=_over(interval, base) if interval and base else None,
        interval=interval,
        unusable=noise if after is not None else _NO_VOLUME,
    )


def _break_even(cost: Projection, noise: str) -> OperationalFigure:
    """The month; where it lies beyond the projection, the one after, which no limit allows."""
    last = cost.months[-1]
    beyond = last.month + 1
    month = cost.break_even or beyond
    ends = None
    if last.cumulative_low is not None:
        early, late = cost.break_even_early or beyond, cost.break_even_late or beyond
        ends = Estimate95(value=float(month), low=float(early), high=float(late))
    return OperationalFigure(
        baseline=None,
        candidate=float(month),
        interval=ends,
        unusable=noise,
        remark="" if cost.break_even else said("note.not_within", months=last.month),
    )


_NO_VOLUME = "the last month has no inferences, so there is no cost per inference"


def _per_1k_ends(cost: Projection) -> tuple[str | None, str | None]:
    """Older records have the ends of the price alone."""
    low, high = cost.cost_per_1k_candidate_low, cost.cost_per_1k_candidate_high
    if low is None and cost.price_candidate_low and cost.price_candidate_high:
        ends = (cost.price_candidate_low, cost.price_candidate_high)
        low, high = (str(1000 * Decimal(price)) for price in ends)
    return low, high


def _interval(low: str | None, value: str | None, high: str | None) -> Estimate95 | None:
    if low is None or value is None or high is None:
        return None
    return Estimate95(value=float(value), low=float(low), high=float(high))


def _over(interval: Estimate95, base: float) -> Estimate95:
    return Estimate95(
        value=interval.value / base, low=interval.low / base, high=interval.high / base
    )


def _price_noise(cost: Projection, measurements: Measurements | None) -> str:
    """What was scaled or counted by a measurement is evidence only if the machine was steady."""
    if measurements is None or steady_enough(cost.basis, measurements):
        return ""
    return _noise(
        measurements.noise if cost.basis == RENTED else measurements.cpu_noise or measurements.noise
    )


def _number(value: float | int | None) -> float | None:
    return None if value is None else float(value)
