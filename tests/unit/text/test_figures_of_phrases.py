"""No value of a phrase leaves its English sentence as it is and changes another's figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from prunegate.audit.read import read_record
from prunegate.text.languages import ENGLISH, languages, messages
from prunegate.text.said import JOINED, Phrase, in_language, said

OTHERS = [language for language in languages() if language != ENGLISH]
SAMPLES = Path(__file__).parents[3] / "reports" / "sample"
SECTION = "recorded."
REFUSED = (ArithmeticError, LookupError, TypeError, ValueError)


def figures(text: str) -> list[str]:
    return sorted(re.findall(r"\d(?:[\d.,]*\d)?", text))


def message(phrase: Phrase) -> str:
    key = SECTION + phrase.kind
    if f"{key}.other" in messages(ENGLISH):
        key += ".one" if phrase.values["n"] == 1 else ".other"
    return messages(ENGLISH)[key]


def every_kind(number: float) -> Iterator[Phrase]:
    """Every message with values, its figures from a thousand up."""
    keys = (key.removeprefix(SECTION) for key in messages(ENGLISH) if key.startswith(SECTION))
    for kind in dict.fromkeys(re.sub(r"\.(one|other)$", "", key) for key in keys):
        if not kind.startswith("word."):
            phrase = Phrase(kind=kind, values={"n": number})
            slots = [(name, how) for _, name, how, _ in Formatter().parse(message(phrase)) if name]
            values = {name: value_of(how or "", number) for name, how in slots}
            if values:
                yield said(kind, **{**({"n": number} if "n" in values else {}), **values}).phrase


def value_of(how: str, number: float) -> Any:
    if how in ("text", "word", "sentence", "model", "measure", "place"):
        return "Q7"
    if how == "figure":
        return f"{number:,} ms"
    return [said("rows", n=3000), said("rows", n=1)] if how == "and" else number


def of_samples() -> Iterator[Phrase]:
    for folder in sorted(SAMPLES.iterdir()):
        if (folder / "record.json").is_file():
            yield from read_record(folder / "record.json")[0].phrases or ()


def changed(phrase: Phrase) -> Iterator[Phrase]:
    """Phrases of the same kind whose English may be the same: texts that its pieces hold."""
    sentence, pieces = in_language(phrase, ENGLISH), list(Formatter().parse(message(phrase)))
    for some in ("(.*?)", "(.*)"):
        pattern = "".join(re.escape(one) + (some if name else "") for one, name, *_ in pieces)
        found = re.fullmatch(pattern, sentence, re.DOTALL)
        if found is None:
            continue
        names = [name for _, name, *_ in pieces if name]
        texts = dict(zip(names, found.groups(), strict=True))
        yield Phrase(kind=phrase.kind, values={**phrase.values, **texts})
        for name, text in texts.items():
            yield Phrase(kind=phrase.kind, values={**phrase.values, name: text})
            yield Phrase(kind=phrase.kind, values={**phrase.values, name: [text]})
        numbers = {
            name: int(text.replace(",", ""))
            for name, text in texts.items()
            if re.fullmatch(r"[\d,]+", text)
        }
        yield Phrase(kind=phrase.kind, values={**texts, **numbers})


@pytest.mark.parametrize("language", OTHERS)
def test_a_value_that_keeps_the_english_sentence_keeps_every_language_s_figures(
    language: str,
) -> None:
    tried = 0
    for phrase in (*every_kind(3000), *every_kind(1234.5), *of_samples()):
        if phrase.kind == JOINED:
            continue
        honest = figures(in_language(phrase, language))
        for one in changed(phrase):
            try:
                if in_language(one, ENGLISH) == in_language(phrase, ENGLISH):
                    tried += 1
                    assert figures(in_language(one, language)) == honest, one
            except REFUSED:
                pass
    assert tried > 500


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_that_holds_the_words_around_a_figure_is_refused(language: str) -> None:
    found = [said("note.stratum", value="A", n=3000), said("note.stratum", value="B", n=2)]
    honest = said("note.strata", found=found)
    values = {"kind": "note.stratum", "values": {"value": "A (3,000 rows), B", "n": 2}}
    forged = Phrase(kind="note.strata", values={"found": [values]})
    assert in_language(forged, ENGLISH) == honest
    with pytest.raises(ValueError, match="figure"):
        in_language(forged, language)


@pytest.mark.parametrize("language", OTHERS)
def test_what_stands_between_sentences_says_nothing(language: str) -> None:
    parts = ["design effect", "figure"]
    forged = Phrase(kind=JOINED, values={"by": " of 3,000 ", "parts": parts})
    with pytest.raises(ValueError, match="between"):
        in_language(forged, language)


@pytest.mark.parametrize("language", OTHERS)
def test_names_with_figures_stay_where_words_of_the_message_hold_them(language: str) -> None:
    name = "seen=1,000 to 2.5"
    assert name in in_language(said("note.nothing_small", selector=name).phrase, language)
