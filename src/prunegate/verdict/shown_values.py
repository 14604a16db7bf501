"""Shown values: what a finding tells of its evidence, in the metric's own direction."""

from __future__ import annotations

import math
from fractions import Fraction

from prunegate.evidence.rates import Evidence
from prunegate.metrics.metric import Metric


def change_or_level(
    about: Evidence, metric: Metric, *, level: bool
) -> tuple[float | None, float | None]:
    """The displayed 95 % interval, in the metric's own direction; None where it has no end.

    Args:
        about: what the rows say.
        metric: of which metric.
        level: of the candidate's value; else of the change.
    """
    found = about.level_interval() if level else about.change_interval()
    low, high = found.low, found.high
    if metric.lower_is_better:
        start = float(metric.whole) if level else 0.0
        low, high = start - high, start - low
    return (low if math.isfinite(low) else None), (high if math.isfinite(high) else None)


def shown_value(value: Fraction | None, metric: Metric) -> float | None:
    """A turned value as the metric's own."""
    return None if value is None else float(metric.turned(value))


def shown_difference(about: Evidence, metric: Metric) -> float | None:
    """Candidate - baseline, in the metric's own direction."""
    if about.baseline is None or about.candidate is None:
        return None
    change = about.candidate - about.baseline
    return float(-change if metric.lower_is_better else change)
