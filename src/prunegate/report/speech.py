"""Speech: every sentence of the page comes from one catalogue, its numbers as people write them.

``text/catalogue/en`` holds the messages with named placeholders; another language is one folder
more with the same keys. A message that counts something has two forms, ``one`` and ``other``. What
a record holds are facts; what is said of them is decided here, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property, lru_cache
from string import Formatter

from prunegate.audit.record import DecisionRecord
from prunegate.report.remade import phrases_of
from prunegate.text import numbers
from prunegate.text.escape import named, visible
from prunegate.text.languages import ENGLISH, languages, messages
from prunegate.text.money import with_currency
from prunegate.text.numbers import GAP, NOT_DEFINED
from prunegate.text.said import Phrase, Said, in_language, slice_said, with_parts, without_values
from prunegate.text.time import in_utc

_MARKS = str.maketrans({",": ".", ".": ","})
"""A thousands separator for a decimal mark and the reverse, where a language writes so."""
_UNSAID = (ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
"""What comes of a phrase that does not fit its message."""
_BETWEEN = "; "
"""Between the sentences of a note."""
_UNIT_WORDS = frozenset({"million", "point", "points", "times"})
"""What ``text.numbers`` and ``text.quantities`` write after a gap that is a word."""


@dataclass(frozen=True, kw_only=True)
class MessagePart:
    """A part of a message."""

    text: str
    code: bool = False
    """Whether it is typed, so that it stands in fixed-width letters."""


@dataclass(frozen=True, kw_only=True)
class Speech:
    """Says what a catalogue has to say, in one language."""

    language: str
    """As the page's ``lang`` has it."""
    messages: Mapping[str, str]
    """Text with ``{placeholders}``, by its dotted key."""

    phrases: tuple[Phrase, ...] = ()
    """What sentences of a record say that have values in them."""

    def place(self, name: str) -> str:
        """What a slice is called: its name in the record, and all rows by a word."""
        return slice_said(named(name), self.language)

    def recorded(self, text: str) -> str | None:
        """A sentence of the record in this language; None: the record does not say what it says."""
        if self.language == ENGLISH:
            return text
        if isinstance(text, Said):
            with suppress(*_UNSAID):
                return in_language(text.phrase, self.language)
        return self._one(text) or self._in_a_row(text)

    def _one(self, text: str) -> str | None:
        return self._said.get(text) or without_values(text, self.language)

    def _in_a_row(self, text: str) -> str | None:
        """Sentences with semicolons between, each of which is known; as few as there can be."""
        parts = text.split(_BETWEEN)
        found: list[str] = []
        while parts:
            sizes = range(len(parts), 0, -1)
            known = ((n, self._one(_BETWEEN.join(parts[:n]))) for n in sizes)
            size, own = next(((n, own) for n, own in known if own is not None), (0, ""))
            if not size:
                return None
            found.append(own)
            del parts[:size]
        return _BETWEEN.join(found)

    @cached_property
    def _said(self) -> dict[str, str]:
        """Sentences in this language by what the record has; of another's wording none is there."""
        found: dict[str, str] = {}
        for one in (part for phrase in self.phrases for part in with_parts(phrase)):
            with suppress(*_UNSAID):  # of a build that says more, or of nobody's making
                text, own = in_language(one, ENGLISH), visible(in_language(one, self.language))
                found |= {text: own, visible(text): own}
        return found

    def say(self, key: str, **parts: str) -> str:
        """A message with its placeholders filled by finished, inert text."""
        return self.messages[key].format(**parts)

    def pieces(self, key: str, codes: Mapping[str, str], **parts: str) -> tuple[MessagePart, ...]:
        """A message as parts, with what is typed (``codes``) apart from what is said."""
        found: list[MessagePart] = []
        for literal, field, _, _ in Formatter().parse(self.messages[key]):
            found.append(MessagePart(text=literal))
            if field is not None and field in codes:
                found.append(MessagePart(text=codes[field], code=True))
            elif field is not None:
                found.append(MessagePart(text=parts[field]))
        return tuple(piece for piece in found if piece.text)

    def count(self, key: str, number: int, **parts: str) -> str:
        """A message that counts, in the form that its number takes; ``{n}`` is the number."""
        form = "one" if number == 1 else "other"
        return self.say(f"{key}.{form}", n=self.number(numbers.count(number)), **parts)

    def knows(self, key: str) -> bool:
        """Whether the catalogue has such a message."""
        return key in self.messages

    def number(self, text: str) -> str:
        """A number, as ``text.numbers`` writes it, with this language's marks."""
        return text.translate(_MARKS) if self.say("number.decimal") == "," else text

    def money(self, amount: str, currency: str) -> str:
        """An amount, as text, with its currency where this language has it."""
        symbol = with_currency("", currency).strip(GAP)
        if not symbol:
            return self.number(amount)
        gap = GAP if len(symbol) > 1 else ""
        return self.say("number.money", symbol=symbol, amount=self.number(amount), gap=gap)

    def figure(self, text: str) -> str:
        """A figure as ``text.numbers`` writes it: with a word for its unit, or without a value."""
        if text == NOT_DEFINED:
            return self.say("figures.none")
        amount, gap, word = text.rpartition(GAP)
        if gap and word in _UNIT_WORDS:
            return f"{self.number(amount)}{GAP}{self.say(f'figures.{word}')}"
        return self.number(text)

    def whole(self, number: int) -> str:
        """A count: ``12,000``."""
        return self.number(numbers.count(number))

    def probability(self, p: float | None) -> str:
        """A p-value where the heading says that it is one; with its zero before a comma."""
        text = numbers.bare_p(p)
        leads = self.say("number.decimal") == ","
        return self.figure(text.replace(".", "0.", 1) if leads else text)

    def amount(self, text: str, currency: str) -> str:
        """An amount as ``text.money`` writes it, with sign and currency as this language has it."""
        symbol = with_currency("", currency)
        if not symbol or symbol not in text:
            return self.figure(text)
        sign, _, rest = text.partition(symbol)
        return f"{sign}{self.money(rest, currency)}"

    def measure(self, metric: str, english: str) -> str:
        """A metric's name for engineers; one that has no other name in this language keeps it."""
        key = f"measure_names.{metric}"
        return self.say(key) if self.knows(key) else english

    def moment(self, iso: str) -> str:
        """An ISO 8601 time in words; other text is shown as it is."""
        found = in_utc(iso)
        if found is None:
            return visible(iso)
        utc, zone = found
        return f"{self.day(utc.isoformat())}, {utc:%H:%M}{zone}"

    def day(self, iso: str) -> str:
        """The day of an ISO 8601 time in words; other text is shown as it is."""
        try:
            day = date.fromisoformat(iso[:10])
        except ValueError:
            return visible(iso)
        month = self.say("day.months").split()[day.month - 1]
        return self.say("day.form", day=str(day.day), month=month, year=str(day.year))

    def listed(self, texts: tuple[str, ...]) -> str:
        """``video, ugc and story``."""
        if len(texts) < 2:
            return "".join(texts)
        return self.say("list.last", first=", ".join(texts[:-1]), last=texts[-1])


@cache
def speech(language: str) -> Speech:
    """The speech of one language; of an unknown one English."""
    known = language if language in languages() else ENGLISH
    return Speech(language=known, messages=messages(known))


def speech_of(record: DecisionRecord) -> Speech:
    """The speech that a record's policy asks for, with what the record's sentences say."""
    report = record.policy.document.get("report")
    asked = report.get("language") if isinstance(report, dict) else None
    found = speech(asked if isinstance(asked, str) else ENGLISH)
    return found if found.language == ENGLISH else _with_phrases(_This(record), found.language)


class _This:
    """One record by itself, whatever it is equal to."""

    def __init__(self, record: DecisionRecord) -> None:
        self.record = record

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _This) and self.record is other.record

    def __hash__(self) -> int:
        return id(self.record)


@lru_cache(maxsize=4)
def _with_phrases(this: _This, language: str) -> Speech:
    return replace(speech(language), phrases=phrases_of(this.record))
