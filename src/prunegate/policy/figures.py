"""Limits as people read them: ``85 %``, ``2 points``, ``USD 0.003``, ``50,000,000 bytes``.

Exact: a limit is shown with every digit that the file gave it, because a rounded limit is another
limit.
"""

from __future__ import annotations

from decimal import Decimal

from prunegate.metrics.catalogue import Metric
from prunegate.policy.model import ErrorRatio, Relative


def number(value: float, scale: int = 1) -> str:
    """The number times ``scale`` with all its digits and no noise.

    >>> number(0.07, scale=100), number(1200000.0)
    ('7', '1,200,000')
    """
    # repr gives the shortest digits that mean this float: 0.07 is 7 %, not 7.000000000000001 %
    exact = Decimal(repr(float(value))) * scale
    text = f"{exact:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def level(value: float, metric: Metric, currency: str = "") -> str:
    """A value of the metric with its unit."""
    if metric.share:
        return f"{number(value, 100)} %"
    if metric.unit == "money":
        return f"{currency} {number(value)}".strip()
    if metric.unit.startswith("/"):
        return f"{number(value)}{metric.unit}"
    return f"{number(value)} {metric.unit}".strip()


def change(margin: float | Relative, metric: Metric, currency: str = "") -> str:
    """A change of the metric: in points for shares, else in its unit, or relative."""
    if isinstance(margin, Relative):
        return f"{number(margin.relative, 100)} % of the baseline's value"
    if metric.share:
        points = number(margin, 100)
        return f"{points} point" if points == "1" else f"{points} points"
    return level(margin, metric, currency)


def errors(margin: ErrorRatio) -> str:
    """How many errors a growth of the error rate allows, against the baseline's.

    >>> errors(ErrorRatio(error_ratio=0.5))
    "1.5 times the baseline's errors"
    """
    times = Decimal(repr(margin.error_ratio)) + 1
    return f"{number(float(times))} times the baseline's errors"
