"""Ranges: every value that a rounded figure may stand for, and exact arithmetic on them.

Interval arithmetic over fractions (Moore 1966): the result holds every value that some choice
within the operands gives, so a right figure is never outside. Ends belong to the range, which
covers rounding half up and half to even alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from prunegate.policy.written_figure import Written


@dataclass(frozen=True)
class Range:
    """All numbers from ``low`` to ``high``, both included."""

    low: Fraction
    high: Fraction

    @classmethod
    def of(cls, figure: Written, *, count: bool = False) -> Range:
        """What a figure may stand for; a count that is written out is exact."""
        half = Fraction(0) if count and figure.whole else figure.half
        return cls(figure.value - half, figure.value + half)

    @classmethod
    def exactly(cls, value: int | Fraction) -> Range:
        """One value."""
        return cls(Fraction(value), Fraction(value))

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Range:
        return Range(-self.high, -self.low)

    def __sub__(self, other: Range) -> Range:
        return self + -other

    def __mul__(self, other: Range) -> Range:
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Range(min(ends), max(ends))

    def __truediv__(self, other: Range) -> Range:
        """Divide by a range of positive numbers.

        Raises:
            ZeroDivisionError: the other range reaches down to zero.
        """
        if other.low <= 0:
            raise ZeroDivisionError("a range that holds zero")
        return self * Range(1 / other.high, 1 / other.low)

    def meets(self, other: Range) -> bool:
        """Whether some value lies in both."""
        return self.low <= other.high and other.low <= self.high
