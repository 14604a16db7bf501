"""Clusters: how a slice's cells occur together within groups of rows that depend on each other.

Frames of one video err together. Of every group only its counts per cell matter, and of those only
sums over groups: of the products of two counts, and of how many groups hold both cells. A group has
few different cells, so the sums are found by joining the groups' counts with themselves inside
the engine; no group ever reaches Python.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

Cell = Any
"""What rows are counted by: a place among eight joint counts, or a label and two decisions."""
Pair = tuple[Cell, Cell]


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """Sums over the groups of one slice."""

    groups: int
    """Groups with at least one row in the slice."""
    products: Mapping[Pair, int]
    """Sum over groups of the product of two cells' counts; both orders of a pair are there."""
    shared: Mapping[Pair, int]
    """Groups that hold both cells; of a cell with itself: groups that hold it."""

    def cross(self, roles: Callable[[Cell], int | None], size: int) -> list[list[float]]:
        """Products summed up by role: a matrix of ``size`` x ``size``; role None is left out."""
        found = [[0] * size for _ in range(size)]  # whole numbers: their order changes nothing
        for (one, other), total in self.products.items():
            row, column = roles(one), roles(other)
            if row is not None and column is not None:
                found[row][column] += total
        return [[float(total) for total in row] for row in found]

    def all_single(self, wanted: Callable[[Cell], bool], rows: int) -> bool:
        """Whether no group holds two of the wanted cells' rows, of which there are so many."""
        squares = (n for pair, n in self.products.items() if all(map(wanted, pair)))
        return sum(squares) == rows

    def beside_the_commonest(self, cells: Mapping[Cell, int], part: int) -> int:
        """Groups that hold a row whose label, or decision, is another than most rows have.

        Args:
            cells: rows by triple.
            part: of a triple: 0 the label, 1 the baseline's decision, 2 the candidate's.
        """
        sizes: Counter[str] = Counter()
        for cell, count in cells.items():
            sizes[cell[part]] += count
        _, most = max((count, name) for name, count in sizes.items())
        return self.holding(lambda cell: cell[part] != most)

    def holding(self, wanted: Callable[[Cell], bool]) -> int:
        """Groups that hold at least one of the wanted cells: the most that is certain.

        Exact where no group holds two different ones of them; else Dawson and Sankoff's lower
        bound, which is the best that follows from pairs. Fewer groups make every test more
        cautious.

        Source: Dawson & Sankoff (1967), Proc. AMS 18, 504-507.
        """
        cells = [one for one, other in self.shared if one == other and wanted(one)]
        single = sum(self.shared[cell, cell] for cell in cells)
        pairs = sum(self._both(cells))
        if single == 0:
            return 0
        k = 1 + 2 * pairs // single
        bound = 2 * single / (k + 1) - 2 * pairs / (k * (k + 1))
        most = max(self.shared[cell, cell] for cell in cells)
        return min(max(math.ceil(bound - 1e-9), most), self.groups)

    def _both(self, cells: list[Cell]) -> Iterable[int]:
        for place, one in enumerate(cells):
            for other in cells[place + 1 :]:
                yield self.shared.get((one, other), 0)

    def merged(self, cell: Callable[[Cell], int]) -> Clusters:
        """The same groups with their cells merged into the eight of yes/no decisions.

        Of groups that hold merged cells the fewest are assumed: more overlap is the cautious side.
        """
        place = cache(cell)
        products, both = (_by_place(sums, place) for sums in (self.products, self.shared))
        shared: dict[Pair, int] = {p: min(both.get(p, 0), self.groups) for p in _PAIRS}
        for one in range(8):
            shared[one, one] = self.holding(_merged_into(one, place))
        return Clusters(groups=self.groups, products=products, shared=shared)


def _merged_into(wanted: int, place: Callable[[Cell], int]) -> Callable[[Cell], bool]:
    return lambda cell: place(cell) == wanted


def _by_place(sums: Mapping[Pair, int], place: Callable[[Cell], int]) -> dict[Pair, int]:
    found: dict[Pair, int] = {}
    for (one, other), total in sums.items():
        pair = (place(one), place(other))
        found[pair] = found.get(pair, 0) + total
    return found


_PAIRS: tuple[Pair, ...] = tuple(product(range(8), range(8)))
