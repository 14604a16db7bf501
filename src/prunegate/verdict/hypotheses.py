"""From a rule's limit to the hypothesis it states about success rates.

A policy speaks of the metric as people know it; the statistics want every rate turned so that
larger is better. This file is the whole translation, and nothing else knows it.
"""

from __future__ import annotations

from fractions import Fraction

from prunegate.errors import UnsupportedError
from prunegate.evaluation.hypothesis import (
    Difference,
    ErrorRatio,
    Hypothesis,
    Level,
    SuccessRatio,
)
from prunegate.policy.catalogue import Metric
from prunegate.policy.model import ErrorRatio as ErrorMargin
from prunegate.policy.model import Relative

Limit = float | Relative | ErrorMargin


def exact(number: float) -> Fraction:
    """The number as it was written: 0.02 is 1/50, not the nearest double."""
    return Fraction(str(number))


def whole(metric: Metric) -> Fraction:
    """What a metric's value and its turned value add up to: 1 for rates, 0 for means."""
    return Fraction(0 if metric.kind == "mean" else 1)


def turned(value: Fraction, metric: Metric) -> Fraction:
    """The value turned so that larger is better, or back again."""
    return whole(metric) - value if metric.better == "lower" else value


def hypothesis(check: str, limit: Limit, metric: Metric) -> Hypothesis:
    """What a limit claims about values turned so that larger is better.

    Args:
        check: the rule field, for example ``max_drop``.
        limit: its value: a number, a share of the baseline, or growth of the error rate.
        metric: whose value is limited; where lower is better, it is an error (rate).
    """
    lower_is_better = metric.better == "lower"
    if check in ("at_least", "at_most"):
        level = exact(float(limit))  # type: ignore[arg-type]  # levels are numbers
        up = (check == "at_least") != lower_is_better
        return Level(limit=turned(level, metric), at_least=up)
    if isinstance(limit, ErrorMargin):
        return _of_errors(check, exact(limit.error_ratio))
    if isinstance(limit, Relative):
        share = exact(limit.relative)
        return _of_errors(check, share) if lower_is_better else _of_successes(check, share)
    if check == "max_ratio":
        return _of_errors("max_rise", exact(limit) - 1) if lower_is_better else _ratio_cap(limit)
    return _absolute(check, exact(limit))


def _absolute(check: str, margin: Fraction) -> Hypothesis:
    """Losses (a drop, or a rise of something bad) and gains are changes of the success rate."""
    if check == "min_gain":
        return Difference(margin=-margin)
    return Difference(margin=margin, swapped=check == "max_gain")


def _of_successes(check: str, share: Fraction) -> Hypothesis:
    """A margin as a share of the baseline's success rate."""
    if check == "min_gain":
        return SuccessRatio(ratio=1 + share)
    if check == "max_gain":
        return SuccessRatio(ratio=1 / (1 + share), swapped=True)
    return SuccessRatio(ratio=1 - share)


def _of_errors(check: str, share: Fraction) -> Hypothesis:
    """A margin as growth of the error rate."""
    if check == "min_gain":
        return ErrorRatio(ratio=1 - share)
    if check == "max_gain":
        if share >= 1:
            raise UnsupportedError("max_gain: error_ratio has to be below 1")
        return ErrorRatio(ratio=1 / (1 - share), swapped=True)
    return ErrorRatio(ratio=1 + share)


def _ratio_cap(limit: float) -> Hypothesis:
    return SuccessRatio(ratio=1 / exact(limit), swapped=True)
