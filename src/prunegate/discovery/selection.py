"""Standing out: which of many overlapping slices are worth a person's look, the worst first.

A loss shows in every slice that overlaps it. So slices are taken in the order of z, and one is kept
only if it says something that is not known yet:

- it lost clearly more than each known slice that it lies in (the whole table, slices that the
  policy declares, slices kept before): more than a share of that slice's loss by its rows;
- the rows that it does not share with slices kept before lost clearly more than the whole table.

Declared slices come before all others, because the gate shows them already. Clearly is two standard
errors under sign flips. So a parent comes first and children that lost no
more than their share are dropped; where a child turns out to hold its parent's whole loss, the
parent is dropped instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.change_cells import Cells
from prunegate.stats.sign_flips import SignFlips

CLEARLY = 2.0
"""Standard errors."""
Mask = NDArray[np.bool_]
Around = tuple[Mask, Iterable[Mask]]
"""A slice's cells, and those of every declared slice that contains it."""
KNOWN = -1
"""Number of slices that are kept for what they explain, and not shown."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """The cells and how their changes vary under sign flips."""

    cells: Cells
    flips: SignFlips

    def beyond(self, inner: Mask, outer: Mask) -> float:
        """Standard errors by which ``inner`` lost more than its share of ``outer``'s loss.

        Both are bool [cells], ``inner`` within ``outer``.

        0 where the two are the same rows or nothing in them changed.
        """
        rows = self.cells.rows
        weights = inner - (rows[inner].sum() / rows[outer].sum()) * outer
        # Sums, not dot products: BLAS would start threads for a few thousand numbers.
        variance = float((weights * self.flips.times(weights)).sum())
        excess = float((weights * self.cells.change).sum())
        return excess / variance**0.5 if variance > 0 else 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectedSlice:
    """A slice that is kept."""

    number: int
    mask: Mask
    """Its cells."""
    beyond: float
    """Standard errors by which it lies beyond what is known around it."""


@dataclass(kw_only=True, eq=False)
class SelectedSlices:
    """Slices kept so far, worst first."""

    ground: Ground
    slices: list[SelectedSlice] = field(default_factory=list)

    @property
    def shown(self) -> list[SelectedSlice]:
        """Without what was known before."""
        return [one for one in self.slices if one.number != KNOWN]

    def offer(self, number: int, mask: Mask, declared: Iterable[Mask]) -> None:
        """Keep a slice, bool [cells], if it says something new; drop what it explains."""
        everything = np.ones_like(mask)
        inside = [known.mask for known in self.slices if not (mask & ~known.mask).any()]
        found = [self.ground.beyond(mask, known) for known in (everything, *inside, *declared)]
        if not inside:
            found.append(self._rest(mask, self.slices))
        if min(found) >= CLEARLY:
            new = SelectedSlice(number=number, mask=mask, beyond=min(found))
            self.slices = [known for known in self.slices if not self._explained(known, new)]
            self.slices.append(new)

    def _explained(self, known: SelectedSlice, new: SelectedSlice) -> bool:
        """Whether a slice kept before lost nothing to speak of but what a new one inside did."""
        contains = not (new.mask & ~known.mask).any()
        return contains and self._rest(known.mask, [new]) < CLEARLY

    def _rest(self, mask: Mask, others: Iterable[SelectedSlice]) -> float:
        """How far the rows that others do not have lie beyond the whole table."""
        rest = mask & ~np.logical_or.reduce([np.zeros_like(mask), *(o.mask for o in others)])
        return self.ground.beyond(rest, np.ones_like(mask)) if rest.any() else 0.0


def worst_apart(
    ground: Ground, known: Iterable[Mask], ranked: Iterable[tuple[int, Around]], top: int
) -> list[SelectedSlice]:
    """The slices that are worth a look.

    Args:
        ground: the cells.
        known: cells of each slice that needs no showing.
        ranked: number and surroundings of every other slice, the worst first.
        top: most slices to keep.
    """
    kept = SelectedSlices(ground=ground)
    for mask in known:
        kept.offer(KNOWN, mask, ())
    for number, (mask, declared) in ranked:
        if len(kept.shown) == top:
            break
        kept.offer(number, mask, declared)
    return kept.shown
