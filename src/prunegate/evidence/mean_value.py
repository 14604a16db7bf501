"""Mean values: scores, absolute errors and log-likelihoods, by what their rows sum up to.

Every claim about two means (or two ratios of sums, per token) is a claim about the mean of one
linear combination of a unit's features, so one test serves them all. Units are rows, or whole
groups where rows depend on each other. The perplexity is the exponential of the mean negative
log-likelihood per token: levels and ratios carry over exactly, differences by the delta method.

A score is bounded, so that losses too rare to be in the sample can be reckoned with; of
log-likelihoods nothing of the kind can be said. Where few documents make up most of the change of
a log-likelihood it is therefore not tested at all; losses of which none is in the sample stay
unseen all the same.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from prunegate.counting.feature_sums import FeatureSums
from prunegate.evidence.rates import TestedEvidence
from prunegate.evidence.too_few import validated
from prunegate.evidence.unseen_loss import UnseenLoss
from prunegate.metrics.hypothesis import (
    Contrast,
    Difference,
    ErrorsAtMost,
    Hypothesis,
    Level,
    SuccessRatio,
)
from prunegate.stats import mean
from prunegate.stats.reliable import RELIABLE_ROWS
from prunegate.stats.result import Interval, TestResult
from prunegate.text.said import joined, said

Weights = tuple[Fraction, Fraction, Fraction]
"""Of a unit's change, baseline and weight."""


@dataclass(frozen=True, kw_only=True)
class MeanValue(TestedEvidence):
    """The mean of a row's number, or a ratio of sums."""

    exact_levels: ClassVar = False

    n: int
    moments: FeatureSums
    lower_is_better: bool = False
    span: Fraction | None = None
    """The most that one row can change; None: there is no bound."""
    grouped: bool = False
    """Whether units are groups of rows."""
    lost: None = None
    gained: None = None

    @property
    def baseline(self) -> Fraction | None:
        return self._turned(self._per_weight(1))

    @property
    def candidate(self) -> Fraction | None:
        change, baseline = self._per_weight(0), self._per_weight(1)
        return None if change is None or baseline is None else self._turned(change + baseline)

    @property
    def reliable(self) -> bool:
        enough = self.moments.units >= RELIABLE_ROWS
        return enough and (self.span is not None or self._lopsided <= mean.MOST_LOPSIDED)

    @property
    def too_few(self) -> str:
        if self.reliable:
            return ""
        unit = "groups" if self.grouped else "rows"
        if self.moments.units < RELIABLE_ROWS:
            return validated(RELIABLE_ROWS, unit, "here are", self.moments.units)
        return said("too_few.lopsided", unit=unit, skewness=self._lopsided, most=mean.MOST_LOPSIDED)

    @cached_property
    def _lopsided(self) -> float:
        """Of what the units' changes differ from the change of all: how few make it up."""
        change = self._per_weight(0)
        if change is None:
            return 0.0
        first, second, third = self.moments.combined((Fraction(1), Fraction(0), -change))
        return mean.lopsided(self.moments.units, float(first), float(second), float(third))

    @property
    def lacking(self) -> int:
        """Rows; where units are groups, as many as groups of the size seen here would have."""
        units = self.moments.units
        return math.ceil(max(0, RELIABLE_ROWS - units) * self.n / max(units, 1))

    @property
    def shows_alike(self) -> bool:
        return self.span is not None

    def unseen_loss(self, contrast: Contrast) -> UnseenLoss | None:
        moments = self.moments
        if self.span is None or not moments.units:
            return None
        weights = self._against(contrast)
        first, second, third = map(float, moments.combined(weights))
        unchanged = weights[1] * moments.first[1] + weights[2] * moments.first[2]
        return UnseenLoss(
            units=moments.units,
            sums=(first, second, third),
            room=float(unchanged) / moments.units,
            worst=self._worst(weights),
            rows_of_unit=self.n / moments.units,
        )

    def _worst(self, weights: Weights) -> float:
        """Of a unit of average weight on which the model that counts for more lost all there is."""
        assert self.span is not None  # noqa: S101  # the callers ask
        most = max(abs(weights[0]), abs(weights[1] - weights[0]))
        return float(self.span * self.moments.first[2] / self.moments.units * most)

    @property
    def _sign(self) -> int:
        return -1 if self.lower_is_better else 1

    def _per_weight(self, feature: int) -> Fraction | None:
        weight = self.moments.first[2]
        return self.moments.first[feature] / weight if weight else None

    def _turned(self, value: Fraction | None) -> Fraction | None:
        return None if value is None else self._sign * value

    def _level(self, level: Level) -> TestResult:
        found = self._mean_above_zero(self._above(level.limit))
        if level.at_least:
            return found
        return replace(found, p_value=found.p_harm, p_harm=found.p_value)

    def _contrast(self, contrast: Contrast) -> TestResult:
        return self._mean_above_zero(self._against(contrast))

    def _above(self, limit: Fraction) -> Weights:
        """Of a unit: how far the candidate lies above a limit."""
        sign = Fraction(self._sign)
        return sign, sign, -limit

    def _against(self, contrast: Contrast) -> Weights:
        """Of a unit: how far the contrast lies above its limit."""
        if isinstance(contrast, Difference):
            sign = -self._sign if contrast.swapped else self._sign
            return Fraction(sign), Fraction(0), contrast.margin
        k = contrast.ratio
        if isinstance(contrast, SuccessRatio):
            return (-k if contrast.swapped else Fraction(1)), 1 - k, Fraction(0)
        return (k if contrast.swapped else Fraction(-1)), k - 1, Fraction(0)

    def _mean_above_zero(self, weights: Weights) -> TestResult:
        moments = self.moments
        first, second, third = map(float, moments.combined(weights))
        if self.span is None or not moments.units:
            found = mean.test(moments.units, first, second, third, 0.0)
        else:
            sums = (first, second, third)
            found = mean.test_bounded(moments.units, sums, 0.0, self._worst(weights))
        return (
            replace(found, method=joined((found.method, "groups as units")))
            if self.grouped
            else found
        )

    def seen_alone(self, hypothesis: Hypothesis) -> TestResult:
        """The test of what the rows show, as if nothing could be lost that none of them lost."""
        if isinstance(hypothesis, Level):
            weights, turned = self._above(hypothesis.limit), not hypothesis.at_least
        else:
            weights, turned = self._against(hypothesis), False
        first, second, third = map(float, self.moments.combined(weights))
        units = self.moments.units
        found = mean.test(units, first, second, third, 0.0)
        if units and not mean.moments(units, first, second, third).sd:  # they all say the same
            found = replace(found, p_value=float(first <= 0), p_harm=float(first >= 0))
        if not turned:
            return found
        return replace(found, p_value=found.p_harm, p_harm=found.p_value)

    def level_interval(self) -> Interval:
        return self._interval(self._above(Fraction(0)))

    def change_interval(self) -> Interval:
        return self._interval(self._against(Difference(margin=Fraction(0))))

    def _interval(self, weights: Weights) -> Interval:
        """Interval of a ratio of sums, linearised at its estimate."""
        moments = self.moments
        weight = moments.rough[2]
        centre = moments.combined(weights)[0] / weight
        residual = (weights[0], weights[1], weights[2] - centre)
        sums = map(float, moments.combined(residual))
        found = mean.interval(moments.units, *sums)
        per_unit = float(weight / moments.units)
        return Interval(
            low=float(centre) + found.low / per_unit,
            high=float(centre) + found.high / per_unit,
            method=found.method,
        )


@dataclass(frozen=True, kw_only=True)
class Perplexity(MeanValue):
    """The exponential of the mean negative log-likelihood per token."""

    lower_is_better: bool = True

    @property
    def baseline(self) -> Fraction | None:
        return self._raised(self._per_weight(1))

    @property
    def candidate(self) -> Fraction | None:
        change, baseline = self._per_weight(0), self._per_weight(1)
        return None if change is None or baseline is None else self._raised(change + baseline)

    def _raised(self, nll: Fraction | None) -> Fraction | None:
        if nll is None or nll > _LARGEST:
            return None
        return Fraction(-math.exp(nll))

    def _above(self, limit: Fraction) -> Weights:
        if limit >= 0:  # a perplexity of at most zero: never
            return Fraction(0), Fraction(0), Fraction(-1)
        return Fraction(-1), Fraction(-1), Fraction(math.log(-limit))

    def _against(self, contrast: Contrast) -> Weights:
        if isinstance(contrast, Difference):
            return self._linearised(contrast)
        assert isinstance(contrast, ErrorsAtMost)  # noqa: S101  # lower is better: no success ratios
        room = Fraction(math.log(contrast.ratio))
        return Fraction(1 if contrast.swapped else -1), Fraction(0), room

    def _linearised(self, contrast: Difference) -> Weights:
        before, after = self._values
        rise = (after[1], after[1] - before[1], before[0] * before[1] - after[0] * after[1])
        sign = 1 if contrast.swapped else -1
        level = sign * (after[1] - before[1]) + contrast.margin
        return sign * rise[0], sign * rise[1], sign * rise[2] + level

    @cached_property
    def _values(self) -> tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]:
        """Mean negative log-likelihood per token and perplexity, of baseline and candidate."""
        weight = self.moments.first[2]
        before = self.moments.first[1] / weight
        after = before + self.moments.first[0] / weight
        return (before, Fraction(math.exp(before))), (after, Fraction(math.exp(after)))

    def level_interval(self) -> Interval:
        found = self._interval((Fraction(1), Fraction(1), Fraction(0)))
        low, high = (_exp(end) for end in (found.low, found.high))
        return Interval(low=-high, high=-low, method=found.method)


_LARGEST = 700
"""Nats per token above which a perplexity is no number any more."""


def _exp(value: float) -> float:
    return math.exp(value) if value < _LARGEST else math.inf
