"""Weight sums: what a slice's design weights come to, by cell.

Of each cell the sum of its rows' weights and of their squares: Hajek's estimate follows from the
first, its linearised variance from the second, and Kish's effective number of rows from both. Where
rows come in groups the variance takes the products of the groups' sums instead, cell by cell. All
are whole numbers of one step, so that they add up exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from prunegate.counting.cluster_sums import Cell, Pair


@dataclass(frozen=True, kw_only=True)
class WeightSums:
    """Sums over the rows of one slice."""

    step: Fraction
    """What the sums count: a weight of so much."""
    totals: Mapping[Cell, int]
    """Sum of weights by cell."""
    squares: Mapping[Cell, int] = field(compare=False)
    """Sum of squared weights by cell."""
    heaviest: Mapping[Cell, int] = field(compare=False)
    """The largest weight of a row by cell; where rows come in groups, of the rows that one group
    has in it."""
    products: Mapping[Pair, int] | None = field(default=None, compare=False)
    """Sum over groups of the product of two cells' sums, both orders of a pair; None: no groups."""

    heaviest_group: int | None = field(default=None, compare=False)
    """The weight of the group that weighs most; None: no groups."""

    def total(self, cells: Collection[Cell]) -> int:
        """Sum of the weights of some cells."""
        return sum(self.totals.get(cell, 0) for cell in cells)

    def even(self, cells: Collection[Cell], rows: int) -> bool:
        """Whether all rows of some cells, of which there are so many, weigh alike."""
        squares = sum(self.squares.get(cell, 0) for cell in cells)
        return self.total(cells) ** 2 == rows * squares

    def outweighed(self, cells: Collection[Cell], rows: int) -> bool:
        """Whether a row that was not seen may be heavier than all rows of some cells, so many."""
        return self.products is None and self.heaviest_of(cells) * rows > self.total(cells)

    def effective(self, cells: Collection[Cell]) -> Fraction:
        """As many rows of equal weight as those of some cells are worth.

        Source: Kish (1965), Survey Sampling, ch. 11.7.
        """
        squares = sum(self.squares.get(cell, 0) for cell in cells)
        return Fraction(self.total(cells) ** 2, squares) if squares else Fraction(0)

    def heaviest_of(self, cells: Collection[Cell]) -> int:
        """The largest weight of a row of some cells; of groups, no less than that of any."""
        each = [weight for cell, weight in self.heaviest.items() if cell in cells]
        if self.heaviest_group is None:
            return max(each, default=0)
        return min(sum(each), self.heaviest_group)

    def product(self, one: Cell, other: Cell) -> int:
        """Sum over units, rows or groups, of the product of two cells' weights."""
        if self.products is not None:
            return self.products.get((one, other), 0)
        return self.squares.get(one, 0) if one == other else 0

    def merged(self, cell: Callable[[Cell], Cell]) -> WeightSums:
        """The same rows with their cells merged into others."""
        totals, squares = Counter[Cell](), Counter[Cell]()
        for one, total in self.totals.items():
            totals[cell(one)] += total
            squares[cell(one)] += self.squares[one]
        products: Counter[Pair] | None = None
        if self.products is not None:
            products = Counter()
            for (one, other), total in self.products.items():
                products[cell(one), cell(other)] += total
        heaviest: dict[Cell, int] = {}
        for one, weight in self.heaviest.items():
            before = heaviest.get(cell(one), 0)
            group = self.heaviest_group
            most = max(before, weight) if group is None else min(before + weight, group)
            heaviest[cell(one)] = most
        return WeightSums(
            step=self.step,
            totals=dict(totals),
            squares=dict(squares),
            heaviest=heaviest,
            products=products,
            heaviest_group=self.heaviest_group,
        )

    def __add__(self, other: WeightSums) -> WeightSums:
        """Of rows and other rows; what groups that span both come to is counted anew."""
        return WeightSums(
            step=self.step,
            totals=dict(Counter(self.totals) + Counter(other.totals)),
            squares=dict(Counter(self.squares) + Counter(other.squares)),
            heaviest={
                cell: max(self.heaviest.get(cell, 0), other.heaviest.get(cell, 0))
                for cell in (*self.heaviest, *other.heaviest)
            },
        )


def added(one: WeightSums | None, other: WeightSums | None) -> WeightSums | None:
    """Both together; no rows have no weights."""
    if one is None or other is None:
        return one or other
    return one + other
