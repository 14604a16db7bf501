"""Said: a sentence of the record that knows what it says, so that a page can say it otherwise.

The record keeps English sentences. What has values in it is made from a message of the English
catalogue (``[recorded]``) by ``said``; the kind of message and its values travel beside it as a
``Phrase``, and another language says the same from its own message. A sentence without values is
found by itself: it is one message of the English catalogue, word by word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Any

from prunegate.text import numbers
from prunegate.text.languages import ENGLISH, messages

JOINED = "joined"
"""The kind of several sentences in a row."""
_SECTION = "recorded."
_BETWEEN = ("; ", ", ", " ")
_MARKED_FIGURE = re.compile(r"\d[.,]\d")
_MARKS = str.maketrans({",": ".", ".": ","})


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """What a sentence of the record says, as a fact."""

    kind: str
    """Of the catalogue's messages."""
    values: dict[str, Any]
    """By the message's placeholders: texts, counts, figures, other phrases, or lists of these."""


class Said(str):
    """An English sentence with its phrase."""

    __slots__ = ("phrase",)
    phrase: Phrase

    def __reduce__(self) -> tuple[Any, ...]:
        return said_again, (str(self), self.phrase)


def said_again(text: str, phrase: Phrase) -> Said:
    """A sentence that was made before, as another process has it."""
    found = Said(text)
    found.phrase = phrase
    return found


def said(kind: str, /, **values: Any) -> Said:
    """An English sentence of the record.

    Args:
        kind: of message, without ``recorded.``; one that counts takes the form of its ``n``.
        values: inert texts, counts, figures, other sentences, or lists of these.
    """
    known = {name: _kept(value) for name, value in values.items()}
    phrase = Phrase(kind=kind, values=known)
    return said_again(in_language(phrase, ENGLISH), phrase)


def joined(parts: Iterable[str], by: str = "; ") -> str:
    """Sentences in a row; none is lost as a fact."""
    found = list(_apart((part for part in parts if part), by))
    if len(found) < 2:
        return found[0] if found else ""
    return said(JOINED, parts=tuple(found), by=by)


def _apart(parts: Iterable[str], by: str) -> Iterator[Any]:
    """Parts that are no rows of sentences themselves, so that a row is one however it was made."""
    for part in parts:
        row = part.phrase if isinstance(part, Said) else None
        if row is not None and row.kind == JOINED and row.values["by"] == by:
            yield from row.values["parts"]
        else:
            yield part


def _kept(value: Any) -> Any:
    """A value as JSON holds it; a sentence is kept as its phrase."""
    if isinstance(value, Said):
        return {"kind": value.phrase.kind, "values": value.phrase.values}
    if isinstance(value, (tuple, list)):
        return [_kept(one) for one in value]
    return value


def in_language(phrase: Phrase, language: str) -> str:
    """What a phrase says in one language.

    Raises:
        KeyError: there is no such message, or it asks for a value that the phrase has not.
        ValueError: a text stands where the message has a figure, or may hold one that another
            language would write otherwise.
    """
    known, values = messages(language), phrase.values
    if phrase.kind == JOINED:
        if values["by"] not in _BETWEEN:
            raise ValueError(f"{values['by']!r} stands between no sentences")
        return str(values["by"]).join(_part(one, language) for one in values["parts"])
    key = f"{_SECTION}{phrase.kind}"
    if f"{key}.other" in known:
        key += ".one" if values["n"] == 1 else ".other"
    if language != ENGLISH:
        _check_texts(messages(ENGLISH)[key], values)
    found = []
    for literal, field, spec, _ in Formatter().parse(known[key]):
        found.append(literal)
        if field is not None:
            found.append(_shown(values[field], spec or "", language))
    return "".join(found)


def _check_texts(message: str, values: Mapping[str, Any]) -> None:
    """Check that no text takes the place of a figure, nor of the words around one.

    A text stands as it is in every language, and ``3,000`` is three in German. So a figure with
    marks is none of a text's, but where the English message has a name (``text``) between words of
    its own that the name does not hold.

    Raises:
        ValueError: a text may be, or hold, what is a figure of the sentence.
    """
    pieces = list(Formatter().parse(message))
    ends = [*(literal for literal, *_ in pieces[1:]), ""]
    for (before, field, how, _), after in zip(pieces, ends, strict=True):
        value = None if field is None else values[field]
        if how == "figure" and isinstance(value, str):
            continue
        for text in _texts(value):
            apart = how == "text" and before and after and before not in text and after not in text
            if _MARKED_FIGURE.search(text) and not apart:
                raise ValueError(f"{text!r} may hold a figure of the sentence")


def _texts(value: Any) -> Iterator[str]:
    """The texts that a value is made of; phrases are looked at by themselves."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)


def _part(value: Any, language: str) -> str:
    """One of several sentences in a row; all of them have to be ours."""
    if isinstance(value, str):
        found = value if language == ENGLISH else without_values(value, language)
        if found is None:
            raise KeyError(value)
        return found
    return _shown(value, "", language)


def _shown(value: Any, how: str, language: str) -> str:
    """A value in a language: counts with its marks, figures as ``how`` says, texts as they are."""
    if isinstance(value, dict):
        return in_language(Phrase(kind=value["kind"], values=value["values"]), language)
    if isinstance(value, (list, tuple)):
        return _listed([_shown(one, "", language) for one in value], how, language)
    if isinstance(value, str) and how in _FIGURES:
        raise ValueError(f"{value!r} is no figure")
    if isinstance(value, str):
        return _WORDS[how](value, language) if how in _WORDS else value
    write = _FIGURES.get(how, _plain_figure)
    return _marked(write(value), language)


def _listed(texts: list[str], how: str, language: str) -> str:
    if how == "and" and len(texts) > 1:
        last = messages(language)["list.last"]
        return last.format(first=", ".join(texts[:-1]), last=texts[-1])
    return ", ".join(texts)


def _plain_figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else numbers.significant(value)


_WHOLE = ("overall", "Overall")
"""What the slice of all rows is called, also where a sentence begins with it."""
_FIGURES: Mapping[str, Callable[[float], str]] = {
    "bare": str,
    "whole": lambda value: f"{value:,}",
    "g": lambda value: f"{value:g}",
    "two": lambda value: f"{value:.2f}",
    "loss": lambda value: f"{value:.3f}" if not 0 < abs(value) < 0.001 else f"{value:.3g}",
    "share": lambda value: numbers.plain(numbers.share(value)),
}
"""How figures are written, by what stands behind the colon of a placeholder."""


def _word(value: str, language: str) -> str:
    """A word of ours in a language."""
    return messages(language).get(f"{_SECTION}word.{value}", value)


def _measure(value: str, language: str) -> str:
    """A metric's name, as the sentence has it in English."""
    english = messages(ENGLISH)
    keys = (key for key in english if key.startswith("measure_names.") and english[key] == value)
    return messages(language).get(next(keys, ""), value)


def _figure(value: str, language: str) -> str:
    """A figure that is written already, with the language's marks and words."""
    amount, gap, word = value.rpartition(" ")
    own = messages(language).get(f"figures.{word}", word)
    return f"{_marked(amount, language)}{gap}{own}" if gap else _marked(value, language)


def _sentence(value: str, language: str) -> str:
    """A sentence of ours that has no values."""
    return without_values(value, language) or value


def slice_said(value: str, language: str) -> str:
    """A slice's name as it stands in the record; that of all rows is a word of ours."""
    return _word(value, language) if value in _WHOLE else value


def _model(value: str, language: str) -> str:
    """A model's part, in the first case: of others ``word`` has the second."""
    return messages(language).get(f"trusting.{value}", value) if language != ENGLISH else value


_WORDS: Mapping[str, Callable[[str, str], str]] = {
    "word": _word,
    "measure": _measure,
    "figure": _figure,
    "sentence": _sentence,
    "model": _model,
    "place": slice_said,
}
"""How texts of ours are said, by what stands behind the colon of a placeholder."""


def _marked(text: str, language: str) -> str:
    return text.translate(_MARKS) if messages(language)["number.decimal"] == "," else text


def without_values(text: str, language: str) -> str | None:
    """A sentence of the record without values, in another language; None: it is none of ours."""
    key = _fixed().get(text)
    return None if key is None else messages(language)[key]


@cache
def _fixed() -> Mapping[str, str]:
    """Keys of the English sentences without placeholders, by their texts."""
    found = messages(ENGLISH).items()
    ours = {text: key for key, text in found if key.startswith(_SECTION) and "{" not in text}
    return {text: key for text, key in ours.items() if not key.startswith(f"{_SECTION}word.")}


def with_parts(phrase: Phrase) -> Iterator[Phrase]:
    """A phrase, and those that it is made of where they stand in a row; a row holds no rows."""
    yield phrase
    parts = phrase.values.get("parts") if phrase.kind == JOINED else None
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict) and isinstance(part.get("values"), dict):
            yield Phrase(kind=str(part.get("kind")), values=part["values"])


def phrases_in(texts: Iterable[object]) -> Iterator[Phrase]:
    """What sentences say that were made with values."""
    for text in texts:
        if isinstance(text, Said):
            yield text.phrase
