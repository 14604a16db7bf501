"""The catalogues: the same keys and placeholders in every language, every message finished."""

from __future__ import annotations

import re
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.report import render
from prunegate.report.speech import speech
from prunegate.text import numbers
from prunegate.text.languages import ENGLISH, languages

OTHERS = [language for language in languages() if language != ENGLISH]
_PLACE = re.compile(r"{(\w+)}")


@pytest.mark.parametrize("language", OTHERS)
def test_languages_have_the_same_keys_and_placeholders(language: str) -> None:
    english, other = (dict(speech(one).messages) for one in (ENGLISH, language))
    assert english.keys() == other.keys()
    differing = [k for k in english if set(_PLACE.findall(english[k])) != set(_PLACE.findall(other[k]))]  # fmt: skip  # noqa: E501
    assert differing == []


@pytest.mark.parametrize("language", languages())
def test_every_message_is_finished(language: str) -> None:
    said = speech(language)
    for key, text in said.messages.items():
        assert text == text.strip(), key
        assert "  " not in text, key
        if key.endswith((".one", ".other")):
            assert {key.rpartition(".")[0] + form in said.messages for form in (".one", ".other")} == {True}  # fmt: skip  # noqa: E501
    assert len(said.say("day.months").split()) == 12


@given(value=st.floats(-1e9, 1e9))
def test_one_formatter_writes_the_same_digits_in_every_language(value: float) -> None:
    text = numbers.fixed(value, 2)
    for language in OTHERS:
        own = speech(language).number(text)
        assert re.sub(r"\D", "", own) == re.sub(r"\D", "", text)
        assert speech(language).number(own) == text


def test_money_and_days_stand_as_each_language_has_them() -> None:
    german, english = speech("de"), speech(ENGLISH)
    assert english.money("3,360", "USD") == "$3,360"
    assert english.money("3,360", "CHF") == "CHF\u00a03,360"
    assert german.money("3,360.50", "EUR").replace("\u00a0", " ") == "3.360,50 €"
    assert german.day("2026-03-05T10:00:00Z") == "5. März 2026"
    assert english.listed(("a", "b", "c")) == "a, b and c"


def test_a_german_report_is_german_where_it_is_read_first(
    records: ModuleType, many_records: ModuleType
) -> None:
    record = many_records.many(records, 1, "reject", report={"language": "de"})
    page = render(record, digest=records.DIGEST, pictures={})
    assert '<html lang="de">' in page
    first = page[page.index('<section class="page-one') : page.index("<nav")]
    assert "NEIN. Das jetzige Modell bleibt." in first
    assert "übersieht es 18,2, das jetzige Modell 10,0" in first
    english = ("the ", "Signature", "agreed", "worse")
    assert not [word for word in english if word in re.sub(r"<[^>]*>", " ", first)]
    assert '<div class="details" lang="en">' in page
