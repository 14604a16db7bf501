"""Overlapping rates: precision and F1, where the rows that count differ between the two models."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from prunegate.counting.tallies import Cells
from prunegate.evidence.rates import TestedEvidence, binomial_level, rate
from prunegate.evidence.too_few import validated
from prunegate.metrics.hypothesis import (
    Contrast,
    Hypothesis,
    Level,
    linear_form,
)
from prunegate.stats import clopper_pearson, dirichlet, ratio_score
from prunegate.stats.reliable import SCORE_MINIMUM
from prunegate.stats.result import Interval, TestResult

STRICT_SEED = 0
"""The same for every slice, so that no slice changes another's p-value."""


@dataclass(frozen=True, kw_only=True)
class OverlappingRate(TestedEvidence):
    """Precision and F1: the two models' denominators differ but share rows."""

    cells: Cells
    f1: bool
    """F1 instead of precision."""
    strict: bool = False
    """Use the Dirichlet posterior, which is never liberal, instead of the score test."""

    def places(self, bit: int) -> tuple[frozenset[int], frozenset[int]]:
        """Cells of one model's hits and denominator; for F1 of Jaccard's TP/(TP+FP+FN)."""
        flagged = {i for i in range(8) if i & bit}
        hits = frozenset(i for i in flagged if i & 4)
        return hits, frozenset(flagged | {4, 5, 6, 7} if self.f1 else flagged)

    def parts(self, bit: int) -> tuple[int, int]:
        """Rows of one model's true positives and denominator."""
        hits, about = (sum(self.cells[i] for i in cells) for cells in self.places(bit))
        return hits, about

    def _rate(self, bit: int) -> Fraction | None:
        share = rate(*self.parts(bit))
        if share is None or not self.f1:
            return share
        return 2 * share / (1 + share)

    @property
    def baseline(self) -> Fraction | None:
        return self._rate(2)

    @property
    def candidate(self) -> Fraction | None:
        return self._rate(1)

    @property
    def n(self) -> int:
        return sum(self.cells[1:4]) + sum(self.cells[(4 if self.f1 else 5) :])

    @property
    def lost(self) -> int:
        return self.cells[0b110] + self.cells[0b001]

    @property
    def gained(self) -> int:
        return self.cells[0b101] + self.cells[0b010]

    @property
    def too_few(self) -> str:
        if self.reliable:
            return ""
        smallest = min(self.parts(1)[1], self.parts(2)[1])
        return validated(SCORE_MINIMUM, "rows", "here are", smallest)

    @property
    def lacking(self) -> int:
        return max(0, SCORE_MINIMUM - min(self.parts(1)[1], self.parts(2)[1]))

    def count(self, hypothesis: Hypothesis) -> int:
        return self.parts(1)[1] if isinstance(hypothesis, Level) else self.n

    def _level(self, level: Level) -> TestResult:
        limit = level.limit / (2 - level.limit) if self.f1 else level.limit
        return self._share_level(Level(limit=limit, at_least=level.at_least))

    def _share_level(self, level: Level) -> TestResult:
        """The test of the candidate's share of hits, to which a level of F1 comes down."""
        return binomial_level(*self.parts(1), level)

    def _contrast(self, contrast: Contrast) -> TestResult:
        return self._tested(self.cells, contrast)

    def _tested(
        self, cells: Sequence[float], contrast: Contrast, df: int | None = None
    ) -> TestResult:
        """The test on cells, with the degrees of freedom of effective ones."""
        cells = exchange(cells) if contrast.swapped else cells
        slope, margin = as_linear(contrast)
        if self.strict:
            strict = dirichlet.test_f1 if self.f1 else dirichlet.test_precision
            return strict(cells, slope, margin, seed=STRICT_SEED)
        test = ratio_score.test_f1 if self.f1 else ratio_score.test_precision
        return test(cells, slope, margin, df)

    def level_interval(self) -> Interval:
        share = self._share_interval()
        if not self.f1:
            return share
        low, high = (2 * x / (1 + x) for x in (share.low, share.high))
        return Interval(low=low, high=high, method=share.method)

    def _share_interval(self) -> Interval:
        """95 % interval of the candidate's share of hits."""
        return clopper_pearson.interval(*self.parts(1))

    def change_interval(self) -> Interval:
        return self._change(self.cells)

    def _change(self, cells: Sequence[float]) -> Interval:
        found = ratio_score.interval_f1 if self.f1 else ratio_score.interval_precision
        return found(cells)


def exchange(cells: Sequence[float]) -> tuple[float, ...]:
    """The same rows with baseline and candidate exchanged."""
    return tuple(cells[(i & 4) | (i & 1) << 1 | (i & 2) >> 1] for i in range(8))


def as_linear(contrast: Contrast) -> tuple[float, float]:
    """The contrast as candidate - slope * baseline >= -margin."""
    slope, margin = linear_form(contrast)
    return float(slope), float(margin)
