"""A figure as somebody wrote it: its value, its unit, and how far its digits leave it open.

``29 %`` stands for anything from 28.5 % to 29.5 %, ``$0.0042`` for anything from 0.00415 to
0.00425; ``20 to 40 %`` for anything from 19.5 % to 40.5 %. Everything is an exact fraction; a float
would have forgotten the digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from prunegate.policy.messages import literal

PLAIN, PERCENT, POINTS, TIMES, MONEY, MS, BYTES = (
    *("plain", "percent", "points", "times", "money"),
    *("milliseconds", "bytes"),
)
EXAMPLES = "94 %, 1 point, 86 M, 1.4x, $0.0042, 40 ms or 346 MB"

_SCALES = {
    "": 1,
    **dict.fromkeys(("k", "thousand"), 10**3),
    **dict.fromkeys(("M", "million"), 10**6),
    **dict.fromkeys(("B", "bn", "billion"), 10**9),
}
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_UNITS: dict[str, tuple[str, Fraction]] = {
    "": (PLAIN, Fraction(1)),
    **dict.fromkeys(("%", "percent"), (PERCENT, Fraction(1, 100))),
    **dict.fromkeys(
        ("point", "points", "pp", "percentage point", "percentage points"),
        (POINTS, Fraction(1, 100)),
    ),
    **dict.fromkeys(("x", "×", "times"), (TIMES, Fraction(1))),
    "ms": (MS, Fraction(1)),
    "s": (MS, Fraction(1000)),
    "bytes": (BYTES, Fraction(1)),
    "kB": (BYTES, Fraction(10**3)),
    "MB": (BYTES, Fraction(10**6)),
    "GB": (BYTES, Fraction(10**9)),
    "KiB": (BYTES, Fraction(2**10)),
    "MiB": (BYTES, Fraction(2**20)),
    "GiB": (BYTES, Fraction(2**30)),
}


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, filter(None, words)), key=len, reverse=True))


_FORM = re.compile(
    r"(?P<exactly>exactly )?(?P<sign>[-+−])?"
    rf"(?:(?P<symbol>{_any(_CURRENCIES)})|(?P<before>[A-Z]{{3}}) )?"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<decimals>[0-9]+))?"
    rf"(?: ?(?P<scale>{_any(_SCALES)}))?"
    rf"(?: ?(?P<unit>{_any(_UNITS)})| (?P<after>[A-Z]{{3}}))?"
)


@dataclass(frozen=True, kw_only=True)
class Written:
    """One figure as it was written."""

    text: str
    value: Fraction
    """In units of one: 29 % is 0.29, 86 M is 86,000,000, 1 s is 1,000 ms."""
    half: Fraction
    """Half a unit of the last digit; zero where the figure says that it is exact. Of a range, whose
    value is its middle, what lies to either side of that."""
    unit: str
    """plain, percent, points, times, money, milliseconds or bytes."""
    currency: str = ""
    """Three letters, where one is written."""
    signed: bool = False
    """Whether it says in which direction: a change without a sign is a size."""
    whole: bool = False
    """A whole number written out: as a count it is exact (144 heads)."""

    @property
    def direction(self) -> int:
        """1 or -1 where a sign is written, else 0."""
        if not self.signed:
            return 0
        return -1 if {"-", "−"} & set(self.text) else 1


def written(text: str) -> Written:
    """Read a figure.

    >>> written("-29 %").value, written("-29 %").half
    (Fraction(-29, 100), Fraction(1, 200))
    >>> written("86 M").half
    Fraction(500000, 1)

    Raises:
        ValueError: not one figure with a unit that is known; the message shows what is.
    """
    match = _form(text)
    if match is None:
        raise _no_figure(text)
    part = match.groupdict(default="")
    codes = [c for c in (_CURRENCIES.get(part["symbol"], ""), part["before"], part["after"]) if c]
    unit, size = _UNITS[part["unit"]]
    if len(codes) > 1 or (codes and unit != PLAIN):
        raise ValueError(f"got {literal(text)}: two units in one figure; keep one")
    step = _SCALES[part["scale"]] * size / 10 ** len(part["decimals"])
    digits = int(part["whole"].replace(",", "") + part["decimals"])
    sign = -1 if part["sign"] in ("-", "−") else 1
    return Written(
        text=text,
        value=sign * digits * step,
        half=Fraction(0) if part["exactly"] else step / 2,
        unit=MONEY if codes else unit,
        currency=codes[0] if codes else "",
        signed=bool(part["sign"]),
        whole=not (part["decimals"] or part["scale"] or part["unit"] or codes),
    )


def written_or_range(text: str) -> Written:
    """Read a figure, or two that it lies between: ``20 to 40 %``, ``-20 to -40 %``, ``1.2-1.6x``.

    The first may leave out what the second has for a unit.

    >>> written_or_range("20 to 40 %").value, written_or_range("20 to 40 %").half
    (Fraction(3, 10), Fraction(21, 200))

    Raises:
        ValueError: not one or two figures; two units, or two directions.
    """
    ends = _ENDS.fullmatch(" ".join(text.split()))
    if ends is None:
        return written(text)
    if len(text) > _LONGEST:
        raise _no_figure(text)
    high = written(ends["high"])
    low = written(f"{ends['low']}{_unit_of(ends['high'])}" if _bare(ends["low"]) else ends["low"])
    if (low.unit, low.currency) != (high.unit, high.currency):
        raise ValueError(f"got {literal(text)}: two units in one range; keep one")
    if (low.signed, low.direction) != (high.signed, high.direction):
        raise ValueError(f"got {literal(text)}: give both ends of a range the same sign")
    return Written(
        text=text,
        value=(low.value + high.value) / 2,
        half=abs(high.value - low.value) / 2 + max(low.half, high.half),
        unit=high.unit,
        currency=high.currency,
        signed=high.signed,
    )


_LONGEST = 60
_ENDS = re.compile(r"(?P<low>.*[0-9a-zA-Z%×])(?: to |[-–])(?P<high>[-+−]?[^-+−]+)")


def _form(text: str) -> re.Match[str] | None:
    return _FORM.fullmatch(" ".join(text.split())) if len(text) <= _LONGEST else None


def _no_figure(text: str) -> ValueError:
    return ValueError(f"got {literal(text)}, expected one figure with its unit, such as {EXAMPLES}")


def _bare(text: str) -> bool:
    """Whether a number stands without scale, unit and currency."""
    match = _form(text)
    return match is not None and not any(
        match[name] for name in ("symbol", "before", "scale", "unit", "after")
    )


def _unit_of(text: str) -> str:
    """What follows the digits of a figure."""
    match = _form(text)
    return "" if match is None else text[match.end("decimals" if match["decimals"] else "whole") :]
