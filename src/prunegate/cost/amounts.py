"""Amounts: money in Decimal, exact until it becomes text, and the text it becomes."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

EXACT = Context(prec=100)
"""Wide enough that no product of a price and a volume is ever rounded."""
_CENT = Decimal("0.01")


def exact_decimal(number: float) -> Decimal:
    """A number of the policy as it is written there.

    >>> exact_decimal(0.0042)
    Decimal('0.0042')
    """
    return Decimal(str(number))


def six_digits(amount: Decimal) -> Decimal:
    """Round what was scaled or divided: what the record says is then what was used."""
    return Context(prec=6, rounding=ROUND_HALF_UP).plus(amount)


def cents(amount: Decimal) -> str:
    """Round to cents, half away from zero; never minus zero."""
    rounded = amount.quantize(_CENT, ROUND_HALF_UP)
    return str(rounded if rounded else abs(rounded))


def amount_text(amount: Decimal) -> str:
    """Write an amount exactly, without an exponent or trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def at_least_cents(amount: Decimal) -> str:
    """Write an amount exactly, with two decimals or as many as it has."""
    whole, _, decimals = amount_text(amount).partition(".")
    return f"{whole}.{decimals:0<2}"
