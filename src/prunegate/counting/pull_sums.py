"""Pull sums: what is kept of a statistic of ranks, so that two models' values can be compared.

Average precision and rank correlation are no means of a number that a row has by itself: where a
row comes in the order tells on the others too. To first order they are one all the same. By how
much the value would change if a row counted a little more is that row's *pull* (the infinitesimal
jackknife, or empirical influence function); a row's feature is its share of the value and its pull,
features add up to the value, and they spread as the value does from sample to sample. So what is
kept is what is kept of means, and besides it the most that a row can do that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from prunegate.counting.feature_sums import FeatureSums

ZERO = Fraction(0)


@dataclass(frozen=True, kw_only=True)
class PullSums:
    """Sums over units (rows, or groups of rows) of their features and of products of these."""

    moments: FeatureSums
    """Of change, baseline and weight; the weights add up to the rows that the value averages."""
    squares: tuple[int, ...]
    """For each kind of row (positives and negatives, or all): the sum of the squares of how many a
    unit has."""
    rows: tuple[int, ...]
    """For each kind: the rows."""
    falls: tuple[Fraction, ...]
    """For each kind: the most that a value, times the weights' sum, can lose by one more row."""
    own: tuple[Fraction, Fraction] = (ZERO, ZERO)
    """What baseline and candidate owe, times the weights' sum, to rows counting for themselves."""

    @classmethod
    def none(cls, kinds: int) -> PullSums:
        """Of no rows."""
        nought = (0,) * kinds
        return cls(moments=FeatureSums(), squares=nought, rows=nought, falls=(ZERO,) * kinds)

    @property
    def weighing(self) -> tuple[float, ...]:
        """For each kind, as many units with equally many of its rows as these weigh (Kish)."""
        pairs = zip(self.rows, self.squares, strict=True)
        return tuple(rows * rows / square if square else 0.0 for rows, square in pairs)
