"""Quantities: how the values, changes and limits of one metric are written, wherever they are read.

One value has one spelling: it hangs on the value, the metric's unit and all the limits that the
metric is held to, and on nothing else. So the console, the page, the summary, JUnit and the
sentences of a verdict cannot tell it differently, and a value that misses a limit never looks as
if it met it.
"""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.text import money, numbers
from prunegate.text.numbers import GAP, MINUS, NOT_DEFINED, defined, exact

SHARES = ("rate", "flips")
"""Kinds of metrics that are shares of rows, so that their changes are percentage points."""
PLAIN = ("mean", "coefficient")
"""Kinds of metrics that are numbers of their own scale."""
_MILLION = 1e6


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """Writes the values of one metric."""

    kind: str
    """As the catalogue has it (``rate``, ``mean``, ``operational``, ...); other: unknown."""
    unit: str = ""
    """The catalogue's: ``ms``, ``/s``, ``bytes``, ``money``, ``nats``; empty for a bare number."""
    currency: str = ""
    """ISO code that money is in."""
    levels: tuple[float, ...] = ()
    """Limits that values are held to."""
    margins: tuple[float, ...] = ()
    """Limits that changes are held to, as sizes."""

    @property
    def is_share(self) -> bool:
        """Whether changes are percentage points."""
        return self.kind in SHARES

    def level(self, value: float | None) -> str:
        """A value: ``92.1 %``, ``41.2 ms``, ``1.88 MB``."""
        if value is None or not defined(value):
            return NOT_DEFINED
        if self.is_share:
            return numbers.share(value, *self.levels)
        if self.kind in PLAIN:
            return self._with_unit(numbers.mean(value, *self.levels))
        return self._figure(value, self.levels)

    def change(self, difference: float | None) -> str:
        """A change with its sign; the word "points" is left to the caller."""
        if difference is None or not defined(difference):
            return NOT_DEFINED
        if self.is_share:
            return numbers.points(difference, *self.margins)
        sign = "+" if difference > 0 else MINUS if difference < 0 else ""
        if self.kind in PLAIN:
            size = numbers.mean_change(abs(difference), *self.margins)
            return self._with_unit(sign + size)
        text = self._figure(abs(difference), self.margins)
        return sign + text if any(digit in "123456789" for digit in text) else text

    def change_in_words(self, difference: float | None) -> str:
        """A change with its unit: ``−7.1 points``."""
        text = self.change(difference)
        return f"{text}{GAP}points" if self.is_share and text != NOT_DEFINED else text

    def size(self, change: float | None) -> str:
        """A loss, gain or drop that words name, so that only a negative one has a sign."""
        return self.change_in_words(change).removeprefix("+")

    def allowed_level(self, limit: float) -> str:
        """A limit on values, with every digit that it was given: ``85 %``, ``$0.003``."""
        if self.is_share:
            return f"{exact(limit, 2)}{GAP}%"
        return self._limit(limit)

    def allowed_change(self, limit: float) -> str:
        """A limit on changes, likewise: ``2 points``, ``1 point``, ``0.5 ms``."""
        if self.is_share:
            amount = exact(limit, 2)
            return f"{amount}{GAP}{'point' if amount == '1' else 'points'}"
        return self._limit(limit)

    def bare(self, text: str) -> str:
        """A mean's text without the unit that stands elsewhere; other text as it is."""
        return text.removesuffix(f"{GAP}{self.unit}") if self.kind in PLAIN else text

    def _limit(self, limit: float) -> str:
        if self.unit == "money":
            return money.limit(limit, self.currency)
        if self.unit == "bytes":
            return f"{exact(limit, -6)}{GAP}MB"
        if self._counts and abs(limit) >= _MILLION and not limit % 1000:
            return f"{exact(limit, -6)}{GAP}million"
        return self._with_unit(exact(limit))

    def _figure(self, value: float, limits: tuple[float, ...]) -> str:
        if self.unit == "bytes":
            return numbers.megabytes(value, *limits)
        if self.unit == "money":
            return money.figure(value, self.currency, *limits)
        if self._counts:
            return numbers.large(value, *limits)
        return self._with_unit(numbers.significant(value, 3, *limits))

    @property
    def _counts(self) -> bool:
        """Whether it is a whole number of something: parameters, heads, a month."""
        return self.kind == "operational" and not self.unit

    def _with_unit(self, text: str) -> str:
        if not self.unit:
            return text
        return f"{text}{self.unit}" if self.unit.startswith("/") else f"{text}{GAP}{self.unit}"


def allowed_times(limit: float) -> str:
    """A limit on a multiple of the baseline's, with all its digits: ``0.75 times``."""
    return f"{exact(limit)}{GAP}times"


def allowed_part(limit: float) -> str:
    """A limit on a part of the baseline's value, likewise: ``5 % of the baseline’s value``."""
    return f"{exact(limit, 2)}{GAP}% of the baseline’s value"


def interval(low: str, high: str, quantity: Quantity) -> str:
    """Both ends of an interval; a mean's unit once."""
    return f"{quantity.bare(low)} to {high}"
