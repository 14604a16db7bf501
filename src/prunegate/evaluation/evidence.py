"""Evidence: what one slice says about one metric, ready to be tested against a hypothesis.

Every class holds success rates (larger is better) as exact fractions, answers the hypotheses of
``hypothesis.py`` with the method of ``stats`` that fits its sampling, and names the method. A new
kind of metric is a new class here, nothing else.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction

from prunegate.evaluation.hypothesis import (
    Contrast,
    Difference,
    ErrorRatio,
    Hypothesis,
    Level,
    SuccessRatio,
)
from prunegate.evaluation.slices import Cells
from prunegate.stats import clopper_pearson, paired_exact, paired_ratio, ratio_score, tango
from prunegate.stats.result import Interval, TestResult

SCORE_MINIMUM = 50
"""Denominator from which the simulated error rates of the score test are known."""


def rate(successes: int, trials: int) -> Fraction | None:
    """Successes / trials, exactly; None when there is nothing to divide by."""
    return Fraction(successes, trials) if trials else None


class Evidence(ABC):
    """What one slice says about one metric."""

    baseline: Fraction | None
    """The baseline's success rate; None: it has none, or it is undefined."""
    candidate: Fraction | None
    """The candidate's success rate; None: undefined."""
    n: int
    """Rows that the metric is about."""
    lost: int
    """Of those, rows that the baseline got right and the candidate wrong."""
    gained: int
    """Of those, the reverse."""
    too_few: str = ""
    """Why the method's error rates are unknown here; empty: they are known."""

    def test(self, hypothesis: Hypothesis) -> TestResult:
        """One-sided p-values for and against the hypothesis."""
        if isinstance(hypothesis, Level):
            return self._level(hypothesis)
        return self._contrast(hypothesis)

    def count(self, hypothesis: Hypothesis) -> int:
        """Rows that a test of the hypothesis rests on."""
        del hypothesis
        return self.n

    @abstractmethod
    def _level(self, level: Level) -> TestResult: ...

    @abstractmethod
    def _contrast(self, contrast: Contrast) -> TestResult: ...

    @abstractmethod
    def level_interval(self) -> Interval:
        """95 % two-sided interval of the candidate's success rate."""

    @abstractmethod
    def change_interval(self) -> Interval:
        """95 % two-sided interval of candidate - baseline."""


def _binomial_level(successes: int, trials: int, level: Level) -> TestResult:
    test = clopper_pearson.test_at_least if level.at_least else clopper_pearson.test_at_most
    return test(successes, trials, float(level.limit))


@dataclass(frozen=True, kw_only=True)
class PairedRate(Evidence):
    """Both models decide the same rows: recall, specificity, accuracy, false positive rate."""

    both: int
    """Rows that both models get right."""
    lost: int
    gained: int
    neither: int
    """Rows that neither gets right."""

    @property
    def n(self) -> int:  # type: ignore[override]  # derived here, a field elsewhere
        return self.both + self.lost + self.gained + self.neither

    @property
    def baseline(self) -> Fraction | None:  # type: ignore[override]  # derived
        return rate(self.both + self.lost, self.n)

    @property
    def candidate(self) -> Fraction | None:  # type: ignore[override]  # derived
        return rate(self.both + self.gained, self.n)

    def _level(self, level: Level) -> TestResult:
        return _binomial_level(self.both + self.gained, self.n, level)

    def _contrast(self, contrast: Contrast) -> TestResult:
        lost, gained = self.lost, self.gained
        if contrast.swapped:
            lost, gained = gained, lost
        if isinstance(contrast, Difference):
            return paired_exact.test(lost, gained, self.n, float(contrast.margin))
        table = (self.both, lost, gained, self.neither)
        if isinstance(contrast, SuccessRatio):
            return paired_ratio.test_relative(*table, float(1 - contrast.ratio))
        return paired_ratio.test_error_ratio(*table, float(contrast.ratio - 1))

    def level_interval(self) -> Interval:
        return clopper_pearson.interval(self.both + self.gained, self.n)

    def change_interval(self) -> Interval:
        return tango.interval(self.lost, self.gained, self.n)


@dataclass(frozen=True, kw_only=True)
class SingleRate(Evidence):
    """A rate that only the pair of models has: negative flip rate, churn (as its complement)."""

    good: int
    """Rows without a flip."""
    n: int
    lost: int
    gained: int
    baseline: Fraction | None = None

    @property
    def candidate(self) -> Fraction | None:  # type: ignore[override]  # derived
        return rate(self.good, self.n)

    def _level(self, level: Level) -> TestResult:
        return _binomial_level(self.good, self.n, level)

    def _contrast(self, contrast: Contrast) -> TestResult:
        del contrast
        raise ValueError("a flip rate has no baseline value, so it has no change")

    def level_interval(self) -> Interval:
        return clopper_pearson.interval(self.good, self.n)

    def change_interval(self) -> Interval:
        return self._contrast(Difference(margin=Fraction(0)))  # type: ignore[return-value]  # raises


@dataclass(frozen=True, kw_only=True)
class OverlappingRate(Evidence):
    """Precision and F1: the two models' denominators differ but share rows."""

    cells: Cells
    f1: bool
    """F1 instead of precision."""

    def _parts(self, bit: int) -> tuple[int, int]:
        """(True positives, denominator) of one model; for F1 of Jaccard's TP/(TP+FP+FN)."""
        flagged = [i for i in range(8) if i & bit]
        hits = sum(self.cells[i] for i in flagged if i & 4)
        about = set(flagged) | ({4, 5, 6, 7} if self.f1 else set())
        return hits, sum(self.cells[i] for i in about)

    def _rate(self, bit: int) -> Fraction | None:
        share = rate(*self._parts(bit))
        if share is None or not self.f1:
            return share
        return 2 * share / (1 + share)

    @property
    def baseline(self) -> Fraction | None:  # type: ignore[override]  # derived
        return self._rate(2)

    @property
    def candidate(self) -> Fraction | None:  # type: ignore[override]  # derived
        return self._rate(1)

    @property
    def n(self) -> int:  # type: ignore[override]  # derived: rows that count for either model
        return sum(self.cells[1:4]) + sum(self.cells[(4 if self.f1 else 5) :])

    @property
    def lost(self) -> int:  # type: ignore[override]  # derived
        return self.cells[0b110] + self.cells[0b001]

    @property
    def gained(self) -> int:  # type: ignore[override]  # derived
        return self.cells[0b101] + self.cells[0b010]

    @property
    def too_few(self) -> str:  # type: ignore[override]  # derived
        smallest = min(self._parts(1)[1], self._parts(2)[1])
        if smallest >= SCORE_MINIMUM:
            return ""
        return f"the method is validated from {SCORE_MINIMUM} rows up; here are {smallest}"

    def count(self, hypothesis: Hypothesis) -> int:
        return self._parts(1)[1] if isinstance(hypothesis, Level) else self.n

    def _level(self, level: Level) -> TestResult:
        limit = level.limit / (2 - level.limit) if self.f1 else level.limit
        hits, about = self._parts(1)
        return _binomial_level(hits, about, Level(limit=limit, at_least=level.at_least))

    def _contrast(self, contrast: Contrast) -> TestResult:
        cells = _exchange(self.cells) if contrast.swapped else self.cells
        test = ratio_score.test_f1 if self.f1 else ratio_score.test_precision
        slope, margin = _linear(contrast)
        return test(cells, slope, margin)

    def level_interval(self) -> Interval:
        share = clopper_pearson.interval(*self._parts(1))
        if not self.f1:
            return share
        low, high = (2 * x / (1 + x) for x in (share.low, share.high))
        return Interval(low=low, high=high, method=share.method)

    def change_interval(self) -> Interval:
        found = ratio_score.interval_f1 if self.f1 else ratio_score.interval_precision
        return found(self.cells)


def _exchange(cells: Cells) -> Cells:
    """The same rows with baseline and candidate exchanged."""
    return tuple(cells[(i & 4) | (i & 1) << 1 | (i & 2) >> 1] for i in range(8))


def _linear(contrast: Contrast) -> tuple[float, float]:
    """The contrast as candidate - slope * baseline >= -margin."""
    if isinstance(contrast, Difference):
        return 1.0, float(contrast.margin)
    if isinstance(contrast, SuccessRatio):
        return float(contrast.ratio), 0.0
    assert isinstance(contrast, ErrorRatio)  # noqa: S101  # narrows the union for the type checker
    return float(contrast.ratio), float(contrast.ratio - 1)
