"""Numbers for people: exact values in, short honest text out.

Nothing is rounded up to perfect (99.96 % is not "100 %"), nothing defined is shown as zero unless
it is zero, nothing undefined is shown as blank. A value is given as many decimals as it takes to
tell it from the limits that it is compared with. The sign is a true minus; csv and json, which
programs read, do not come here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

NOT_DEFINED = "not defined"
GAP = "\u00a0"
"""A space that does not break, between a number and its unit."""
MINUS = "\u2212"
MOST = 11
"""Decimals that are ever shown."""
_NOISE = 1e-12
"""Differences below this, as a part of the value, are binary noise of equal numbers."""


def defined(value: float | None) -> bool:
    """Whether there is a finite number to show."""
    return value is not None and math.isfinite(value)


def plain(text: str) -> str:
    """A page's text for a terminal and for sentences that are kept: other spaces and apostrophes.

    >>> plain("2.5\u00a0points"), plain("0.75\u00a0times the baseline\u2019s")
    ('2.5 points', "0.75 times the baseline's")
    """
    return text.replace(GAP, " ").replace("\u2019", "'")


def fixed(value: float, digits: int) -> str:
    """Thousands separated, a true minus sign, and never a negative zero.

    >>> fixed(-1234.56, 1)
    '−1,234.6'
    """
    text = f"{value:,.{digits}f}"
    return text.replace("-", MINUS) if any(c in "123456789" for c in text) else text.lstrip("-")


def exact(value: float, power: int = 0) -> str:
    """A number that somebody wrote, times ``10**power``, with all its digits and no noise.

    A limit is shown like this, because a rounded limit is another limit.

    >>> exact(0.07, 2), exact(1200000.0), exact(-2.50)
    ('7', '1,200,000', '−2.5')
    """
    # repr gives the shortest digits that mean this float: 0.07 is 7 %, not 7.000000000000001 %
    text = f"{Decimal(repr(float(value))).scaleb(power):,f}".replace("-", MINUS)
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.removeprefix(MINUS) if text == f"{MINUS}0" else text


def as_written(value: float, power: int = 0) -> str:
    """A number as files have it, times ``10**power``: all its digits, and no marks but its own.

    Words about a mistake repeat it like this, so that it is found in the file, or can stand there.

    >>> as_written(1200000.0), as_written(-0.0712345), as_written(7.0, -2), as_written(1e-15)
    ('1200000', '-0.0712345', '0.07', '1e-15')
    """
    # scaled as a decimal: divided as floats, 1.1 by 100 has digits that nobody wrote
    return repr(float(Decimal(repr(float(value))).scaleb(power))).removesuffix(".0")


def rounded(value: Fraction, least: int = 0, most: int = 4) -> str:
    """An exact number with up to ``most`` decimals, rounded half up as people round by hand.

    >>> rounded(Fraction(70823656)), rounded(Fraction(1, 3), most=1), rounded(Fraction(5, 2), 2)
    ('70,823,656', '0.3', '2.50')
    """
    step = 10**most
    scaled = abs(value) * step
    digits = int(scaled + Fraction(1, 2))
    whole, rest = divmod(digits, step)
    decimals = f"{rest:0{most}d}".rstrip("0") if most else ""
    decimals = decimals.ljust(least, "0")
    sign = MINUS if value < 0 and digits else ""
    return f"{sign}{whole:,}" + (f".{decimals}" if decimals else "")


def count(value: float | None) -> str:
    """A whole number: ``12,000``."""
    return NOT_DEFINED if value is None or not defined(value) else fixed(value, 0)


def number_of(number: int, one: str, many: str = "") -> str:
    """A number and what it counts.

    >>> number_of(1, "record"), number_of(2000, "entry", "entries")
    ('1 record', '2,000 entries')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def decimals(value: float, limits: Iterable[float], least: int, most: int = MOST) -> int:
    """Decimals, from ``least`` to ``most``, that tell a value from every limit but its equal."""
    others = [limit for limit in limits if defined(limit) and not _same(value, limit)]
    for digits in range(least, most):
        shown = f"{value:.{digits}f}"
        if all(f"{limit:.{digits}f}" != shown for limit in others):
            return digits
    return most if others else least


def _same(value: float, limit: float) -> bool:
    return abs(value - limit) <= _NOISE * max(abs(value), abs(limit), 1.0)


def share(value: float | None, *limits: float) -> str:
    r"""A share as a percentage that is perfect only if it is.

    Args:
        value: the share; 1 is everything.
        limits: shares that it must not look like unless it is one of them.

    >>> share(0.9996), share(1.0), share(0.0002), share(None)
    ('> 99.9\xa0%', '100\xa0%', '< 0.1\xa0%', 'not defined')
    >>> share(0.8996, 0.90), share(-0.25)
    ('89.96\xa0%', '−25.0\xa0%')
    """
    if value is None or not defined(value):
        return NOT_DEFINED
    if value in (0, 1):
        return f"{value:.0%}".replace("%", f"{GAP}%")
    digits = decimals(100 * value, [100 * limit for limit in limits], 1)
    if value < 0:
        return f"{signed(100 * value, digits)}{GAP}%"
    if float(f"{100 * value:.{digits}f}") == 100 and value < 1:
        return f"> 99.{'9' * digits}{GAP}%"
    if float(f"{100 * value:.{digits}f}") == 0:
        return f"< 0.{'0' * (digits - 1)}1{GAP}%"
    return f"{fixed(100 * value, digits)}{GAP}%"


def upper_bound_share(level: float, digits: int = 2) -> str:
    """A bound on a share, rounded up: it never looks smaller than it is.

    >>> [upper_bound_share(x, digits=3) for x in (0.05, 0.0069603645)]
    ['5 %', '0.697 %']
    """
    if level <= 0:
        return "0 %"
    unit = 10.0 ** (math.floor(math.log10(100 * level)) + 1 - digits)
    return f"{math.ceil(100 * level / unit - 1e-9) * unit:.6g} %"


def signed(value: float | None, digits: int = 1, most: int = MOST) -> str:
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


def points(difference: float | None, *limits: float) -> str:
    """A difference of shares in percentage points, without the word: ``−7.1``.

    Args:
        difference: of two shares.
        limits: sizes of changes that it must not look like unless it is one of them.
    """
    if difference is None or not defined(difference):
        return NOT_DEFINED
    sizes = [100 * abs(limit) for limit in limits]
    return signed(100 * difference, decimals(100 * abs(difference), sizes, 1))


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


def significant(value: float | None, digits: int = 3, *limits: float) -> str:
    """A plain number of about ``digits`` significant digits, never in exponents above 1e-6."""
    if value is None or not defined(value):
        return NOT_DEFINED
    if value == 0:
        return "0"
    if abs(value) < 1e-6:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    places = min(max(0, digits - 1 - math.floor(math.log10(abs(value)))), 9)
    return fixed(value, decimals(value, limits, places))


def mean(value: float, *limits: float) -> str:
    """A mean of scores or log-likelihoods: four digits, and enough to tell it from limits.

    >>> mean(2.5934), mean(13.3768), mean(2.49996, 2.5)
    ('2.593', '13.38', '2.49996')
    """
    places = 3 - (math.floor(math.log10(abs(value))) if abs(value) >= 1 else 0)
    return fixed(value, decimals(value, limits, max(0, places)))


def mean_change(size: float, *limits: float) -> str:
    """A change of such a mean, without its sign: two digits, and enough to tell it from limits.

    >>> mean_change(0.01083), mean_change(0.02004, 0.02), mean_change(0.889)
    ('0.011', '0.02004', '0.89')
    """
    if size < 1e-6:
        return significant(size, 2)
    places = min(max(0, 1 - math.floor(math.log10(size))), 9)
    return fixed(size, decimals(size, limits, places))


def multiple(ratio: float | None, *limits: float) -> str:
    """A value as a multiple of another: ``0.690 times``."""
    text = significant(ratio, 3, *limits)
    return text if text == NOT_DEFINED else f"{text}{GAP}times"


def megabytes(size: float | None, *limits: float) -> str:
    """Bytes in MB (a million bytes): ``346 MB``, ``1.88 MB``."""
    if size is None or not defined(size):
        return NOT_DEFINED
    return f"{significant(size / 1e6, 3, *(limit / 1e6 for limit in limits))}{GAP}MB"


def large(value: float | None, *limits: float) -> str:
    """A count that may be in the millions: ``70.8 million``, ``469,346``."""
    if value is None or not defined(value) or abs(value) < 1e6:
        return count(value)
    digits = decimals(value / 1e6, [limit / 1e6 for limit in limits], 1)
    return f"{fixed(value / 1e6, digits)}{GAP}million"
