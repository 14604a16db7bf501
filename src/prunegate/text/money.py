"""Money for people: amounts with their currency, exact where they are exact."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from prunegate.text.escape import visible
from prunegate.text.numbers import GAP, MINUS, NOT_DEFINED, decimals

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_SMALL = 100
"""Amounts from here on are told to the hundredth, smaller ones to three digits."""


def money(amount: str | float | None, currency: str, *, cents: bool = False) -> str:
    """An amount with its currency; exact text stays exact: ``$2,320``, ``CHF 0.0042``.

    Args:
        amount: as exact text, or a figure.
        currency: ISO code; empty shows the bare amount.
        cents: keep ``.00``, so that a column lines up.
    """
    if amount is None:
        return NOT_DEFINED
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        return visible(str(amount))
    if not value.is_finite():
        return NOT_DEFINED
    text = f"{abs(value):,f}"
    return with_currency(text if cents else text.removesuffix(".00"), currency, minus=value < 0)


def with_currency(amount: str, currency: str, *, minus: bool = False) -> str:
    """An amount that is text already, after its currency's symbol or code."""
    code = visible(currency)
    symbol = _SYMBOLS.get(currency, f"{code}{GAP}" if code else "")
    return f"{MINUS if minus else ''}{symbol}{amount}"


def limit(amount: float, currency: str) -> str:
    """An amount that somebody wrote as a limit, with all its digits.

    >>> limit(0.003, "USD"), limit(2.5, "EUR"), limit(1200.0, "")
    ('$0.003', '€2.50', '1,200')
    """
    value = Decimal(repr(float(amount))).normalize()
    tenths = value.as_tuple().exponent == -1
    return money(f"{value:f}" + ("0" if tenths else ""), currency)


def figure(value: float, currency: str, *limits: float) -> str:
    """An amount that was worked out: two decimals, or three digits of a small one."""
    least = 2 if abs(value) >= _SMALL else _places(value)
    return money(f"{value:.{decimals(value, limits, least)}f}", currency)


def _places(value: float) -> int:
    """Decimals that show three digits; two of an amount above one."""
    size = abs(Decimal(repr(float(value))))
    return 2 if size >= 1 or not size else min(2 - size.adjusted(), 9)
