"""Root mean squares: the root of a mean squared error, by the test of the mean itself.

A limit on the root is one on its square, and a ratio of roots one of squares, exactly. That the
candidate's root is above the baseline's by no more than a margin is a statement about both squares
and the baseline's root, which is linearised at its estimate (the delta method).
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from prunegate.evidence.mean_loss import MeanLoss
from prunegate.evidence.mean_value import Weights
from prunegate.metrics.hypothesis import Contrast, Difference, Level, SuccessRatio
from prunegate.stats.result import Interval, TestResult

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, kw_only=True)
class RootMean(MeanLoss):
    """The root of the mean of a row's squared error."""

    @property
    def baseline(self) -> Fraction | None:
        return None if self._squares is None else -self._squares[0][1]

    @property
    def candidate(self) -> Fraction | None:
        return None if self._squares is None else -self._squares[1][1]

    @property
    def _squares(self) -> tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]] | None:
        """Mean square and its root, of baseline and candidate; None: there are no rows."""
        change, before = self._per_weight(0), self._per_weight(1)
        if change is None or before is None:
            return None
        return (before, _root(before)), (before + change, _root(before + change))

    def _level(self, level: Level) -> TestResult:
        if level.limit <= 0:
            return super()._level(level)
        never = TestResult(p_value=1.0, p_harm=0.0, method="no root is below zero")
        always = TestResult(p_value=0.0, p_harm=1.0, method="no root is below zero")
        return never if level.at_least else always

    def _above(self, limit: Fraction) -> Weights:
        return -ONE, -ONE, limit * limit

    def _against(self, contrast: Contrast) -> Weights:
        if isinstance(contrast, Difference):
            return self._linearised(contrast)
        assert not isinstance(contrast, SuccessRatio)  # noqa: S101  # lower is better: none of these
        k = contrast.ratio**2
        return (k if contrast.swapped else -ONE), k - 1, ZERO

    def _linearised(self, contrast: Difference) -> Weights:
        """Of a unit: how far the larger square stays below (root + margin)^2 of the smaller."""
        assert self._squares is not None  # noqa: S101  # contrasts are of defined values
        (_, before), (_, after) = self._squares
        root, margin = (after if contrast.swapped else before), contrast.margin
        if root + margin < 0:  # a gain that no root can have
            return ZERO, ZERO, -ONE
        slope = margin / root if root else ZERO
        constant = margin * root + margin * margin
        if contrast.swapped:
            return 1 + slope, slope, constant
        return -ONE, slope, constant

    def level_interval(self) -> Interval:
        found = self._interval((ONE, ONE, ZERO))
        low, high = (math.sqrt(max(end, 0.0)) for end in (found.low, found.high))
        return Interval(low=-high, high=-low, method=found.method)

    def change_interval(self) -> Interval:
        squares = self._squares
        if squares is None or not squares[0][1] or not squares[1][1]:
            return Interval(low=-math.inf, high=math.inf, method="t")
        (_, before), (_, after) = squares
        return self._interval(
            (-1 / (2 * after), 1 / (2 * before) - 1 / (2 * after), (before - after) / 2)
        )


def _root(square: Fraction) -> Fraction:
    return Fraction(math.sqrt(max(square, ZERO)))
