"""Outcomes: the gate's decision on many simulated tables, from the standing of every limit.

Approve: every limit passes. Reject: a limit fails outright, or Holm's correction leaves some proven
harm. Holm's first step compares the smallest p_harm with alpha / K; where no p_harm reaches that
nothing is rejected, so only that one comparison is made. In the rare table where the only harm that
reaches it may not be held against its limit, Holm is worked out in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prunegate.planning.limit_results import LimitResults
from prunegate.planning.planned_limits import Asked
from prunegate.stats.acceptance import Bools
from prunegate.stats.result import adjust

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class TestFamily:
    """The size of Holm's family in each table, and which limits show harm at its first step."""

    size: Ints
    harmed: Bools
    """Limits (first axis) by tables."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """One decision per table."""

    approve: Bools
    reject: Bools


def family(
    standings: Sequence[LimitResults],
    alpha: float,
    before: TestFamily | None = None,
    changed: Sequence[int] = (),
) -> TestFamily:
    """Who shows harm at Holm's first step.

    Args:
        standings: of every blocking limit.
        alpha: level of the whole family.
        before: the family of the same tables before some limits changed.
        changed: places of those limits.
    """
    size = np.sum([s.family for s in standings], axis=0)
    harmed = np.zeros((len(standings), len(size)), dtype=np.bool_)
    for place, standing in enumerate(standings):
        asked = standing.family
        if before is not None and place not in changed:
            harmed[place] = before.harmed[place]
            asked = asked & (size != before.size)
            harmed[place, asked] = False
        for count in np.unique(size[asked]):
            here = asked & (size == count)
            harmed[place] |= standing.harms(alpha / max(int(count), 1), here)
    return TestFamily(size=size, harmed=harmed)


def outcomes(
    asked: Asked, standings: Sequence[LimitResults], found: TestFamily, alpha: float
) -> Outcomes:
    """The decision on every table."""
    passed = np.array([s.passed for s in standings])
    failed = np.array([s.failed for s in standings])
    open_to_harm = np.array([s.contestable for s in standings]) & ~passed
    reject = failed.any(axis=0) | (found.harmed & open_to_harm).any(axis=0)
    for table in np.flatnonzero((found.harmed & ~open_to_harm).any(axis=0) & ~reject):
        reject[table] = _holm(standings, open_to_harm, int(table), alpha)
    if any(asked.unmet):
        reject[:] = True
    approve = np.asarray(passed.all(axis=0))
    if asked.unmet or asked.absent:
        approve[:] = False
    return Outcomes(approve=approve, reject=reject)


def _holm(standings: Sequence[LimitResults], open_to_harm: Bools, table: int, alpha: float) -> bool:
    members = [place for place, s in enumerate(standings) if s.family[table]]
    adjusted = adjust([standings[place].harm(table) for place in members])
    return any(
        p <= alpha and open_to_harm[place, table]
        for place, p in zip(members, adjusted, strict=True)
    )
