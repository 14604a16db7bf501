"""Weighted overlapping rates: precision and F1 of rows that have unlike design weights."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from prunegate.evidence.overlapping_rates import (
    OverlappingRate,
    as_linear,
    exchange,
)
from prunegate.evidence.weighted_rates import WeightedEvidence, WeightedRows
from prunegate.metrics.hypothesis import Contrast
from prunegate.stats.constrained_mle import RatioLimit
from prunegate.stats.reliable import SCORE_MINIMUM
from prunegate.stats.weighted import WeightedContrast

_CELLS = range(8)


@dataclass(frozen=True, kw_only=True)
class WeightedOverlappingRate(WeightedEvidence):
    """Precision or F1: the two models' denominators differ but share rows."""

    least: ClassVar = SCORE_MINIMUM

    rows: WeightedRows
    f1: bool

    @cached_property
    def _sums(self) -> OverlappingRate:
        """The sums of weights as if they were counts: their ratios are the estimates."""
        totals = self.rows.weights.totals
        return OverlappingRate(cells=tuple(totals.get(cell, 0) for cell in _CELLS), f1=self.f1)

    @property
    def baseline(self) -> Fraction | None:
        return self._sums.baseline

    @property
    def candidate(self) -> Fraction | None:
        return self._sums.candidate

    def _level_from(self, limit: float) -> WeightedContrast:
        share = limit / (2 - limit) if self.f1 else limit
        hits, about = self._sums.places(1)
        scores = [(cell in hits) - share * (cell in about) for cell in _CELLS]
        return WeightedContrast(cells=self.rows.cells(_CELLS, scores), scores=lambda _: scores)

    def _weigh(self, contrast: Contrast) -> WeightedContrast:
        slope, margin = as_linear(contrast)
        limit = RatioLimit(kind="f1" if self.f1 else "precision", k=slope, margin=margin)

        def scores(masses: Sequence[float]) -> Sequence[float]:
            seen = exchange(masses) if contrast.swapped else masses
            each = limit.linear(limit.state(seen))
            return exchange(each) if contrast.swapped else each

        seen = scores([float(cell) for cell in self._sums.cells])
        return WeightedContrast(cells=self.rows.cells(_CELLS, seen), scores=scores)
