"""The catalogues: the same keys and placeholders in every language, every message finished."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.report import render
from prunegate.report.speech import speech
from prunegate.report.units import metric_name
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
    assert '<div lang="en">\n<section aria-labelledby="rules">' in page


def sections(page: str) -> dict[str, str]:
    """The engineers' sections by name, each with the marks around it."""
    found = re.split(r'(?=<section aria-labelledby="|<div lang="en">)', page[page.index("<nav") :])
    joined: list[str] = []
    for part in found:
        if joined and joined[-1].strip() == '<div lang="en">':
            joined[-1] += part
        else:
            joined.append(part)
    named = ((re.search(r'<section aria-labelledby="(\w+)"', part), part) for part in joined)
    return {match[1]: part for match, part in named if match}


ENGLISH_WORDS = re.compile(
    r"\b(the|of|and|is|are|not|with|yes|judged|Slice|Metric|Baseline|Candidate|Rows|million|"
    r"Figure|Lost|gained|one|threads?|February|recall|precision)\b"
)


def test_a_section_is_of_one_language_or_says_that_it_is_english(
    records: ModuleType, many_records: ModuleType
) -> None:
    record = many_records.many(records, 5, "reject", report={"language": "de"})
    loud = replace(record, measurements=records.measurements(quiet=False))
    for shown in (record, loud):
        found = sections(render(shown, digest=records.DIGEST, pictures={}))
        spoken = {name for name, part in found.items() if not part.startswith('<div lang="en">')}
        spoken -= {"provenance"}  # inside of the mark of "trust"
        assert spoken == {"control", "measures", "slices"}
        for name in spoken:
            told = re.sub(r'<(\w+)[^>]* lang="en">.*?</\1>', " ", found[name])
            told = re.sub(r'<[^>]*aria-label="([^"]*)"[^>]*>', r" \1 ", told)
            assert ENGLISH_WORDS.findall(re.sub(r"<[^>]*>", " ", told)) == [], name
    assert "30,7\u00a0ms" in found["measures"]
    assert "3. Februar 2026, 10:31 UTC" in found["measures"]


def test_the_english_names_of_measures_are_the_catalogue_s() -> None:
    told = speech(ENGLISH).messages
    for key, name in told.items():
        if key.startswith("measure_names."):
            assert metric_name(key.removeprefix("measure_names.")) == name


def test_a_policy_s_labels_stand_beside_the_machine_s_names(
    records: ModuleType, many_records: ModuleType
) -> None:
    page = render(many_records.many(records, 2, "reject"), digest=records.DIGEST, pictures={})
    for name in ("findings", "slices", "control"):
        part = sections(page)[name]
        assert "content_type=video" in part
        assert '<small class="name class">Video</small>' in part
