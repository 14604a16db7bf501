"""Standing: where one limit stands on each of many simulated tables, before the family is known.

The vectorised form of what ``drafts.py`` decides for one table, in the same order of reasons;
``tests/unit/planning`` holds the two against each other, outcome by outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prunegate.evidence.overlapping_rates import OverlappingRate
from prunegate.evidence.rates import Evidence, PairedRate, SingleRate
from prunegate.metrics.hypothesis import ErrorsAtMost, Level, SuccessRatio, holds
from prunegate.planning.planned_limits import PlannedLimit
from prunegate.planning.tests import ManyTests, each, evidence_of_many, in_columns, tested, totals
from prunegate.stats import joint_counts
from prunegate.stats.acceptance import Bools, Ints
from prunegate.stats.reliable import SCORE_MINIMUM


@dataclass(frozen=True, kw_only=True)
class LimitResults:
    """One limit on many tables; every array has one entry per table."""

    passed: Bools
    failed: Bools
    """Failed whatever the family says: point rules, and ``on_undefined: fail``."""
    family: Bools
    """Whether its p_harm is counted by Holm."""
    contestable: Bools
    """Whether proven harm may fail it."""
    tests: ManyTests | None
    """The tests of the family's tables; None where the limit is never tested."""

    def harms(self, level: float, where: Bools) -> Bools:
        """Whether p_harm <= level, bool [tables]; only tables in ``where`` are looked at."""
        shown = np.zeros(len(self.family), dtype=np.bool_)
        if self.tests is not None:
            shown[self.family] = self.tests.harms(level, where[self.family])
        return shown

    def harm(self, table: int) -> float:
        """p_harm of one table of the family."""
        assert self.tests is not None  # noqa: S101  # asked only about members of the family
        return self.tests.harm(int(np.count_nonzero(self.family[:table])))


def stand(limit: PlannedLimit, cells: Ints, alpha: float) -> LimitResults:
    """Where a limit stands on tables of its slice's cells, int64 [tables, 8]."""
    known = _defined(limit, cells)
    everywhere = np.zeros(len(cells), dtype=np.bool_)
    fails = np.full(len(cells), limit.rule.on_undefined == "fail")
    compared = known & ~_no_ratio(limit, cells) if limit.enough else everywhere
    failed = fails & (~known | (known & ~compared & limit.enough))
    if not limit.proven:
        passed = everywhere.copy()
        passed[compared] = _within(limit, cells[compared])
        failed |= compared & ~passed
        passed &= not limit.one_class
        never = everywhere
        return LimitResults(
            passed=passed, failed=failed, family=never, contestable=never, tests=None
        )
    trusted = compared & ~_too_few(limit, cells)
    tests = tested(limit.metric, limit.claim, cells[known]) if known.any() else None
    passed = everywhere.copy()
    if tests is not None and trusted.any() and not limit.one_class:
        passed[known] = tests.passes(alpha)
        passed &= trusted
    return LimitResults(
        passed=passed, failed=failed, family=known, contestable=trusted, tests=tests
    )


def _defined(limit: PlannedLimit, cells: Ints) -> Bools:
    """Whether the candidate's rate and, for a change, the baseline's have a value."""
    if not in_columns(limit.metric):
        return each(limit.metric, cells, lambda about: _has_values(about, limit))
    about = evidence_of_many(limit.metric, cells)
    if isinstance(about, OverlappingRate):
        known = totals(about, "candidate")[1] > 0
        if isinstance(limit.claim, Level):
            return known
        return np.asarray(known & (totals(about, "baseline")[1] > 0))
    return np.asarray(about.n) > 0


def _has_values(about: Evidence, limit: PlannedLimit) -> bool:
    compared = not isinstance(limit.claim, Level)
    return about.candidate is not None and not (compared and about.baseline is None)


def _no_ratio(limit: PlannedLimit, cells: Ints) -> Bools:
    """Whether the baseline's rate that a ratio refers to is zero."""
    wanted = {SuccessRatio: "right", ErrorsAtMost: "wrong"}.get(type(limit.claim))
    if wanted is None:
        return np.zeros(len(cells), dtype=np.bool_)
    if not in_columns(limit.metric):
        return each(limit.metric, cells, lambda about: _refers_to_nothing(about, limit))
    right, wrong = _baseline(limit.metric, cells)
    return np.asarray((right if wanted == "right" else wrong) == 0)


def _refers_to_nothing(about: Evidence, limit: PlannedLimit) -> bool:
    if about.baseline is None or about.candidate is None:
        return False  # undefined, which is told apart
    return holds(limit.claim, about.baseline, about.candidate) is None


def _baseline(metric: str, cells: Ints) -> tuple[Ints, Ints]:
    """Numbers that the baseline's success and error rates are proportional to."""
    about = evidence_of_many(metric, cells)
    if isinstance(about, PairedRate):
        return np.asarray(about.both + about.lost), np.asarray(about.gained + about.neither)
    assert isinstance(about, OverlappingRate)  # noqa: S101  # flip rates have no changes
    u, v = totals(about, "baseline")
    return u, v - u


def _too_few(limit: PlannedLimit, cells: Ints) -> Bools:
    """Whether the test's error rates are unknown for so few rows."""
    if not in_columns(limit.metric):
        return each(limit.metric, cells, lambda about: not about.reliable_for(limit.claim))
    about = evidence_of_many(limit.metric, cells)
    if isinstance(limit.claim, Level) or isinstance(about, PairedRate | SingleRate):
        return np.zeros(len(cells), dtype=np.bool_)
    assert isinstance(about, OverlappingRate)  # noqa: S101  # the third kind
    both = [totals(about, model) for model in joint_counts.MODELS]
    sizes = [v - u // 2 if about.f1 else v for u, v in both]
    return np.asarray(np.minimum(*sizes) < SCORE_MINIMUM)


def _within(limit: PlannedLimit, cells: Ints) -> Bools:
    """Whether the estimate keeps the limit, in exact fractions."""

    def inside(about: Evidence) -> bool:
        assert about.candidate is not None  # noqa: S101  # undefined ones are sorted out
        return bool(holds(limit.claim, about.baseline, about.candidate))

    return each(limit.metric, cells, inside)
