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

from prunegate.evaluation.slices import Cells

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
    """Expected rows of each group (first axis) and cell."""
    sizes = np.array([[g.negatives] * 4 + [g.positives] * 4 for g in groups], dtype=float)
    return np.asarray(sizes * np.array([g.chances for g in groups]))


def from_pilot(pilot: Mapping[tuple[str, ...], Cells], *, as_seen: bool) -> tuple[Group, ...]:
    """Groups as large as the pilot's; rows of no group are left out.

    Args:
        pilot: eight joint counts per group.
        as_seen: expect the change that the pilot shows; otherwise none.
    """
    total = np.array(list(pilot.values())).sum(axis=0)
    overall = {positive: _overall(_label(total, positive)) for positive in (False, True)}
    return tuple(
        Group(
            values=values,
            negatives=sum(cells[:4]),
            positives=sum(cells[4:]),
            chances=tuple(
                chance
                for positive in (False, True)
                for chance in _within(
                    _label(np.array(cells), positive), overall[positive], as_seen=as_seen
                ).chances(positive=positive)
            ),
        )
        for values, cells in pilot.items()
        if sum(cells)
    )


def _label(cells: NDArray[np.int64], positive: bool) -> tuple[int, int, int, int]:
    """Rows of a label, and of them those right, lost and gained."""
    neither, gained, lost, both = cells[4:] if positive else cells[3::-1]
    return int(neither + gained + lost + both), int(both + lost), int(lost), int(gained)


def _overall(label: tuple[int, int, int, int]) -> Rates:
    n, right, lost, gained = label
    return Rates(
        right=right / n if n else 0.5,
        lost=(lost + 0.5) / (n + 2),
        gained=(gained + 0.5) / (n + 2),
    )


def _within(label: tuple[int, int, int, int], overall: Rates, *, as_seen: bool) -> Rates:
    n, right, lost, gained = label
    weight = n + PRIOR
    rates = Rates(
        right=(right + PRIOR * overall.right) / weight,
        lost=(lost + PRIOR * overall.lost) / weight,
        gained=(gained + PRIOR * overall.gained) / weight,
    )
    if as_seen:
        return rates
    half = (rates.lost + rates.gained) / 2
    return Rates(right=rates.right, lost=half, gained=half)
