"""Evidence: what one slice says about one metric, ready to be tested against a hypothesis.

Every class holds values turned so that larger is better, as exact fractions, answers the hypotheses
of ``hypothesis.py`` with the method of ``stats`` that fits its sampling, and names the method. Here
are rates whose rows both models share; a further kind of metric is a further class beside them.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, NoReturn, Protocol

from prunegate.evidence.unseen_loss import UnseenLoss
from prunegate.metrics.hypothesis import (
    Contrast,
    Difference,
    Hypothesis,
    Level,
    SuccessRatio,
)
from prunegate.stats import clopper_pearson, paired_exact, paired_ratio, tango
from prunegate.stats.result import Interval, TestResult


def rate(successes: int, trials: int) -> Fraction | None:
    """Successes / trials, exactly; None when there is nothing to divide by."""
    return Fraction(successes, trials) if trials else None


class Evidence(Protocol):
    """What one slice says about one metric."""

    @property
    def baseline(self) -> Fraction | None:
        """The baseline's value; None: it has none, or it is undefined."""

    @property
    def candidate(self) -> Fraction | None:
        """The candidate's value; None: undefined."""

    @property
    def n(self) -> int:
        """Rows that the metric is about."""

    @property
    def lost(self) -> int | None:
        """Of those, rows that only the baseline got right; None: no such thing."""

    @property
    def gained(self) -> int | None:
        """Of those, the reverse."""

    @property
    def lacking(self) -> int:
        """Rows of the metric's own kind wanted at least before error rates are known."""

    @property
    def bounds(self) -> bool:
        """Whether both values are upper bounds, rows without a label being taken as right."""

    @property
    def estimated(self) -> bool:
        """Whether both values rest on a random sample of rows whose number alone is known."""

    @property
    def too_few(self) -> str:
        """Why the method's error rates are unknown here, in words; empty where they are known."""

    @property
    def effective(self) -> int | None:
        """As many rows of equal weight as its own are worth; None: they weigh alike."""

    @property
    def shows_alike(self) -> bool:
        """Whether enough rows show that nothing changed though the models differ in none of them.

        Then ``rows_unseen`` says how many it takes.
        """

    def reliable_for(self, hypothesis: Hypothesis) -> bool:
        """Whether the error rates of the hypothesis' test are known for rows such as these."""

    def outweighed(self, hypothesis: Hypothesis, alpha: float) -> int | None:
        """What its rows weigh where a few large groups hold so many that no outcome could show it.

        None: some outcome could, or all groups together are too few.
        """

    def test(self, hypothesis: Hypothesis) -> TestResult:
        """One-sided p-values for and against the hypothesis."""

    def count(self, hypothesis: Hypothesis) -> int:
        """Rows that a test of the hypothesis rests on."""

    def rows_unseen(self, room: float, score: float) -> float:
        """Rows at which a loss of which none is seen stops deciding, if nothing changed.

        Args:
            room: the change that the limit allows.
            score: how many standard errors the test's level is.
        """

    def unseen_loss(self, contrast: Contrast) -> UnseenLoss | None:
        """The test that reckons with a loss of which none is seen; None: it does not."""

    def level_interval(self) -> Interval:
        """95 % two-sided interval of the candidate's value."""

    def change_interval(self) -> Interval:
        """95 % two-sided interval of candidate - baseline."""


class TestedEvidence(ABC):
    """What all kinds of evidence share: levels and contrasts are tested apart."""

    exact_levels: ClassVar[bool] = True
    """Whether the test of a level is exact, so that no number of rows is too few for it."""
    bounds: ClassVar[bool] = False
    """Whether both values are upper bounds, rows without a label being taken as right."""
    estimated: ClassVar[bool] = False
    """Whether both values rest on a random sample of rows whose number alone is known."""

    @property
    def shows_alike(self) -> bool:
        """Whether enough rows show that nothing changed though the models differ in none."""
        return False

    @property
    def reliable(self) -> bool:
        """Whether the method's error rates are known for rows such as these."""
        return not self.lacking

    @property
    def too_few(self) -> str:
        return ""

    @property
    def lacking(self) -> int:
        return 0

    @property
    def effective(self) -> int | None:
        return None

    def reliable_for(self, hypothesis: Hypothesis) -> bool:
        return (self.exact_levels and isinstance(hypothesis, Level)) or self.reliable

    def outweighed(self, hypothesis: Hypothesis, alpha: float) -> int | None:
        del hypothesis, alpha
        return None

    def rows_unseen(self, room: float, score: float) -> float:
        del room, score
        return 0.0

    def unseen_loss(self, contrast: Contrast) -> UnseenLoss | None:
        del contrast
        return None

    def test(self, hypothesis: Hypothesis) -> TestResult:
        if isinstance(hypothesis, Level):
            return self._level(hypothesis)
        return self._contrast(hypothesis)

    def count(self: Evidence, hypothesis: Hypothesis) -> int:
        del hypothesis
        return self.n

    @abstractmethod
    def _level(self, level: Level) -> TestResult: ...

    @abstractmethod
    def _contrast(self, contrast: Contrast) -> TestResult: ...


def binomial_level(successes: int, trials: int, level: Level) -> TestResult:
    """The exact test of one rate."""
    test = clopper_pearson.test_at_least if level.at_least else clopper_pearson.test_at_most
    return test(successes, trials, float(level.limit))


@dataclass(frozen=True, kw_only=True)
class PairedRate(TestedEvidence):
    """Both models decide the same rows: recall, specificity, accuracy, false positive rate."""

    both: int
    """Rows that both models get right."""
    lost: int
    gained: int
    neither: int
    """Rows that neither gets right."""

    @property
    def n(self) -> int:
        return self.both + self.lost + self.gained + self.neither

    @property
    def baseline(self) -> Fraction | None:
        return rate(self.both + self.lost, self.n)

    @property
    def candidate(self) -> Fraction | None:
        return rate(self.both + self.gained, self.n)

    def _level(self, level: Level) -> TestResult:
        return binomial_level(self.both + self.gained, self.n, level)

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
class SingleRate(TestedEvidence):
    """A rate that only the pair of models has: negative flip rate, churn (as its complement)."""

    good: int
    """Rows without a flip."""
    n: int
    lost: int
    gained: int
    baseline: Fraction | None = None

    @property
    def candidate(self) -> Fraction | None:
        return rate(self.good, self.n)

    def _level(self, level: Level) -> TestResult:
        return binomial_level(self.good, self.n, level)

    def _contrast(self, contrast: Contrast) -> NoReturn:
        del contrast
        raise ValueError("a flip rate has no baseline value, so it has no change")

    def level_interval(self) -> Interval:
        return clopper_pearson.interval(self.good, self.n)

    def change_interval(self) -> Interval:
        self._contrast(Difference(margin=Fraction(0)))
