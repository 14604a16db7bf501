"""Placement sums: what is kept of two models' rankings, so that their areas can be compared.

A positive row's placement counts the negatives with a lower score, a negative row's the positives
with a higher one, ties counting half; twice that is a whole number. Of every unit (a row, or all
rows of a group) there are six features; kept are the sums over the units of these and of their
products of two, exactly, as whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

PLACEMENTS = ("up_baseline", "up_candidate", "up", "down_baseline", "down_candidate", "down")
"""Of a unit: its positives' doubled placements under both models, its positives; the same of its
negatives."""
PAIRS = tuple((i, j) for i in range(len(PLACEMENTS)) for j in range(i, len(PLACEMENTS)))


@dataclass(frozen=True, kw_only=True)
class PlacementSums:
    """Sums over units of their placements and of products of two."""

    units: int
    first: tuple[int, ...]
    """Sums of the features."""
    second: tuple[int, ...]
    """Sums of products of two, in the order of ``PAIRS``."""
    holding: tuple[int, int]
    """Units with a positive, and with a negative."""

    @classmethod
    def none(cls) -> PlacementSums:
        """Of no rows."""
        zeros = (0,) * len(PLACEMENTS), (0,) * len(PAIRS)
        return cls(units=0, first=zeros[0], second=zeros[1], holding=(0, 0))

    @property
    def positives(self) -> int:
        """Positive rows."""
        return self.first[2]

    @property
    def negatives(self) -> int:
        """Negative rows."""
        return self.first[5]

    @property
    def weighing(self) -> tuple[float, float]:
        """As many equally large units as those with a positive, and with a negative, weigh."""
        squares = (self.second[PAIRS.index((i, i))] for i in (2, 5))
        pairs = zip((self.positives, self.negatives), squares, strict=True)
        up, down = (rows * rows / square if square else 0.0 for rows, square in pairs)
        return up, down

    def area(self, model: int) -> Fraction | None:
        """The area of the baseline (0) or the candidate (1); None: a class is missing."""
        pairs = 2 * self.positives * self.negatives
        return Fraction(self.first[model], pairs) if pairs else None

    def spread(self, weights: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction, Fraction]:
        """Of a weighted sum of both areas, what units pull it away from its value.

        Returns the sums of squares over the units, by their positives and by their negatives, and
        twice the sum of products of both.
        """
        areas = (self.area(0) or Fraction(0), self.area(1) or Fraction(0))
        value = weights[0] * areas[0] + weights[1] * areas[1]
        p, q, zero = self.positives, self.negatives, (Fraction(0),) * 3
        each = tuple(weight / (2 * p * q) for weight in weights)
        up, down = (*each, -value / p, *zero), (*zero, *each, -value / q)
        return self._form(up, up), self._form(down, down), 2 * self._form(up, down)

    def _form(self, one: tuple[Fraction, ...], other: tuple[Fraction, ...]) -> Fraction:
        total = Fraction(0)
        for (i, j), value in zip(PAIRS, self.second, strict=True):
            times = one[i] * other[j] + (one[j] * other[i] if i != j else 0)
            total += times * value
        return total
