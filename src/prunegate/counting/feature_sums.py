"""Feature sums: what is kept of numbers, so that any linear contrast can be tested afterwards.

Of every unit (a row, or all rows of a group) there are three features; kept are the sums over the
units of these and of their products up to the third, exactly, as fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement

FEATURES = ("change", "baseline", "weight")
"""Of a unit (a row, or a group of rows): candidate minus baseline, baseline, rows or tokens."""
SECOND = tuple(combinations_with_replacement(range(3), 2))
THIRD = tuple(combinations_with_replacement(range(3), 3))


@dataclass(frozen=True, kw_only=True)
class FeatureSums:
    """Sums over units of one quantity's three features and of their products, exactly."""

    units: int = 0
    """Rows, or groups of rows."""
    first: tuple[Fraction, ...] = (Fraction(0),) * 3
    """Sums of the features, as finely as they are known: what the values are."""
    rough: tuple[Fraction, ...] = (Fraction(0),) * 3
    """The same sums in the steps of the products below: what is tested."""
    second: tuple[Fraction, ...] = (Fraction(0),) * len(SECOND)
    """Sums of products of two, in the order of ``SECOND``."""
    third: tuple[Fraction, ...] = (Fraction(0),) * len(THIRD)
    """Sums of products of three, in the order of ``THIRD``."""

    def __add__(self, other: FeatureSums) -> FeatureSums:
        return FeatureSums(
            units=self.units + other.units,
            first=_added(self.first, other.first),
            rough=_added(self.rough, other.rough),
            second=_added(self.second, other.second),
            third=_added(self.third, other.third),
        )

    def combined(self, weights: tuple[Fraction, ...]) -> tuple[Fraction, Fraction, Fraction]:
        """Sums of z, z^2 and z^3 for z = weights . features."""
        return (
            sum((w * s for w, s in zip(weights, self.rough, strict=True)), Fraction(0)),
            _form(weights, SECOND, self.second),
            _form(weights, THIRD, self.third),
        )


def _added(one: tuple[Fraction, ...], other: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _form(
    weights: tuple[Fraction, ...], places: tuple[tuple[int, ...], ...], sums: tuple[Fraction, ...]
) -> Fraction:
    """A symmetric form: each product counted as often as its factors can be ordered."""
    total = Fraction(0)
    for place, value in zip(places, sums, strict=True):
        orders = {1: 1, 2: 2 if len(place) == 2 else 3, 3: 6}[len(set(place))]
        term = Fraction(orders)
        for index in place:
            term *= weights[index]
        total += term * value
    return total
