"""Words of a sum: numbers in the unit of the stated figure, with a digit more than it has."""

from __future__ import annotations

from fractions import Fraction

from prunegate.claims.ranges import Range
from prunegate.policy import written_figure as units
from prunegate.policy.written_figure import Written
from prunegate.text.money import with_currency
from prunegate.text.numbers import plain, rounded
from prunegate.text.said import said

_MOST = 12
"""Decimals that are ever shown."""


def like(value: Fraction, figure: Written) -> str:
    """A value in the unit of a stated figure, to a few digits more than that has."""
    if figure.unit == units.MONEY:
        return claimed_money(value, figure.currency)
    scale, name = _scale(figure)
    number = rounded(value / scale, most=_decimals(figure, scale))
    if name in ("point", "%"):
        return claimed_points(value, _decimals(figure, scale)) if name == "point" else f"{number} %"
    return f"{number}{'' if name == 'x' else ' '}{name}".strip()


def claimed_points(value: Fraction, most: int = 2) -> str:
    """A change of a share in percentage points.

    >>> claimed_points(Fraction(2, 100)), claimed_points(Fraction(1, 100))
    ('2 points', '1 point')
    """
    number = rounded(value * 100, most=most)
    return f"{number} {'point' if number in ('1', '−1') else 'points'}"


def claimed_money(value: Fraction, currency: str) -> str:
    """An amount: two decimals, more for prices below one."""
    most = 2 if abs(value) >= 1 or value == 0 else 6
    number = rounded(abs(value), 2 if abs(value) >= 1 else 0, most)
    return plain(with_currency(number, currency, minus=value < 0))


def range_in_words(found: Range, figure: Written) -> str:
    """Both ends of a range in the unit of a figure; one number where they are the same."""
    low, high = like(found.low, figure), like(found.high, figure)
    return (
        said("claim.value", value=low) if low == high else said("claim.range", low=low, high=high)
    )


def against(told: str, stated: str) -> str:
    """A sum, and what is stated in its place."""
    return said("claim.stated", told=told, stated=stated)


_NAMED = {
    units.PERCENT: (Fraction(1, 100), "%"),
    units.POINTS: (Fraction(1, 100), "point"),
    units.TIMES: (Fraction(1), "x"),
    units.MS: (Fraction(1), "ms"),
    units.BYTES: (Fraction(10**6), "MB"),
}


def _scale(figure: Written) -> tuple[Fraction, str]:
    if figure.unit in _NAMED:
        return _NAMED[figure.unit]
    for size, name in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if not figure.whole and abs(figure.value) >= size:
            return Fraction(size), name
    return Fraction(1), ""


def _decimals(figure: Written, scale: Fraction) -> int:
    """One more decimal than the figure has in this unit."""
    step, count = figure.half * 2 / scale, 0
    while 0 < step < Fraction(10) ** -count and count < _MOST:
        count += 1
    return 0 if figure.whole and figure.unit == units.PLAIN else min(count + 1, _MOST)
