"""Ranking: areas under the ROC curves of both models, by the placements of a slice's rows.

Every claim about two areas is a claim about one weighted sum of them and a constant, so one test
serves them all.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from prunegate.counting.placement_sums import PlacementSums
from prunegate.evidence.further_rows import rows_lacking
from prunegate.evidence.rates import TestedEvidence
from prunegate.evidence.too_few import units_of_ranking, validated
from prunegate.metrics.hypothesis import Contrast, Level, linear_form
from prunegate.stats import delong
from prunegate.stats.delong import Area
from prunegate.stats.result import Interval, TestResult

ZERO, ONE = Fraction(0), Fraction(1)
AreaWeights = tuple[Fraction, Fraction]
"""Of the baseline's area and the candidate's."""


@dataclass(frozen=True, kw_only=True)
class RankedAreas(TestedEvidence):
    """The areas under two ROC curves of the same rows."""

    exact_levels: ClassVar = False

    sums: PlacementSums
    lost: None = None
    gained: None = None

    @property
    def n(self) -> int:
        return self.sums.positives + self.sums.negatives

    @property
    def baseline(self) -> Fraction | None:
        return self.sums.area(0)

    @property
    def candidate(self) -> Fraction | None:
        return self.sums.area(1)

    @property
    def lacking(self) -> int:
        """Rows of the slice's mix until the rarer class has as many as the method takes."""
        return rows_lacking(self.sums.weighing, delong.RELIABLE, self.n)

    @property
    def too_few(self) -> str:
        if self.reliable:
            return ""
        grouped = self.sums.units < self.n
        here = "they weigh" if grouped else "here are"
        units = units_of_ranking(2, grouped=grouped)
        return validated(delong.RELIABLE, units, here, *map(math.floor, self.sums.weighing))

    def rows_unseen(self, room: float, score: float) -> float:
        """As for means, of the rarer class, in rows of the slice's mix."""
        return max(1 + score, 3.0) / room * self.n / max(min(self.sums.weighing), 1.0)

    def _level(self, level: Level) -> TestResult:
        sign = ONE if level.at_least else -ONE
        return delong.test(self._area((ZERO, sign), -sign * level.limit))

    def _contrast(self, contrast: Contrast) -> TestResult:
        slope, constant = linear_form(contrast)
        weights = (ONE, -slope) if contrast.swapped else (-slope, ONE)
        return delong.test(self._area(weights, constant))

    def _area(self, weights: AreaWeights, constant: Fraction) -> Area:
        areas = (self.baseline or ZERO, self.candidate or ZERO)
        value = sum((w * a for w, a in zip(weights, areas, strict=True)), constant)
        positives, negatives, both = self.sums.spread(weights)
        return Area(
            value=float(value),
            lowest=float(sum((min(w, ZERO) for w in weights), constant)),
            highest=float(sum((max(w, ZERO) for w in weights), constant)),
            spread=(float(positives), float(negatives), float(both)),
            units=self.sums.units,
            holding=self.sums.holding,
            weighing=self.sums.weighing,
        )

    def level_interval(self) -> Interval:
        found = delong.interval(self._area((ZERO, ONE), ZERO))
        return Interval(low=max(found.low, 0.0), high=min(found.high, 1.0), method=found.method)

    def change_interval(self) -> Interval:
        return delong.interval(self._area((-ONE, ONE), ZERO))
