"""Precision at a fixed recall: exact tests of false alarms, at every pair of thresholds possible.

At thresholds with one recall, a limit on precisions is a limit on false alarms
(``stats/fixed_recall.py``), and these are decided on the negatives, which are other rows than the
positives that the thresholds follow from. So the exact paired test holds at any pair of thresholds,
and the p-value is the largest over the pairs that the positives leave possible
(``fixed_rate_recall.py``), plus the chance that these, or the bounds of what else is not known
(the share of positives, the other model's false alarms, equal scores), leave out the truth.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

from prunegate.counting.fixed_rate import fewest_negatives
from prunegate.counting.fixed_recall import FixedRecallCounts, missed_at
from prunegate.evidence.fixed_rate_recall import FixedRateRecall
from prunegate.evidence.rates import TestedEvidence, rate
from prunegate.metrics.hypothesis import Contrast, Difference, Level, linear_form
from prunegate.stats import clopper_pearson, roots
from prunegate.stats.fixed_recall import AtRecall, Ends, alarms_at, surely_broken, surely_kept
from prunegate.stats.result import Interval, TestResult
from prunegate.text.said import said

METHOD = "exact, at the thresholds least in its favour that the positives leave possible"
TAIL = 2e-5
"""What each further bound is missed with at most."""
BOUNDS = 5
"""Further bounds that a test rests on at most."""
_BASELINE, _CANDIDATE = 0, 1


@dataclass(frozen=True, kw_only=True)
class FixedRecallPrecision(TestedEvidence):
    """What two models flag, each at its threshold with one recall."""

    exact_levels: ClassVar = False

    counts: FixedRecallCounts
    recall: float
    lost: None = None
    gained: None = None

    @cached_property
    def _alone(self) -> FixedRateRecall:
        """Negatives left alone: as positives flagged at a fixed rate, the other way round."""
        return FixedRateRecall(counts=self.counts.alone, rate=missed_at(self.recall))

    @property
    def positives(self) -> int:
        """Rows that the thresholds follow from."""
        return self.counts.alone.negatives

    @property
    def negatives(self) -> int:
        """Rows that are tested."""
        return self._alone.n

    @property
    def n(self) -> int:
        return self.positives + self.negatives

    @property
    def baseline(self) -> Fraction | None:
        return self._value(_BASELINE)

    @property
    def candidate(self) -> Fraction | None:
        return self._value(_CANDIDATE)

    def _value(self, model: int) -> Fraction | None:
        hits = self.counts.hits[model]
        return rate(hits, hits + _alarms(self.counts.alone.here, model)) if hits else None

    @property
    def reliable(self) -> bool:
        return self.positives >= fewest_negatives(missed_at(self.recall))

    @property
    def lacking(self) -> int:
        """Rows of the slice's mix until it has as many positives as a threshold takes."""
        short = max(0, fewest_negatives(missed_at(self.recall)) - self.positives)
        return math.ceil(short * self.n / max(self.positives, 1))

    @property
    def too_few(self) -> str:
        if self.reliable:
            return ""
        return said(
            "too_few.fixed_recall",
            rate=self.recall,
            least=fewest_negatives(missed_at(self.recall)),
            n=self.positives,
        )

    @cached_property
    def _odds(self) -> Ends:
        """Negatives to one positive, in the population."""
        tails = (clopper_pearson.upper, clopper_pearson.lower)
        few, many = (one(self.positives, self.n, TAIL) for one in tails)
        return 1 / few - 1, (1 / many - 1 if many else math.inf)

    def _most(self, model: int) -> float:
        """The most that a model's recall may be: above what is asked for by equal scores."""
        tied = clopper_pearson.upper(self.counts.tied[model], self.positives, TAIL)
        return min(1.0, self.recall + tied)

    def _known(self, held_against: int, most: int) -> AtRecall:
        """What is known where a test holds one model against the other.

        Args:
            held_against: that model.
            most: the model of which too high a recall would speak for what is to be shown.
        """
        tables = (*self.counts.alone.candidate_low, *self.counts.alone.candidate_high)
        alarms = [_alarms(table, held_against) for table in tables]
        return AtRecall(
            recall=self.recall,
            most=self._most(most),
            odds=self._odds,
            alarms=(
                clopper_pearson.lower(min(alarms), self.negatives, TAIL),
                clopper_pearson.upper(max(alarms), self.negatives, TAIL),
            ),
        )

    def _contrast(self, contrast: Contrast) -> TestResult:
        slope, margin = map(float, linear_form(contrast))
        own, other = (_BASELINE, _CANDIDATE) if contrast.swapped else (_CANDIDATE, _BASELINE)
        kept = surely_kept(slope, margin, self._known(other, other))
        broken = surely_broken(slope, margin, self._known(other, own))

        def claim(rise: float) -> Difference:
            return Difference(margin=Fraction(rise), swapped=contrast.swapped)

        return _result(
            1.0 if kept <= -1 else 0.0 if kept >= 1 else self._alone.test(claim(kept)).p_value,
            1.0 if broken >= 1 else 0.0 if broken <= -1 else self._alone.test(claim(broken)).p_harm,
        )

    def _level(self, level: Level) -> TestResult:
        """A precision is at least a limit where false alarms are at most what it allows."""
        limit, (few, many) = float(level.limit), self._odds
        if limit <= 0:
            return _result(0.0, 1.0) if level.at_least else _result(1.0, 0.0)
        least = alarms_at(limit, self.recall, many)
        most = alarms_at(limit, self._most(_CANDIDATE), few)

        def p(alarms: float, read: Callable[[TestResult], float]) -> float:
            spared = Fraction(max(0.0, 1.0 - alarms))
            return read(self._alone.test(Level(limit=spared, at_least=level.at_least)))

        kept, broken = (least, most) if level.at_least else (most, least)
        return _result(p(kept, lambda one: one.p_value), p(broken, lambda one: one.p_harm))

    def level_interval(self) -> Interval:
        """From that of false alarms, at the odds and recalls that leave most room."""
        found, (few, many) = self._alone.level_interval(), self._odds
        return Interval(
            low=_precision(1 - found.low, self.recall, many),
            high=_precision(1 - found.high, self._most(_CANDIDATE), few),
            method=found.method,
        )

    def change_interval(self) -> Interval:
        """The changes that no rise of false alarms within its interval rules out for sure."""
        found = self._alone.change_interval()
        if self.baseline is None:
            return replace(found, low=-math.inf, high=math.inf)
        most, least = -found.low, -found.high
        keeps, breaks = (self._known(_BASELINE, one) for one in (_BASELINE, _CANDIDATE))

        def kept(change: float) -> float:
            return surely_kept(1.0, -change, keeps) - most

        def broken(change: float) -> float:
            return least - surely_broken(1.0, -change, breaks)

        return Interval(
            low=roots.crossing(kept, -1.0, 1.0),
            high=roots.crossing(broken, 1.0, -1.0),
            method=found.method,
        )


def _precision(alarms: float, recall: float, odds: float) -> float:
    """With false alarms at this rate, which is 1 at most."""
    return recall / (recall + odds * alarms) if alarms > 0 else 1.0


def _alarms(alone: tuple[int, int, int, int], model: int) -> int:
    """Negatives that a model flags, of those counted by who leaves them alone."""
    neither, candidate, baseline, _ = alone
    return neither + (baseline if model else candidate)


def _result(p_value: float, p_harm: float) -> TestResult:
    """With what the further bounds are missed with at most."""
    missed = BOUNDS * TAIL
    return TestResult(
        p_value=min(1.0, p_value + missed),
        p_harm=min(1.0, p_harm + missed),
        method=METHOD,
        exact=True,
    )
