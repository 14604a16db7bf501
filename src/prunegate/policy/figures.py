"""Limits as people read them: ``85 %``, ``2 points``, ``$0.003``, ``50 MB``.

Exact: a limit is shown with every digit that the file gave it, because a rounded limit is another
limit. The spelling is that of ``text/quantities.py``, with spaces that break.
"""

from __future__ import annotations

from decimal import Decimal

from prunegate.metrics.catalogue import Metric
from prunegate.policy.schema import ErrorRatio, Relative
from prunegate.text.numbers import exact, plain
from prunegate.text.quantities import Quantity


def level(value: float, metric: Metric, currency: str = "") -> str:
    """A limit on the metric's value, with its unit."""
    return plain(_quantity(metric, currency).allowed_level(value))


def change(margin: float | Relative, metric: Metric, currency: str = "") -> str:
    """A change of the metric: in points for shares, else in its unit, or relative."""
    if isinstance(margin, Relative):
        return f"{exact(margin.relative, 2)} % of the baseline's value"
    return plain(_quantity(metric, currency).allowed_change(margin))


def errors(margin: ErrorRatio) -> str:
    """How many errors a growth of the error rate allows, against the baseline's.

    >>> errors(ErrorRatio(error_ratio=0.5))
    "1.5 times the baseline's errors"
    """
    times = Decimal(repr(margin.error_ratio)) + 1
    return f"{exact(float(times))} times the baseline's errors"


def _quantity(metric: Metric, currency: str) -> Quantity:
    return Quantity(kind=metric.kind, unit=metric.unit, currency=currency)
