"""Weighted rates: what rows of unlike design weights say about a rate that both models share.

Estimates are ratios of sums of weights. Numbers of rows stay numbers of rows; beside them stands as
how many rows of equal weight they are worth.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from prunegate.counting.weight_sums import WeightSums
from prunegate.evidence.rates import Evidence, TestedEvidence, rate
from prunegate.metrics.hypothesis import (
    Contrast,
    Difference,
    Hypothesis,
    Level,
    SuccessRatio,
)
from prunegate.stats import weighted
from prunegate.stats.result import Interval, TestResult
from prunegate.stats.weighted import WeightedCells, WeightedContrast
from prunegate.text.said import said

LEAST_EFFECTIVE = 30
"""Rows of equal weight that a metric's own have to be worth, or nothing is tested (NCHS standards
for proportions, Vital Health Stat. 2(175), 2017)."""


@dataclass(frozen=True, kw_only=True)
class WeightedRows:
    """The rows that a metric is about, and their weights."""

    weights: WeightSums
    plain: Evidence
    """What they say if all weigh alike: how many they are."""
    base: frozenset[object]
    """Their cells."""
    unseen: frozenset[object] = frozenset()
    """The cells whose heaviest row a row that was not seen may be as heavy as; empty: theirs."""

    @property
    def effective(self) -> int:
        """As many rows of equal weight as they are worth."""
        return math.floor(self.weights.effective(self.base))

    def lacking(self, least: int) -> int:
        """Further such rows until they are worth ``least``."""
        short = max(0, least - self.effective)
        return math.ceil(short * self.plain.n / max(self.effective, 1))

    def cells(self, cells: Sequence[Hashable], scores: Sequence[float]) -> WeightedCells:
        """The cells as the tests take them.

        Rows of a group count for as little as the variance between groups makes them.

        Args:
            cells: in the order of the scores.
            scores: what a row of each cell adds to the contrast.
        """
        sums = self.weights
        unit = sums.heaviest_of(self.unseen or self.base)
        totals = [sums.totals.get(cell, 0) for cell in cells]
        own = [sums.product(cell, cell) for cell in cells]
        effect = self._effect(cells, scores) if sums.products is not None else 1.0
        return WeightedCells(
            units=[
                float(Fraction(t * t, p)) / effect if p else 0.0
                for t, p in zip(totals, own, strict=True)
            ],
            weight=[
                float(Fraction(p, t * unit)) * effect if t else 0.0
                for t, p in zip(totals, own, strict=True)
            ],
            heaviest=1.0,
        )

    def _effect(self, cells: Sequence[Hashable], scores: Sequence[float]) -> float:
        """Linearised variance between groups over that of cells that vary apart, at least 1."""
        sums, unit = self.weights, max(self.weights.heaviest.values())
        total = sums.total(self.base)
        mean = (
            math.fsum(s * sums.totals.get(c, 0) for c, s in zip(cells, scores, strict=True)) / total
        )
        residual = [
            s - mean if cell in self.base else 0.0 for cell, s in zip(cells, scores, strict=True)
        ]
        pairs = list(zip(cells, residual, strict=True))
        apart = math.fsum(r * r * (sums.product(c, c) / unit**2) for c, r in pairs)
        between = math.fsum(
            r * q * (sums.product(c, d) / unit**2) for c, r in pairs for d, q in pairs if r and q
        )
        return max(1.0, between / apart) if apart > 0 else 1.0


class WeightedEvidence(TestedEvidence):
    """What evidence of weighted rows shares."""

    exact_levels: ClassVar = False
    least: ClassVar[int] = LEAST_EFFECTIVE
    rows: WeightedRows

    @property
    def n(self) -> int:
        return self.rows.plain.n

    @property
    def lost(self) -> int | None:
        return self.rows.plain.lost

    @property
    def gained(self) -> int | None:
        return self.rows.plain.gained

    @property
    def effective(self) -> int | None:
        return self.rows.effective

    @property
    def lacking(self) -> int:
        return self.rows.lacking(self.least)

    @property
    def too_few(self) -> str:
        if not self.lacking:
            return ""
        return said("too_few.weighted", rows=self.n, worth=self.rows.effective, least=self.least)

    def count(self, hypothesis: Hypothesis) -> int:
        return self.rows.plain.count(hypothesis)

    def change_interval(self) -> Interval:
        seen = float((self.candidate or 0) - (self.baseline or 0))  # type: ignore[attr-defined]  # each kind has them
        return weighted.interval(self._change_from, (-1.0, 1.0), seen)

    def _change_from(self, change: float) -> WeightedContrast:
        """The change, less so much."""
        return self._weigh(Difference(margin=Fraction(-change)))

    def _contrast(self, contrast: Contrast) -> TestResult:
        return self._weigh(contrast).test()

    def _level(self, level: Level) -> TestResult:
        return self._level_from(float(level.limit)).test(at_least=level.at_least)

    def level_interval(self) -> Interval:
        seen = float(self.candidate or 0)  # type: ignore[attr-defined]  # each kind has it
        return weighted.interval(self._level_from, (0.0, 1.0), seen)

    @abstractmethod
    def _weigh(self, contrast: Contrast) -> WeightedContrast:
        """A contrast less its limit."""

    @abstractmethod
    def _level_from(self, limit: float) -> WeightedContrast:
        """The candidate's value less a limit."""


@dataclass(frozen=True, kw_only=True)
class WeightedRate(WeightedEvidence):
    """Recall, specificity, accuracy, false positive rate, or a flip rate of weighted rows."""

    rows: WeightedRows
    parts: Sequence[frozenset[object]]
    """Cells that both models get right, that are lost, gained, and that neither gets right."""
    paired: bool = True
    """Whether the baseline has a value of its own; else the rate is the first part's share."""

    @property
    def baseline(self) -> Fraction | None:
        both, lost, _, _ = self._totals
        return rate(both + lost, sum(self._totals)) if self.paired else None

    @property
    def candidate(self) -> Fraction | None:
        both, _, gained, _ = self._totals
        return rate(both + gained, sum(self._totals))

    @property
    def _totals(self) -> tuple[int, ...]:
        return tuple(self.rows.weights.total(part) for part in self.parts)

    def _level_from(self, limit: float) -> WeightedContrast:
        return self._scored((1 - limit, -limit, 1 - limit, -limit))

    def _weigh(self, contrast: Contrast) -> WeightedContrast:
        both, lost, gained, neither = _scores(contrast)
        if contrast.swapped:
            lost, gained = gained, lost
        return self._scored((both, lost, gained, neither))

    def _scored(self, scores: Sequence[float]) -> WeightedContrast:
        """The contrast to which a row of each of the four parts adds so much."""
        return WeightedContrast(cells=self._merged.cells(range(4), scores), scores=lambda _: scores)

    @cached_property
    def _merged(self) -> WeightedRows:
        """The same rows, their cells merged into the four parts."""
        weights = self.rows.weights.merged(self._part)
        return WeightedRows(weights=weights, plain=self.rows.plain, base=frozenset(range(4)))

    def _part(self, cell: Hashable) -> int:
        """A cell's part; of no part, where the rate is not about it."""
        return next((n for n, part in enumerate(self.parts) if cell in part), 4)


def _scores(contrast: Contrast) -> tuple[float, float, float, float]:
    """What a row of each part adds to a contrast less its limit."""
    if isinstance(contrast, Difference):
        margin = float(contrast.margin)
        return margin, margin - 1, margin + 1, margin
    ratio = float(contrast.ratio)
    if isinstance(contrast, SuccessRatio):
        return 1 - ratio, -ratio, 1.0, 0.0
    return 0.0, -1.0, ratio, ratio - 1
