"""A figure as somebody wrote it: its value, its unit, and how far its digits leave it open.

``29 %`` stands for anything from 28.5 % to 29.5 %, ``$0.0042`` for anything from 0.00415 to
0.00425. Everything is an exact fraction; a float would have forgotten the digits.
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
    """Half a unit of the last digit; zero where the figure says that it is exact."""
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
    match = _FORM.fullmatch(" ".join(text.split()))
    if match is None or len(text) > 60:
        raise ValueError(
            f"got {literal(text)}, expected one figure with its unit, such as {EXAMPLES}"
        )
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
