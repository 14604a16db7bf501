"""Metrics: which rows of the eight joint counts each named metric is about.

One line per metric. Rates whose better direction is *lower* are given as their complement (the
false positive rate as specificity); the verdict turns them back for people.
"""

from __future__ import annotations

from collections.abc import Callable

from prunegate.errors import UnsupportedError
from prunegate.evaluation.evidence import Evidence, OverlappingRate, PairedRate, SingleRate
from prunegate.evaluation.slices import Cells


def evidence(metric: str, cells: Cells) -> Evidence:
    """What the joint counts of one slice say about a metric.

    Raises:
        UnsupportedError: the metric is not computed from binary decisions.
    """
    try:
        return _METRICS[metric](cells)
    except KeyError:
        known = ", ".join(sorted(_METRICS))
        raise UnsupportedError(
            f"metric '{metric}' cannot be computed from binary decisions; these can: {known}"
        ) from None


def _recall(n: Cells) -> Evidence:
    return PairedRate(both=n[7], lost=n[6], gained=n[5], neither=n[4])


def _specificity(n: Cells) -> Evidence:
    return PairedRate(both=n[0], lost=n[1], gained=n[2], neither=n[3])


def _accuracy(n: Cells) -> Evidence:
    return PairedRate(both=n[7] + n[0], lost=n[6] + n[1], gained=n[5] + n[2], neither=n[4] + n[3])


def _negative_flips(n: Cells) -> Evidence:
    rows, lost, gained = sum(n), n[6] + n[1], n[5] + n[2]
    return SingleRate(good=rows - lost, n=rows, lost=lost, gained=gained)


def _churn(n: Cells) -> Evidence:
    rows, lost, gained = sum(n), n[6] + n[1], n[5] + n[2]
    return SingleRate(good=rows - lost - gained, n=rows, lost=lost, gained=gained)


_METRICS: dict[str, Callable[[Cells], Evidence]] = {
    "recall": _recall,
    "specificity": _specificity,
    "false_positive_rate": _specificity,
    "accuracy": _accuracy,
    "precision": lambda n: OverlappingRate(cells=n, f1=False),
    "f1": lambda n: OverlappingRate(cells=n, f1=True),
    "negative_flip_rate": _negative_flips,
    "churn": _churn,
}
