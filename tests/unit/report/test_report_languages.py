"""The catalogues: the same keys and placeholders in every language, every message finished."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.record import DecisionRecord
from prunegate.audit.search_record import Search, SearchAttempt
from prunegate.claims.checked import CheckedFigure, Claims
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS
from prunegate.report import render, sentences
from prunegate.report import sections as sections_module
from prunegate.report.sections import SECTIONS
from prunegate.report.speech import speech
from prunegate.report.units import metric_name
from prunegate.report.wanted_rows import wanted
from prunegate.text import numbers
from prunegate.text.languages import ENGLISH, languages
from prunegate.verdict.advice import request

OTHERS = [language for language in languages() if language != ENGLISH]
_PLACE = re.compile(r"{(\w+)(?::\w+)?}")


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
    assert '<div lang="en">' not in page


def sections(page: str) -> dict[str, str]:
    """The engineers' sections by name."""
    found = re.split(r'(?=<section aria-labelledby=")', page[page.index("<nav") :])
    named = ((re.search(r'<section aria-labelledby="(\w+)"', part), part) for part in found)
    return {match[1]: part for match, part in named if match}


ENGLISH_WORDS = re.compile(
    r"\b(the|of|and|is|are|not|with|yes|judged|Slice|Metric|Baseline|Candidate|Rows|million|more|"
    r"Figure|Lost|lost|gained|one|threads?|February|recall|precision|points?|allowed|times|shown|"
    r"overall)\b"
)


def said_in_german(part: str) -> str:
    """What a section says, less what it marks as English, names, and what is typed."""
    told = re.sub(r'<(\w+)[^>]* lang="en">.*?</\1>', " ", part, flags=re.DOTALL)
    told = re.sub(r"<bdi>.*?</bdi>", " ", told, flags=re.DOTALL)
    names = r'<(span|b|small|h3|p|pre|dd)[^>]*class="[^"]*(?:name|id|code|text)[^"]*">.*?</\1>'
    told = re.sub(names, " ", told, flags=re.DOTALL)
    told = re.sub(r'<[^>]*aria-label="([^"]*)"[^>]*>', r" \1 ", told)
    return re.sub(r"<[^>]*>", " ", told)


def german_records(
    records: ModuleType, many_records: ModuleType, kinds_records: ModuleType
) -> Iterator[DecisionRecord]:
    """Records of every kind, between them with every section, under a policy in German."""
    many = many_records.many(records, 5, "reject")
    yield replace(many, measurements=records.measurements(quiet=False))
    yield records.rejected()
    yield kinds_records.language(records)
    yield replace(
        records.approved(), claims=STATED, discoveries=(records.found(),), search=searched()
    )


FOUND: tuple[tuple[Any, Any], ...] = (("contradicted", "arithmetic"), ("right", "measurement"))
STATED = Claims(
    about=None,
    checks=tuple(
        CheckedFigure(figure="heads", stated="48", status=status, basis=basis, sum="12 x 4 = 48")
        for status, basis in FOUND
    ),
)


OUTCOMES: tuple[Any, ...] = ("approve", "reject", "inconclusive")


def searched() -> Search:
    """A search of two attempts, of which one passes, with draws at random and another scope."""
    attempts = tuple(
        SearchAttempt(
            number=number, criterion="taylor", amounts=(0.1 * number,), objective=900.0 - number,
            parameters=900, model_bytes=3600,
            outcome=outcome, loss=0.02 * number, loss_metric="recall", loss_class=None,
            loss_slice="content_type=video", margin_used=0.4 * number, reason="Recall fell.",
        )
        for number, outcome in enumerate(OUTCOMES, start=1)
    )  # fmt: skip
    return Search(
        objective="parameters", baseline=1000.0, varied=("heads (step 1)",), rows=12_000,
        confidence=0.999, attempts=attempts[:2], chosen=1, next_up=2, control=attempts[2],
        further_draws=(replace(attempts[0], number=4, criterion="random"),),
        other_scope=replace(attempts[1], number=5, scope="global"),
    )  # fmt: skip


def in_german(record: DecisionRecord) -> DecisionRecord:
    document = {**record.policy.document, "report": {"language": "de"}}
    return replace(record, policy=replace(record.policy, document=document))


def test_no_english_sentence_escapes_from_a_german_page(
    records: ModuleType, many_records: ModuleType, kinds_records: ModuleType
) -> None:
    shown: set[str] = set()
    for record in german_records(records, many_records, kinds_records):
        page = render(in_german(record), digest=records.DIGEST, pictures={}, charts=False)
        assert '<div lang="en">' not in page
        for name, part in sections(page).items():
            shown.add(name)
            assert ENGLISH_WORDS.findall(said_in_german(part)) == [], name
    ours = {name for name, one in SECTIONS.items() if name not in (*SECTIONS.added, "decision")}
    assert shown == {*ours, "provenance"}


def test_german_figures_have_german_marks(records: ModuleType, many_records: ModuleType) -> None:
    record = many_records.many(records, 5, "reject", report={"language": "de"})
    loud = replace(record, measurements=records.measurements(quiet=False))
    found = sections(render(loud, digest=records.DIGEST, pictures={}, charts=False))
    assert "30,7\u00a0ms" in found["measures"]
    assert "3. Februar 2026, 10:31 UTC" in found["measures"]
    assert "Rückgang um höchstens 2\u00a0Punkte" in found["findings"]
    assert "−9,5 bis −7,0" in found["rules"]
    assert "3.360,00 $" in found["cost"].replace("\u00a0", " ")


TEMPLATES = Path(sections_module.__file__).parent / "templates"


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_a_section_s_template_has_no_words_of_its_own(name: str) -> None:
    """Whatever it says comes from the catalogue, so that another language has it, too."""
    text = (TEMPLATES / SECTIONS[name].template).read_text(encoding="utf-8")
    bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", " ", text, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', bare)
    words = re.sub(r"<[^>]*>|&\w+;", " ", bare)
    assert re.findall(r"[A-Za-z]{2,}", " ".join([words, *labels])) == []


@st.composite
def open_findings(draw: st.DrawFn) -> dict[str, object]:
    """What an open finding says about further rows."""
    some = st.none() | st.integers(1, 10**8)
    return {
        "metric": draw(st.sampled_from(["recall", "accuracy", "mae", "nll_per_token"])),
        "class_label": draw(st.sampled_from([None, "violence"])),
        "needed": draw(st.integers(1, 10**6)),
        "needed_unit": draw(st.sampled_from(["rows", "positives"])),
        "needed_for": draw(st.sampled_from(["power", "minimum evidence"])),
        "needed_if_unchanged": draw(some),
        "needed_if_as_seen": draw(some),
        "as_seen": draw(st.sampled_from([None, "holds", "broken"])),
    }


@given(facts=open_findings(), rarest=st.booleans(), slice_name=st.sampled_from(["overall", "a=b"]))
def test_the_english_request_is_the_one_of_the_finding_s_note(
    records: ModuleType, facts: dict[str, object], rarest: bool, slice_name: str
) -> None:
    finding = replace(records.rejected().findings[0], slice=slice_name, **facts)
    where = "" if slice_name == "overall" else f" in {slice_name}"
    asked = sentences.capital(request(finding, rarest=rarest, where=where))
    assert wanted(finding, speech(ENGLISH), rarest=rarest) == asked


def test_the_english_limits_and_meanings_are_those_of_the_catalogues_of_checks_and_metrics() -> (
    None
):
    told = speech(ENGLISH).messages
    for name, check in CHECKS.items():
        assert f"bounds.{name}" in told, "write it into text/catalogue/*/findings.toml"
        assert f"limits.{name}" in told, "write it into text/catalogue/*/page.toml"
        assert told[f"bounds.{name}"] == check.brief.replace("'", "’").replace("{}", "{amount}")
    for name, metric in METRICS.items():
        if f"meanings.{name}" in told:
            assert told[f"meanings.{name}"] == metric.words
        if f"meanings.{name}_class" in told:
            assert told[f"meanings.{name}_class"] == metric.class_words
        assert f"measure_names.{name}" in told, "write it into text/catalogue/*/page.toml"


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
