"""Standing out: which of many overlapping slices are worth a person's look, the worst first.

A loss shows in every slice that overlaps it. So slices are taken in the order of z, and one is kept
only if it says something that is not known yet:

- it lost clearly more than each known slice that it lies in (the whole table, slices that the
  policy declares, slices kept before): more than a share of that slice's loss by its rows;
- the rows that it does not share with slices kept before lost clearly more than the whole table.

Clearly is two standard errors under sign flips. What a parent explains is dropped, and so is a
parent whose loss is that of a child that ranks above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prunegate.evaluation.change_cells import Cells
from prunegate.stats.sign_flips import Flips

CLEARLY = 2.0
"""Standard errors."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """The cells and how their changes vary under sign flips."""

    cells: Cells
    flips: Flips

    def beyond(self, inner: Mask, outer: Mask) -> float:
        """Standard errors by which ``inner`` lost more than its share of ``outer``'s loss.

        0 where the two are the same rows or nothing in them changed.
        """
        rows = self.cells.rows
        weights = inner - (rows[inner].sum() / rows[outer].sum()) * outer
        variance = float(weights @ self.flips.times(weights))
        excess = float(weights @ self.cells.change)
        return excess / variance**0.5 if variance > 0 else 0.0


@dataclass(kw_only=True, eq=False)
class Kept:
    """Slices kept so far."""

    ground: Ground
    masks: list[Mask] = field(default_factory=list)

    def add(self, mask: Mask, declared: Iterable[Mask]) -> float | None:
        """Keep a slice that says something new; return how far it lies beyond what is known."""
        everything = np.ones_like(mask)
        inside = [known for known in self.masks if not (mask & ~known).any()]
        found = [self.ground.beyond(mask, known) for known in (everything, *inside, *declared)]
        rest = mask & ~np.logical_or.reduce([np.zeros_like(mask), *self.masks])
        if not inside:
            found.append(self.ground.beyond(rest, everything) if rest.any() else 0.0)
        if min(found) < CLEARLY:
            return None
        self.masks.append(mask)
        return min(found)


def worst_apart(
    ground: Ground,
    ranked: Iterable[int],
    mask_of: Callable[[int], Mask],
    declared_around: Callable[[int], Iterable[Mask]],
) -> Iterator[tuple[int, float]]:
    """Yield the slices that are worth a look, and how far each lies beyond what is known.

    Args:
        ground: the cells.
        ranked: slices, the worst first.
        mask_of: a slice's cells.
        declared_around: the cells of every declared slice that contains it.
    """
    kept = Kept(ground=ground)
    for number in ranked:
        beyond = kept.add(mask_of(number), declared_around(number))
        if beyond is not None:
            yield number, beyond
