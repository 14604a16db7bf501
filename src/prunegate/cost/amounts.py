"""Amounts: money in Decimal, exact until it becomes text, and the text it becomes."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

from prunegate.text.money import minor_digits

EXACT = Context(prec=100)
"""Wide enough that no product of a price and a volume is ever rounded."""


def exact_decimal(number: float) -> Decimal:
    """A number of the policy as it is written there.

    >>> exact_decimal(0.0042)
    Decimal('0.0042')
    """
    return Decimal(str(number))


def six_digits(amount: Decimal) -> Decimal:
    """Round what was scaled or divided: what the record says is then what was used."""
    return Context(prec=6, rounding=ROUND_HALF_UP).plus(amount)


def settled(amount: Decimal) -> Decimal:
    """An amount without what a division left over at its hundredth digit.

    >>> settled(3 * EXACT.divide(Decimal(100), Decimal(3))) == 100
    True
    """
    return amount.quantize(Decimal(1).scaleb(-40), ROUND_HALF_UP, EXACT)


def in_currency(amount: Decimal, currency: str) -> str:
    """Round to the currency's smallest unit, half away from zero; never minus zero.

    >>> in_currency(Decimal("620.625"), "JPY"), in_currency(Decimal("-0.001"), "USD")
    ('621', '0.00')
    """
    return half_up(amount, minor_digits(currency))


def half_up(amount: Decimal, digits: int) -> str:
    """Round to so many decimals, half away from zero; never minus zero."""
    found = settled(amount).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, EXACT)
    return str(found if found else abs(found))


def amount_text(amount: Decimal) -> str:
    """Write an amount exactly, without an exponent or trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def worked_out(amount: Decimal, currency: str) -> Decimal:
    """Round a quotient to six digits, or to the currency's smallest unit where that is finer.

    >>> worked_out(Decimal("12358.02803"), "EUR"), worked_out(Decimal("0.00123456789"), "EUR")
    (Decimal('12358.03'), Decimal('0.00123457'))
    """
    last = min(amount.adjusted() - 5, -minor_digits(currency))
    return amount.quantize(Decimal(1).scaleb(last), ROUND_HALF_UP, EXACT)


def exact_in_currency(amount: Decimal, currency: str) -> str:
    """Write an amount exactly, with the currency's decimals or as many as it has."""
    whole, _, decimals = amount_text(amount).partition(".")
    decimals = decimals.ljust(minor_digits(currency), "0")
    return f"{whole}.{decimals}" if decimals else whole
