"""Conjunctions: every slice that one, two or three columns make, level by level.

A conjunction has at most the rows of what it refines, so a value without enough rows is left out
before it is crossed with anything. Support counts every row; sums of changes need the cells in
which the two models differ, no others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.change_cells import Cells, Codes, row_keys
from prunegate.errors import InputError

MOST_MEMBERSHIPS = 20_000_000
"""Cells times combinations of columns, so that memory stays below some hundred megabytes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ConjunctionBlock:
    """The slices of one combination of columns that have enough rows."""

    places: tuple[int, ...]
    """Which of the cells' columns."""
    values: Codes
    """[slices, columns]: places in these columns' levels."""
    of_cell: NDArray[np.int32]
    """[cells]: the slice that a cell belongs to; -1 for none."""

    def __len__(self) -> int:
        return len(self.values)

    def sums(self, numbers: NDArray[Any]) -> NDArray[np.float64]:
        """Sums of numbers [cells] by slice, float64 [slices]."""
        summed = np.bincount(self.of_cell + 1, numbers, minlength=len(self) + 1)
        return summed[1:].astype(np.float64)

    def members(self) -> Any:
        """Sparse 0/1 [slices, cells]."""
        from scipy.sparse import csr_array

        (cells,) = np.nonzero(self.of_cell >= 0)
        ones = np.ones(len(cells))
        return csr_array((ones, (self.of_cell[cells], cells)), shape=(len(self), len(self.of_cell)))


def conjunction_blocks(cells: Cells, *, depth: int, support: int) -> tuple[ConjunctionBlock, ...]:
    """Every conjunction of up to ``depth`` columns with at least ``support`` rows.

    Raises:
        InputError: too many combinations for the memory that this may take.
    """
    ways = sum(math.comb(len(cells.columns), level) for level in range(1, depth + 1))
    if ways * len(cells.rows) > MOST_MEMBERSHIPS:
        raise InputError(
            f"{ways:,} combinations of columns in {len(cells.rows):,} cells are too many to look "
            "at together; name fewer columns, columns with fewer values, or a smaller depth"
        )
    return tuple(_levels(cells, depth, support))


def _levels(cells: Cells, depth: int, support: int) -> Iterator[ConjunctionBlock]:
    frequent: dict[tuple[int, ...], NDArray[np.bool_]] = {(): np.ones(len(cells.rows), np.bool_)}
    for level in range(1, depth + 1):
        for places in combinations(range(len(cells.columns)), level):
            parents = [frequent.get(p) for p in combinations(places, level - 1)]
            usable = np.logical_and.reduce([p for p in parents if p is not None])
            if any(p is None for p in parents) or not usable.any():
                continue
            block = _block(cells, places, usable, support)
            if len(block):
                frequent[places] = block.of_cell >= 0
                yield block


def _block(
    cells: Cells, places: Sequence[int], usable: NDArray[np.bool_], support: int
) -> ConjunctionBlock:
    (chosen,) = np.nonzero(usable)
    codes = cells.codes[chosen][:, list(places)]
    keys = row_keys(codes, [len(cells.levels[place]) for place in places])
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    enough = np.bincount(inverse, cells.rows[chosen]) >= support
    numbers = np.where(enough, np.cumsum(enough) - 1, -1)
    of_cell = np.full(len(cells.rows), -1, np.int32)
    of_cell[chosen] = numbers[inverse]
    return ConjunctionBlock(places=tuple(places), values=codes[first[enough]], of_cell=of_cell)
