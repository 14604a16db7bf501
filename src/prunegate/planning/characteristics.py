"""Operating characteristics: how often this very gate approves and rejects a given truth.

Sizes and labels stay as they are; the decisions of both models are drawn for every group (seeded),
summed to slices, and judged by the gate's own rule. A slice that is made worse is drawn anew while
all others keep their draws, so that only what it touches has to be judged again. Of all shifts at
one distance the worst (most approvals, then fewest rejections) is reported, and drawn afresh for
that, because the worst of many noisy numbers looks worse than it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prunegate.io.progress import Progress
from prunegate.planning.cells import Layout
from prunegate.planning.groups import Group
from prunegate.planning.limit_results import LimitResults, stand
from prunegate.planning.outcomes import Outcomes, TestFamily, family, outcomes
from prunegate.planning.planned_limits import Asked, PlannedLimit
from prunegate.planning.shifts import Shift, shift

Ints = NDArray[np.int64]
MOST_SHIFTS = 24
"""Shifts that are simulated; of more, those that the other limits let through most often."""
_BATCH = 1 << 24
"""Counts drawn at a time."""
_BASE, _SEARCH, _REPORT = 0, 1, 2
"""Streams of random numbers."""


@dataclass(frozen=True, kw_only=True)
class Chances:
    """How often the gate decides what."""

    approve: float
    reject: float
    inconclusive: float
    approve_error: float
    """Monte-Carlo standard error of ``approve``."""
    reject_error: float


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One truth, and what the gate makes of it."""

    name: str
    """``nothing changed``, ``at the margin`` or ``twice the margin``."""
    slice: str | None
    """The slice that was moved."""
    metric: str | None
    """Whose limit it was moved to."""
    check: str | None
    chances: Chances


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What is simulated."""

    groups: tuple[Group, ...]
    layout: Layout
    asked: Asked
    alpha: float
    simulations: int
    seed: int

    def members(self, limit: PlannedLimit) -> tuple[int, ...]:
        """Places of the groups of a limit's slice."""
        return tuple(int(i) for i in np.flatnonzero(self.layout.members[limit.place]))

    def touched(self, places: Sequence[int]) -> list[int]:
        """Blocking limits whose slices share a group with these."""
        hit = np.asarray(self.layout.members[:, list(places)].any(axis=1))
        return [i for i, limit in enumerate(self.asked.blocking) if hit[limit.place]]


def simulate(gate: Gate, progress: Progress) -> tuple[Truth, ...]:
    """Nothing changed, then the worst single slice at its margin and at twice its margin."""
    bases = list(_bases(gate, progress))
    found = [_scenario("nothing changed", None, _chances([b.decided for b in bases]))]
    for name, times in (("at the margin", 1.0), ("twice the margin", 2.0)):
        candidates = _candidates(gate, bases, times)
        seen = []
        for place, moved in enumerate(candidates):
            progress(f"simulate one slice {name}", place, len(candidates))
            seen.append(_shifted(gate, bases, moved, _SEARCH))
        progress(f"simulate one slice {name}", len(candidates), max(len(candidates), 1))
        if seen:
            worst = max(range(len(seen)), key=lambda i: (seen[i].approve, -seen[i].reject))
            found.append(_reported(gate, bases, name, candidates[worst]))
    return tuple(found)


def _reported(gate: Gate, bases: Sequence[_Base], name: str, moved: Shift) -> Truth:
    return _scenario(name, moved, _shifted(gate, bases, moved, _REPORT))


def _scenario(name: str, moved: Shift | None, chances: Chances) -> Truth:
    limit = moved.limit if moved else None
    return Truth(
        name=name,
        slice=limit.counts.name if limit else None,
        metric=limit.metric if limit else None,
        check=limit.check if limit else None,
        chances=chances,
    )


@dataclass(frozen=True, kw_only=True)
class _Base:
    """A batch of simulations in which nothing changed."""

    number: int
    groups: Ints
    """Simulations by groups by cells."""
    slices: Ints
    """Simulations by slices by cells."""
    standings: tuple[LimitResults, ...]
    """Of the blocking limits."""
    family: TestFamily
    decided: Outcomes


def _bases(gate: Gate, progress: Progress) -> Sequence[_Base]:
    size = max(1, min(gate.simulations, _BATCH // (8 * len(gate.groups))))
    batches = math.ceil(gate.simulations / size)
    limits = gate.asked.blocking
    found = []
    for number in range(batches):
        count = min(size, gate.simulations - number * size)
        drawn = draw_tables(gate.groups, count, np.random.default_rng([gate.seed, _BASE, number]))
        slices = _whole(gate.layout.add(drawn))
        standings = []
        for place, limit in enumerate(limits):
            progress("simulate", number * len(limits) + place, batches * len(limits))
            standings.append(stand(limit, slices[:, limit.place], gate.alpha))
        known = family(standings, gate.alpha)
        found.append(
            _Base(
                number=number,
                groups=drawn,
                slices=slices,
                standings=tuple(standings),
                family=known,
                decided=outcomes(gate.asked, standings, known, gate.alpha),
            )
        )
    progress("simulate", 1, 1)
    return found


def draw_tables(groups: Sequence[Group], count: int, random: np.random.Generator) -> Ints:
    """Tables of every group, int64 [simulations, groups, 8]: each label's rows multinomial."""
    halves = []
    for at, sizes in ((0, [g.negatives for g in groups]), (4, [g.positives for g in groups])):
        chances = np.array([g.chances[at : at + 4] for g in groups])
        chances = np.maximum(chances, 0.0) / chances.sum(axis=1, keepdims=True)
        halves.append(random.multinomial(np.array(sizes), chances, size=(count, len(groups))))
    return np.concatenate(halves, axis=2)


def _whole(sums: NDArray[np.float64]) -> Ints:
    return np.rint(sums).astype(np.int64)


def _candidates(gate: Gate, bases: Sequence[_Base], times: float) -> list[Shift]:
    """The shifts to simulate, at most `MOST_SHIFTS`."""
    limits = gate.asked.blocking
    possible = {}
    for place, limit in enumerate(limits):
        moved = shift(limit, gate.groups, gate.members(limit), times) if limit.proven else None
        if moved is not None:
            possible[place] = moved
    if len(possible) <= MOST_SHIFTS:
        return list(possible.values())
    passed = np.concatenate([[s.passed for s in base.standings] for base in bases], axis=1)
    missing = (~passed).sum(axis=0)
    others = ((missing - ~passed) == 0).mean(axis=1)
    likely = sorted(possible, key=lambda place: -others[place])
    return [possible[place] for place in sorted(likely[:MOST_SHIFTS])]


def _shifted(gate: Gate, bases: Sequence[_Base], moved: Shift, stream: int) -> Chances:
    """The gate on the same tables with one slice drawn anew."""
    limit = gate.asked.blocking.index(moved.limit)
    random = np.random.default_rng([gate.seed, stream, limit])
    return _chances([_redecided(gate, base, moved, random) for base in bases])


def _redecided(gate: Gate, base: _Base, moved: Shift, random: np.random.Generator) -> Outcomes:
    places = list(moved.groups)
    redrawn = draw_tables(moved.applied(gate.groups), len(base.groups), random)
    change = redrawn - base.groups[:, places]
    changed = gate.touched(places)
    standings = list(base.standings)
    for place in changed:
        limit = gate.asked.blocking[place]
        inside = gate.layout.members[limit.place, places]
        cells = base.slices[:, limit.place] + change[:, inside].sum(axis=1)
        standings[place] = stand(limit, cells, gate.alpha)
    known = family(standings, gate.alpha, base.family, changed)
    return outcomes(gate.asked, standings, known, gate.alpha)


def _chances(decided: Sequence[Outcomes]) -> Chances:
    approve = np.concatenate([d.approve for d in decided])
    reject = np.concatenate([d.reject for d in decided])
    n = len(approve)
    yes, no = int(approve.sum()), int(reject.sum())
    return Chances(
        approve=yes / n,
        reject=no / n,
        inconclusive=(n - yes - no) / n,
        approve_error=_error(yes, n),
        reject_error=_error(no, n),
    )


def _error(count: int, n: int) -> float:
    """Standard error of a simulated share; never 0, because a share of 0 is not known exactly."""
    share = (count + 1) / (n + 2)
    return math.sqrt(share * (1 - share) / n)
