"""Pulled values: average precision and rank correlation of both models, by what their rows pull.

Every claim about two values is a claim about one weighted sum of them and a constant, whose rows'
pulls are the same sums of the models' pulls; so one test serves them all, as it does for means.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

from prunegate.counting.pull_sums import ZERO, PullSums
from prunegate.evidence.further_rows import rows_lacking
from prunegate.evidence.rates import TestedEvidence
from prunegate.evidence.too_few import units_of_ranking, validated
from prunegate.metrics.hypothesis import Contrast, Level, linear_form
from prunegate.stats import pulled
from prunegate.stats.pulled import Pulled
from prunegate.stats.result import Interval, TestResult

ONE = Fraction(1)
Weights = tuple[Fraction, Fraction, Fraction]
"""Of the baseline's value, of the candidate's, and a constant."""


@dataclass(frozen=True, kw_only=True)
class PulledValue(TestedEvidence):
    """A statistic of how two models order the same rows."""

    exact_levels: ClassVar = False

    sums: PullSums
    reliable_from: int
    """Rows of the rarest kind from which the test's error rates were measured."""
    bounds_of_value: tuple[float, float]
    """The least and the most that it can be."""
    lost: None = None
    gained: None = None

    @property
    def n(self) -> int:
        return sum(self.sums.rows)

    @property
    def shows_alike(self) -> bool:
        """Where rows are positives or negatives, which differ whatever the models say."""
        return len(self.sums.rows) > 1

    @property
    def baseline(self) -> Fraction | None:
        return self._value(0)

    @property
    def candidate(self) -> Fraction | None:
        return self._value(1)

    def _value(self, model: int) -> Fraction | None:
        first = self.sums.moments.first
        if not min(self.sums.rows):  # of one kind only: any order of them is as good
            return None
        total = first[1] + (first[0] if model else 0)
        return total / first[2] if first[2] else None

    @property
    def lacking(self) -> int:
        """Rows of the slice's mix until the rarest kind has as many as the method takes."""
        return rows_lacking(self.sums.weighing, self.reliable_from, self.n)

    @property
    def too_few(self) -> str:
        if self.reliable:
            return ""
        grouped = self.sums.moments.units < self.n
        units = units_of_ranking(len(self.sums.rows), grouped=grouped)
        verb = "they weigh" if grouped else "here are"
        return validated(self.reliable_from, units, verb, *map(math.floor, self.sums.weighing))

    def rows_unseen(self, room: float, score: float) -> float:
        """As for areas: of each kind, in rows of the slice's mix."""
        weight = float(self.sums.moments.first[2])
        each = (
            float(fall) * rows / weight / max(weighing, 1.0)
            for fall, rows, weighing in zip(
                self.sums.falls, self.sums.rows, self.sums.weighing, strict=True
            )
        )
        return max(1 + score, 3.0) * max(each) / room * self.n

    def _level(self, level: Level) -> TestResult:
        sign = ONE if level.at_least else -ONE
        return pulled.test(self._pulled((ZERO, sign, -sign * level.limit)))

    def _contrast(self, contrast: Contrast) -> TestResult:
        slope, constant = linear_form(contrast)
        first, second = (ONE, -slope) if contrast.swapped else (-slope, ONE)
        return pulled.test(self._pulled((first, second, constant)))

    def _pulled(self, weights: Weights, centre: Fraction = ZERO) -> Pulled:
        """A weighted sum of both values and a constant; spread is that of what is left of a centre.

        The features are change and baseline, hence the weights of these.
        """
        sums, (before, after, constant) = self.sums, weights
        first, second, third = sums.moments.combined((after, before + after, constant - centre))
        weight = sums.moments.first[2]
        most = max(abs(before), abs(after))
        return Pulled(
            units=sums.moments.units,
            sums=(float(first), float(second), float(third)),
            weight=float(weight),
            own=float(before * sums.own[0] + after * sums.own[1]),
            weighing=sums.weighing,
            falls=tuple(
                float(most * fall * rows / weight)
                for fall, rows in zip(sums.falls, sums.rows, strict=True)
            ),
        )

    def level_interval(self) -> Interval:
        found = self._interval((ZERO, ONE, ZERO), self.candidate)
        low, high = self.bounds_of_value
        return Interval(low=max(found.low, low), high=min(found.high, high), method=found.method)

    def change_interval(self) -> Interval:
        before, after = self.baseline, self.candidate
        change = None if before is None or after is None else after - before
        return self._interval((-ONE, ONE, ZERO), change)

    def _interval(self, weights: Weights, centre: Fraction | None) -> Interval:
        """Of a value, by the spread about it."""
        if centre is None:
            return Interval(low=-math.inf, high=math.inf, method="t")
        found = pulled.interval(replace(self._pulled(weights, centre), own=0.0))
        return Interval(
            low=float(centre) + found.low, high=float(centre) + found.high, method=found.method
        )
