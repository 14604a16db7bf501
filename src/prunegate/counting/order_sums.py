"""Order sums: how both models order a slice's rows, against how the labels do, in whole numbers.

A row's place in a column is how many rows lie below it less how many lie above (``rank_pulls.py``).
The sums of their products, squares and cubes say how far the orders agree, and how far they would
if labels were shuffled among the rows (``stats/order_agreement.py``): all that the check of the
reference asks of scores. ``order_rows.py`` adds them up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


def of_columns(numbers: Iterable[int]) -> tuple[int, int, int]:
    """One number of the label, one of the baseline and one of the candidate, in this order."""
    label, baseline, candidate = numbers
    return label, baseline, candidate


def of_models(numbers: Iterable[int]) -> tuple[int, int]:
    """One number of the baseline and one of the candidate, in this order."""
    baseline, candidate = numbers
    return baseline, candidate


@dataclass(frozen=True, kw_only=True)
class OrderSums:
    """Sums over the rows of a slice, of places by label, by baseline and by candidate."""

    rows: int = 0
    squares: tuple[int, int, int] = (0, 0, 0)
    cubes: tuple[int, int, int] = (0, 0, 0)
    products: tuple[int, int] = (0, 0)
    """Of the label's place and the baseline's, and the candidate's."""
    groups: int = 0
    """The sum of the squares of how many rows a group has; without groups, the rows."""

    @property
    def weighing(self) -> float:
        """As many single rows as the rows weigh, if every group is taken for one (Kish)."""
        return self.rows * self.rows / self.groups if self.groups else 0.0
