"""Groups: the finest slices, with their sizes and the chances of each of the eight cells.

Chances are held per label, because a plan keeps the numbers of positives and negatives as they are
and only the decisions vary. From a pilot, discordance is shrunk: by one discordant row in two over
all rows of a label, ``(lost + gained + 1) / (n + 2)``, and by two rows of that overall value within
a group. A pilot without a disagreement therefore never plans with none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.tallies import Cells

Floats = NDArray[np.float64]
PRIOR = 2
"""Rows of the overall value that a group's own rows are mixed with."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One combination of slicing values."""

    values: tuple[str, ...]
    """In the order of ``policy.keys``."""
    negatives: int
    positives: int
    chances: tuple[float, ...]
    """Of cells 0 to 3 among the negatives, then of cells 4 to 7 among the positives."""

    @property
    def rows(self) -> int:
        """All rows."""
        return self.negatives + self.positives


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What is expected of the rows of one label."""

    right: float
    """Share that the baseline gets right."""
    lost: float
    """Share that the baseline gets right and the candidate wrong."""
    gained: float
    """Share that the candidate gets right and the baseline wrong."""

    def chances(self, *, positive: bool) -> tuple[float, ...]:
        """Of the label's four cells, in their order; the rate gives way where it cannot be."""
        right = min(max(self.right, self.lost), 1 - self.gained)
        both, neither = right - self.lost, 1 - right - self.gained
        cells = (neither, self.gained, self.lost, both)
        return cells if positive else cells[::-1]


def expected(groups: Sequence[Group]) -> Floats:
    """Expected rows of each group and cell, float64 [groups, 8]."""
    sizes = np.array([[g.negatives] * 4 + [g.positives] * 4 for g in groups], dtype=float)
    return np.asarray(sizes * np.array([g.chances for g in groups]))


def from_pilot(pilot: Mapping[tuple[str, ...], Cells], *, as_seen: bool) -> tuple[Group, ...]:
    """Groups as large as the pilot's; combinations without rows are left out.

    Args:
        pilot: eight joint counts per group.
        as_seen: expect the change that the pilot shows; otherwise none.
    """
    total = np.array(list(pilot.values())).sum(axis=0)
    wholes = [_Label.of(total, positive=positive) for positive in (False, True)]
    return tuple(
        Group(
            values=values,
            negatives=sum(cells[:4]),
            positives=sum(cells[4:]),
            chances=tuple(
                chance
                for positive, whole in enumerate(wholes)
                for chance in _rates(
                    _Label.of(np.array(cells), positive=bool(positive)), whole, as_seen=as_seen
                ).chances(positive=bool(positive))
            ),
        )
        for values, cells in pilot.items()
        if sum(cells)
    )


@dataclass(frozen=True, kw_only=True)
class _Label:
    """Rows of one label, and of them those that the baseline gets right, lost and gained."""

    n: int
    right: int
    lost: int
    gained: int

    @classmethod
    def of(cls, cells: NDArray[np.int64], *, positive: bool) -> _Label:
        """One label's part of eight cells."""
        neither, gained, lost, both = map(int, cells[4:] if positive else cells[3::-1])
        return cls(n=neither + gained + lost + both, right=both + lost, lost=lost, gained=gained)


def _rates(group: _Label, whole: _Label, *, as_seen: bool) -> Rates:
    """A group's rates: its share of the shrunk whole, mixed with a little of the whole."""
    right = whole.right / whole.n if whole.n else 0.5
    lost, gained = (
        _mixed(group, whole, seen)
        for seen in ((group.lost, whole.lost), (group.gained, whole.gained))
    )
    if not as_seen:
        lost = gained = (lost + gained) / 2
    return Rates(right=(group.right + PRIOR * right) / (group.n + PRIOR), lost=lost, gained=gained)


def _mixed(group: _Label, whole: _Label, seen: tuple[int, int]) -> float:
    """A shrunk rate; with one group it is (seen + 1/2) / (n + 2), and groups add up to that."""
    overall = (seen[1] + 0.5) / (whole.n + 2)
    if whole.n == 0:
        return overall
    own = (seen[0] + 0.5 * group.n / whole.n) * whole.n / (whole.n + 2)
    return (own + PRIOR * overall) / (group.n + PRIOR)
