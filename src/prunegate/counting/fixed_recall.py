"""Fixed recall: what two models flag at thresholds with one recall, and what these may be.

Each model has a threshold of its own: the highest at which no fewer than the given share of the
slice's positives is flagged. That is a fixed rate the other way round (``fixed_rate.py``): with
scores reversed and the classes exchanged, the rows *left alone* are those that lie at or above a
threshold, no more than the rest of the positives may be among them, and the negatives among them
are counted at all pairs of thresholds that the positives leave possible.

Equal scores let a recall lie above the one that is asked for, by the positives that have the score
of the threshold. How many that may be follows from the most that are seen together there.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from prunegate.counting.fixed_rate import FixedRateCounts


def missed_at(recall: float) -> float:
    """The share of positives that may be missed at a recall, as it is written.

    >>> missed_at(0.9)
    0.1
    """
    return float(1 - Fraction(str(recall)))


@dataclass(frozen=True, kw_only=True)
class FixedRecallCounts:
    """Rows flagged at thresholds with one recall, and at what these may be."""

    alone: FixedRateCounts
    """Negatives that are left alone, by who does so; its ``negatives``, which the thresholds follow
    from, are the positives."""
    hits: tuple[int, int]
    """Positives that baseline and candidate flag, at the thresholds of these positives."""
    tied: tuple[int, int]
    """By baseline and candidate: the most positives of one score where its threshold may be."""

    @classmethod
    def none(cls) -> FixedRecallCounts:
        """Of no rows."""
        return cls(alone=FixedRateCounts.none(), hits=(0, 0), tied=(0, 0))
