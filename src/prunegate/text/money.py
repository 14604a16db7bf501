"""Money for people: amounts with their currency, exact where they are exact."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from prunegate.text.escape import visible
from prunegate.text.numbers import GAP, MINUS, NOT_DEFINED, decimals

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_SMALL = 100
"""Amounts from here on are told to the smallest unit, smaller ones to three digits."""
_NO_MINOR_UNIT = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
        *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
_THOUSANDTHS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def minor_digits(currency: str) -> int:
    """Decimals of a currency's smallest unit (ISO 4217); two where the code is not known.

    >>> minor_digits("USD"), minor_digits("JPY"), minor_digits("KWD")
    (2, 0, 3)
    """
    return 0 if currency in _NO_MINOR_UNIT else 3 if currency in _THOUSANDTHS else 2


def money(amount: str | float | None, currency: str, *, cents: bool = False) -> str:
    """An amount with its currency; exact text stays exact: ``$2,320``, ``CHF 0.0042``.

    Args:
        amount: as exact text, or a figure.
        currency: ISO code; empty shows the bare amount.
        cents: keep the decimals of a whole amount, so that a column lines up.
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
    none = f".{'0' * minor_digits(currency)}"
    return with_currency(text if cents else text.removesuffix(none), currency, minus=value < 0)


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
    whole, _, decimals = f"{value:f}".partition(".")
    decimals = decimals and decimals.ljust(minor_digits(currency), "0")
    return money(f"{whole}.{decimals}" if decimals else whole, currency)


def figure(value: float, currency: str, *limits: float) -> str:
    """An amount that was worked out: to the smallest unit, or three digits of a small one."""
    least = minor_digits(currency) if abs(value) >= _SMALL else _places(value)
    return money(f"{value:.{decimals(value, limits, least)}f}", currency)


def _places(value: float) -> int:
    """Decimals that show three digits; two of an amount above one."""
    size = abs(Decimal(repr(float(value))))
    return 2 if size >= 1 or not size else min(2 - size.adjusted(), 9)
