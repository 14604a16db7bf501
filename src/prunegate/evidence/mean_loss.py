"""Mean losses of scores against labels: log-loss and Brier score, tested as means are.

A row's loss is bounded: the Brier score by what squares can be, the log-loss because scores are
kept off 0 and 1 by the smallest step of a 64-bit float, as scikit-learn does. So losses too rare to
be in the sample are reckoned with, as for scores; and since a log-loss can be 36 where most are
below 1, that is what decides in small slices. On top of the mean's own test with one unseen loss,
such losses, were there as many as use up the margin, must be unlikely to stay unseen all of them.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from prunegate.evidence.mean_value import MeanValue, Weights
from prunegate.evidence.unseen_loss import UnseenLoss
from prunegate.metrics.hypothesis import Contrast
from prunegate.stats.mean import all_unseen
from prunegate.stats.result import TestResult


@dataclass(frozen=True, kw_only=True)
class MeanLoss(MeanValue):
    """The mean of a row's loss."""

    lower_is_better: bool = True
    span: Fraction
    """The most that one row's loss can change."""

    def unseen_loss(self, contrast: Contrast) -> UnseenLoss | None:
        found = super().unseen_loss(contrast)
        return None if found is None else replace(found, all_of_them=True)

    def _mean_above_zero(self, weights: Weights) -> TestResult:
        found, units = super()._mean_above_zero(weights), self.moments.units
        if not units:
            return found
        room = float(self.moments.combined(weights)[0] / units)
        worst = self._worst(weights)
        return replace(
            found,
            p_value=max(found.p_value, all_unseen(room, worst, units)),
            p_harm=max(found.p_harm, all_unseen(-room, worst, units)),
        )
