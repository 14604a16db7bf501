"""People's words: the names that a policy gives to what it is about, else what the record calls it.

A slice is ``content_type=ugc`` to a program and "User-generated" to a client. The policy's keys
``title``, ``labels`` and ``words`` say so; where they do not, names stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from prunegate.audit.record import DecisionRecord
from prunegate.policy.naming import parse_slice_name
from prunegate.report.speech import Speech, speech_of
from prunegate.report.task import traits_of
from prunegate.text.escape import shorten

LONGEST_PLACE, LONGEST_WORD, LONGEST_TITLE = 34, 30, 64
"""Characters of a name, a word and the title on page one, so that it stays one page."""
OVERALL = "overall"
MOST_NAMES = 3
"""Names of a list that are told."""


@dataclass(frozen=True, kw_only=True)
class SpokenForms:
    """What one thing is called, by where the word stands: a language may have several forms."""

    alone: str
    """At the head of a column, as the policy writes it."""
    said: str
    """Within a sentence, set apart where it is the policy's own word."""
    of: str
    """After "of 100", likewise."""
    one: str
    """After "1 more", likewise."""


@dataclass(frozen=True, kw_only=True)
class People:
    """How the record's things are called where people read."""

    record: DecisionRecord
    speech: Speech

    @classmethod
    def of(cls, record: DecisionRecord) -> People:
        """The words of a record's policy, in the language that it asks for."""
        return cls(record=record, speech=speech_of(record))

    @property
    def title(self) -> str:
        """What the decision is about: the policy's title, else its name."""
        given = self.record.policy.document.get("title")
        name = given if isinstance(given, str) else self.record.policy.name
        return shorten(name, LONGEST_TITLE)

    @cached_property
    def candidate_key(self) -> str:
        """``candidate_smaller`` where it is known to be smaller, else ``candidate_new``."""
        before, after = self.stored
        smaller = before is not None and after is not None and after < before
        return "candidate_smaller" if smaller else "candidate_new"

    @property
    def stored(self) -> tuple[int | None, int | None]:
        """Bytes of both models' weights, where they are known."""
        record = self.record
        if record.baseline is not None and record.candidate is not None:
            return record.baseline.model_bytes, record.candidate.model_bytes
        if record.measurements is not None:
            measured = record.measurements
            return measured.baseline.model_bytes, measured.candidate.model_bytes
        return None, None

    @property
    def candidate(self) -> str:
        """``the smaller model``."""
        return self.speech.say(f"words.{self.candidate_key}")

    @property
    def items(self) -> SpokenForms:
        """What the rows are: ``creatives``."""
        documents = traits_of(self.record).documents
        return self._called("items", "items_documents" if documents else "items")

    @property
    def positive(self) -> SpokenForms:
        """What counts as positive: ``unsafe creatives``."""
        if traits_of(self.record).sets:
            return self._called("positive", "labelled", items=self.items.alone)
        label = _mapping(self.record.policy.document.get("task")).get("positive", "")
        return self._called("positive", "positive", label=shorten(str(label), LONGEST_WORD))

    def _called(self, name: str, key: str, **parts: str) -> SpokenForms:
        """The policy's own word, else the catalogue's in each of its forms."""
        if own := self._word(name):
            apart = self.speech.say("words.given", word=own)
            one = self.speech.say("words.given_one", word=own)
            return SpokenForms(alone=own, said=apart, of=apart, one=one)
        plain, of, one = (
            self.speech.say(f"words.{key}{form}", **parts) for form in ("", "_of", "_one")
        )
        return SpokenForms(alone=plain, said=plain, of=of, one=one)

    def _word(self, name: str) -> str:
        given = _mapping(self.record.policy.document.get("words")).get(name)
        return shorten(given, LONGEST_WORD) if isinstance(given, str) else ""

    def place(self, slice_name: str, class_label: str | None = None) -> str:
        """A kind of content: ``User-generated``; with the class that is judged by itself."""
        name = self._slice(slice_name)
        if class_label is None:
            return name
        key = "words.place_label" if traits_of(self.record).sets else "words.place_class"
        return self.speech.say(key, place=name, label=_short(class_label))

    def labelled(self, slice_name: str) -> str:
        """A slice by the policy's labels alone: ``User-generated``; empty: it has none of them."""
        pairs = parse_slice_name(slice_name) or {}
        own = [isinstance(_mapping(self._labels.get(k)).get(v), str) for k, v in pairs.items()]
        return self._slice(slice_name) if any(own) else ""

    def given(self, word: str) -> str:
        """What the policy calls rows (``items``) or positives (``positive``); empty: nothing."""
        return self._word(word)

    def where(self, slice_name: str, class_label: str | None = None) -> str:
        """The beginning of a sentence: ``On video``."""
        if slice_name == OVERALL and class_label is None:
            return self.speech.say("words.on_overall")
        return self.speech.say("words.on_place", place=self.place(slice_name, class_label))

    def inside(self, slice_name: str) -> str:
        """The end of a sentence: ``on video``."""
        if slice_name == OVERALL:
            return self.speech.say("examples.where_overall")
        return self.speech.say("examples.where_place", place=self._slice(slice_name))

    def label(self, value: object) -> str:
        """An answer, as the labels have it."""
        return _short(str(value))

    def some(self, names: tuple[str, ...]) -> str:
        """A few names, and how many more there are."""
        rest = len(names) - MOST_NAMES
        if rest <= 1:
            return self.speech.listed(names)
        more = self.speech.count("words.more", rest)
        return self.speech.listed((*names[:MOST_NAMES], more))

    def _slice(self, name: str) -> str:
        if name == OVERALL:
            return self.speech.say("words.overall")
        if any(one.name == name and one.strata is not None for one in self.record.slices):
            return self.speech.say("words.production")
        pairs = parse_slice_name(name)
        if pairs is None:
            return _short(name)
        told = [self._value(key, value) for key, value in pairs.items()]
        return shorten(", ".join(told), LONGEST_PLACE)

    def _value(self, key: str, value: str) -> str:
        """A value by the policy's label for it; without one by itself where that is clear."""
        given = _mapping(self._labels.get(key)).get(value)
        if isinstance(given, str):
            return _short(given)
        return _short(value) if len(self._keys) == 1 else _short(f"{key}: {value}")

    @cached_property
    def _labels(self) -> Mapping[str, Any]:
        return _mapping(self.record.policy.document.get("labels"))

    @cached_property
    def _keys(self) -> frozenset[str]:
        """The columns that slices of this record are made of."""
        named = (parse_slice_name(one.name) or {} for one in self.record.slices)
        return frozenset(key for pairs in named for key in pairs)


def _short(text: str) -> str:
    """Both ends of a long name show, because names often differ at the end."""
    shown = shorten(text, 10 * LONGEST_PLACE)
    if len(shown) <= LONGEST_PLACE:
        return shown
    return f"{shown[: LONGEST_PLACE - 13]}…{shown[-12:]}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
