"""Recall of rows in groups, as a change and as a floor.

Groups hold 1 to 10 positives, evenly, or mostly one and now and then up to 200 (a Pareto law, as of
the posts of advertisers); the last one is cut where the slice is full. A group's rows
share a propensity drawn from a Dirichlet distribution, so that two of its rows are alike with the
given intraclass correlation; at 1 the group decides as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.tallies import JointCounts
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.metrics.hypothesis import Difference, Hypothesis, Level
from simulated.gates import Outcome, Pool, judged, pool_of

LARGEST = 10
TAIL, HUGE = 1.2, 200
"""Exponent and largest size where a few groups hold most of the rows."""
AT_ONCE = 500
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class State:
    """How often the rows of each role occur, and how alike the rows of a group are."""

    shares: tuple[float, ...]
    correlation: float
    uneven: bool = False
    """Whether a few groups hold most of the rows."""


@dataclass(frozen=True, kw_only=True)
class GroupedRecall:
    """The change of recall."""

    name: str
    by_row: bool = False
    """Judge the rows as if they were independent: what the gate does without a group column."""
    uneven: bool = False
    draws: float = 0.2
    rows: tuple[int, ...] = (50, 100, 300, 1000)
    margins: tuple[float, ...] = (0.02, 0.05)

    def states(self, change: float) -> list[State]:
        """Shares of both right, lost and gained."""
        return [
            State(
                shares=(1 - differ + change, differ / 2 - change, differ / 2),
                correlation=alike,
                uneven=self.uneven,
            )
            for alike, differ in product((1.0, 0.5, 0.1), (0.0, 0.08, 0.02))
        ]

    def pool(self, state: State, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n positives; equal sums over groups are judged once."""
        size = max(1, round(draws * self.draws))
        claim = Difference(margin=Fraction(str(margin)))
        sums = _drawn(state, n, size, np.random.default_rng(seed))
        if self.by_row:
            sums = sums[:, :3]
        return _judged(sums, (7, 6, 5), claim)


@dataclass(frozen=True, kw_only=True)
class GroupedFloor:
    """A floor under recall: a slice that has not changed lies one margin above it."""

    name: str
    level: float
    """Recall of a slice that has not changed."""
    uneven: bool = False
    draws: float = 0.2
    rows: tuple[int, ...] = (50, 100, 300, 1000)
    margins: tuple[float, ...] = (0.02, 0.05)

    def states(self, change: float) -> list[State]:
        """Shares of right and wrong."""
        right = self.level + change
        shares = (right, 1 - right)
        return [
            State(shares=shares, correlation=alike, uneven=self.uneven) for alike in (1.0, 0.5, 0.1)
        ]

    def pool(self, state: State, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n positives; equal sums over groups are judged once."""
        size = max(1, round(draws * self.draws))
        floor = Fraction(str(self.level)) - Fraction(str(margin))
        sums = _drawn(state, n, size, np.random.default_rng(seed))
        return _judged(sums, (7, 4), Level(limit=floor, at_least=True))


def _drawn(state: State, n: int, draws: int, rng: np.random.Generator) -> Counts:
    """Per slice: rows by role, groups, and the sums over groups that the gate keeps."""
    parts = [min(AT_ONCE, draws - start) for start in range(0, draws, AT_ONCE)]
    return np.concatenate([_sums(_groups(state, n, part, rng)) for part in parts])


def _groups(state: State, n: int, draws: int, rng: np.random.Generator) -> Counts:
    """Rows by slice, group and role."""
    if state.uneven:
        sizes = (1 + rng.pareto(TAIL, size=(draws, n))).clip(max=HUGE).astype(np.int64)
    else:
        sizes = rng.integers(1, LARGEST + 1, size=(draws, n))
    ends = sizes.cumsum(axis=1).clip(max=n)
    ends = ends[:, : int((ends < n).sum(axis=1).max()) + 1]
    sizes = np.diff(ends, axis=1, prepend=0)
    shares = np.array(state.shares)
    if state.correlation == 1:
        return sizes[..., None] * rng.multinomial(1, shares, size=sizes.shape)
    propensity = rng.gamma(shares * (1 / state.correlation - 1), size=(*sizes.shape, shares.size))
    counts: Counts = rng.multinomial(sizes, propensity / propensity.sum(axis=-1, keepdims=True))
    return counts


def _sums(counts: Counts) -> Counts:
    held = (counts > 0).astype(np.int64)
    products = (counts.transpose(0, 2, 1) @ counts).reshape(len(counts), -1)
    shared = (held.transpose(0, 2, 1) @ held).reshape(len(counts), -1)
    groups = held.any(axis=2).sum(axis=1, keepdims=True)
    return np.concatenate([counts.sum(axis=1), groups, products, shared], axis=1)


def _judged(sums: Counts, cells: tuple[int, ...], claim: Hypothesis) -> Pool:
    tables, place = np.unique(sums, axis=0, return_inverse=True)
    return pool_of([_outcome(table, cells, claim) for table in tables.tolist()], place)


def _outcome(table: Sequence[int], cells: tuple[int, ...], claim: Hypothesis) -> Outcome:
    roles = len(cells)
    counts = [0] * 8
    for cell, rows in zip(cells, table[:roles], strict=True):
        counts[cell] = rows
    if len(table) == roles:
        return judged(
            evidence(WantedMetric(metric="recall"), JointCounts(cells=tuple(counts))), claim
        )
    pairs = list(product(cells, cells))
    products, shared = table[roles + 1 : roles + 1 + roles**2], table[roles + 1 + roles**2 :]
    groups = Clusters(
        groups=table[roles],
        products=dict(zip(pairs, products, strict=True)),
        shared=dict(zip(pairs, shared, strict=True)),
    )
    tally = JointCounts(cells=tuple(counts), clusters=groups)
    return judged(evidence(WantedMetric(metric="recall", grouped=True), tally), claim)


GROUPED = (
    GroupedRecall(name="grouped recall"),
    GroupedRecall(name="grouped recall judged by row", by_row=True),
    GroupedRecall(
        name="grouped recall, uneven groups", uneven=True, draws=0.1, rows=(300, 1000, 3000)
    ),
    GroupedFloor(name="grouped recall floor", level=0.9),
    GroupedFloor(name="grouped recall high floor", level=0.98, margins=(0.01, 0.02)),
    GroupedFloor(
        name="grouped recall floor, uneven groups",
        level=0.9,
        uneven=True,
        draws=0.1,
        rows=(300, 1000, 3000),
    ),
)
