"""Numbers for people: exact values in, short honest text out.

Nothing is rounded up to perfect (99.96 % is not "100 %"), nothing defined is shown as zero unless
it is zero, nothing undefined is shown as blank. A value is given as many decimals as it takes to
tell it from the limit that it is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from prunegate.report.inert import inert

NOT_DEFINED = "not defined"
GAP = "\u00a0"
"""A space that does not break, between a number and its unit."""
MINUS = "\u2212"
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_NOISE = 1e-12
"""Differences below this are binary noise of equal shares."""


def defined(value: float | None) -> bool:
    """Whether there is a finite number to show."""
    return value is not None and math.isfinite(value)


def fixed(value: float, digits: int) -> str:
    """Thousands separated, a true minus sign, and never a negative zero.

    >>> fixed(-1234.56, 1)
    '−1,234.6'
    """
    text = f"{value:,.{digits}f}"
    return text.replace("-", MINUS) if any(c in "123456789" for c in text) else text.lstrip("-")


def count(value: float | None) -> str:
    """A whole number: ``12,000``."""
    return NOT_DEFINED if value is None or not defined(value) else fixed(value, 0)


def decimals(values: Iterable[float | None], limit: float | None, least: int, most: int) -> int:
    """Decimals that tell every value from the limit, between ``least`` and ``most``."""
    if limit is None or not defined(limit):
        return least
    for digits in range(least, most):
        shown = f"{limit:.{digits}f}"
        if all(
            v is None or not defined(v) or abs(v - limit) < _NOISE or f"{v:.{digits}f}" != shown
            for v in values
        ):
            return digits
    return most


def share(value: float | None, against: float | None = None) -> str:
    r"""A share as a percentage that is perfect only if it is.

    >>> share(0.9996), share(1.0), share(0.0002), share(None)
    ('> 99.9\xa0%', '100\xa0%', '< 0.1\xa0%', 'not defined')
    >>> share(0.8996, against=0.90)
    '89.96\xa0%'
    """
    if value is None or not defined(value):
        return NOT_DEFINED
    if value in (0, 1):
        return f"{value:.0%}".replace("%", f"{GAP}%")
    limit = None if against is None else 100 * against
    digits = decimals([100 * value], limit, 1, 4)
    text = fixed(100 * value, digits)
    if float(f"{100 * value:.{digits}f}") == 100 and value < 1:
        return f"> 99.{'9' * digits}{GAP}%"
    if float(f"{100 * value:.{digits}f}") == 0:
        return f"< 0.{'0' * (digits - 1)}1{GAP}%"
    return f"{text}{GAP}%"


def signed(value: float | None, digits: int = 1, most: int = 6) -> str:
    """A change with its sign; more decimals rather than a false zero.

    >>> signed(-7.08), signed(0.0), signed(0.004)
    ('−7.1', '0.0', '+0.004')
    """
    if value is None or not defined(value):
        return NOT_DEFINED
    if abs(value) < _NOISE:
        return fixed(0.0, digits)
    while digits < most and float(f"{value:.{digits}f}") == 0:
        digits += 1
    text = fixed(value, digits)
    return text if value < 0 else f"+{text}"


def points(difference: float | None, against: float | None = None) -> str:
    """A difference of shares in percentage points, without the word: ``−7.1``."""
    if difference is None or not defined(difference):
        return NOT_DEFINED
    limit = None if against is None else 100 * against
    return signed(100 * difference, decimals([100 * difference], limit, 1, 4))


def p_value(p: float | None) -> str:
    """A p-value in the usual style: ``p = .031``, ``p < .0001``."""
    if p is None or not defined(p):
        return NOT_DEFINED
    if p < 0.0001:
        return "p < .0001"
    if p > 0.9999:
        return "p > .9999"
    text = f"{p:.2g}" if p < 0.001 else f"{p:.3f}" if p < 0.9995 else f"{p:.4f}"
    return "p = " + f"{float(text):.5f}".rstrip("0").removeprefix("0")


def bare_p(p: float | None) -> str:
    """A p-value where the heading says that it is one: ``.031``, ``< .0001``."""
    return p_value(p).removeprefix("p ").removeprefix("= ")


def significant(value: float | None, digits: int = 3) -> str:
    """A plain number of about ``digits`` significant digits, never in exponents above 1e-6."""
    if value is None or not defined(value):
        return NOT_DEFINED
    if value == 0:
        return "0"
    if abs(value) < 1e-6:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return fixed(value, min(places, 9))


def mean(value: float, against: float | None = None) -> str:
    """A mean of scores or log-likelihoods: four digits, and enough to tell it from a limit.

    >>> mean(2.5934), mean(13.3768), mean(2.49996, against=2.5)
    ('2.593', '13.38', '2.49996')
    """
    places = 3 - (math.floor(math.log10(abs(value))) if abs(value) >= 1 else 0)
    return fixed(value, decimals([value], against, max(0, places), 6))


def mean_change(size: float, against: float | None = None) -> str:
    """A change of such a mean, without its sign: two digits, and enough to tell it from a limit.

    >>> mean_change(0.01083), mean_change(0.02004, against=0.02), mean_change(0.889)
    ('0.011', '0.02004', '0.89')
    """
    if size < 1e-6:
        return significant(size, 2)
    places = min(max(0, 1 - math.floor(math.log10(size))), 9)
    return fixed(size, decimals([size], against, places, max(places, 6)))


def megabytes(size: float | None) -> str:
    """Bytes in MB (a million bytes): ``346 MB``, ``1.88 MB``."""
    text = significant(None if size is None else size / 1e6)
    return text if text == NOT_DEFINED else f"{text}{GAP}MB"


def large(value: float | None) -> str:
    """A count that may be in the millions: ``70.8 million``, ``469,346``."""
    if value is None or not defined(value) or abs(value) < 1e6:
        return count(value)
    return f"{fixed(value / 1e6, 1)}{GAP}million"


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
        return inert(str(amount))
    if not value.is_finite():
        return NOT_DEFINED
    text = f"{abs(value):,f}"
    text = text if cents else text.removesuffix(".00")
    code = inert(currency)
    symbol = _SYMBOLS.get(currency, f"{code}{GAP}" if code else "")
    return f"{MINUS if value < 0 else ''}{symbol}{text}"


def moment(iso: str) -> str:
    """An ISO 8601 time in words: ``5 January 2026, 09:30 UTC``; other text is shown as it is."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return inert(iso)
    utc = when.astimezone(UTC) if when.tzinfo else when
    zone = " UTC" if when.tzinfo else ""
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M}{zone}"


def short_code(digest: str) -> str:
    """The first twelve digits of a digest, grouped to be read aloud: ``3f2a 91bc 07de``."""
    return " ".join(digest[start : start + 4] for start in (0, 4, 8))
