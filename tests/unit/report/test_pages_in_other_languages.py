"""A page in another language holds no English sentence but what is the user's own."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.counting import kinds

from prunegate import evidence, stats
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.read import parse_record, read_record
from prunegate.audit.recipe_words import step_in_words
from prunegate.audit.record import DecisionRecord
from prunegate.policy.load import PolicyFile
from prunegate.report import render
from prunegate.report.label_page import LabelPage, PageRow, render_label_page
from prunegate.report.speech import speech_of
from prunegate.text.languages import ENGLISH, languages, messages
from prunegate.text.said import Phrase, Said, in_language, joined, said, without_values

gate_module = importlib.import_module("prunegate.gate")  # the package has a function of that name
OTHERS = [language for language in languages() if language != ENGLISH]
SAMPLES = Path(__file__).parents[3] / "reports" / "sample"
RECORDED = "recorded."
NO_SENTENCES = ("recorded.word.",)
"""Messages that are parts of sentences."""


def kinds_of_sentences() -> Iterator[str]:
    """Every kind of sentence of the record, as ``said`` has it."""
    for key in messages(ENGLISH):
        if key.startswith(RECORDED) and not key.startswith(NO_SENTENCES):
            yield key.removeprefix(RECORDED).removesuffix(".one").removesuffix(".other")


def values_of(kind: str, number: int) -> dict[str, Any]:
    """A value for every placeholder of a message: a figure where it is written as one."""
    known = messages(ENGLISH)
    key = f"{RECORDED}{kind}"
    text = known[f"{key}.other" if f"{key}.other" in known else key]
    found: dict[str, Any] = {"n": number} if f"{key}.other" in known else {}
    for _, name, spec, _ in Formatter().parse(text):
        if name is not None and name not in found:
            written = spec in ("share", "g", "two", "loss", "bare", "whole") or not spec
            found[name] = number if written else "Q7"
    return found


def in_german(record: DecisionRecord, language: str) -> DecisionRecord:
    document = {**record.policy.document, "report": {"language": language}}
    return replace(record, policy=replace(record.policy, document=document))


class Texts(HTMLParser):
    """What a page says, piece by piece, less what is the user's own or typed."""

    OWN = frozenset({"name", "id", "code", "text", "eyebrow"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.depth: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("meta", "link", "img", "br", "use", "path", "rect", "circle", "line"):
            return
        given = dict(attrs)
        own = bool(self.OWN & set((given.get("class") or "").split()))
        self.depth.append(own or tag in ("style", "script", "template", "bdi", "pre"))

    def handle_endtag(self, tag: str) -> None:
        if self.depth and tag not in ("meta", "link", "img", "br", "use"):
            self.depth.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.depth):
            self.found |= {" ".join(one.split()) for one in re.split(r"(?<=[.;!?]) ", data)}


def is_sentence(text: str) -> bool:
    """Whether words follow one another in it, so that two languages cannot have it in common."""
    return re.search(r"[A-Za-z]{2,} [a-z]{2,}", text) is not None


def shared(record: DecisionRecord, language: str) -> set[str]:
    """Sentences that a record's page has in English and in another language."""
    pages = [
        Texts(render(in_german(record, one), digest="0" * 64, pictures={}, charts=False)).found
        for one in (ENGLISH, language)
    ]
    own = {record.policy.purpose, *(f"prunegate {name}" for name in ("gate", "demo"))}
    return {text for text in pages[0] & pages[1] - own if is_sentence(text)}


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("number", [1, 3])
def test_every_kind_of_sentence_is_said_in_every_language(
    records: ModuleType, language: str, number: int
) -> None:
    told = [said(kind, **values_of(kind, number)) for kind in dict.fromkeys(kinds_of_sentences())]
    bare = replace(records.approved(), phrases=None, warnings=tuple(told), warning_facts=None)
    record = in_german(parse_record(canonical_bytes(bare), "record").record, language)
    speech = speech_of(record)
    for one in told:
        own = speech.recorded(str(one))
        assert own == in_language(one.phrase, language), one
        words = set(re.findall(r"[a-zA-Z]{3,}", one)) - {"nats", "label", "prunegate"}
        assert not words or own != one, one
    page = render(record, digest="0" * 64, pictures={}, charts=False)
    listed = page[page.index('aria-labelledby="warnings"') : page.index('aria-labelledby="rules"')]
    assert 'lang="en"' not in listed


def constants() -> Iterator[str]:
    """The names of methods that modules of statistics give."""
    for package in (stats, evidence):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, value in vars(importlib.import_module(found.name)).items():
                if name.strip("_").startswith("METHOD") and isinstance(value, str):
                    yield value


@pytest.mark.parametrize("language", OTHERS)
def test_every_method_has_a_name_in_every_language(language: str) -> None:
    names = set(constants())
    assert len(names) > 20
    assert {one for one in names if without_values(one, language) in (None, one)} == set()


def limits(kind: str) -> list[str]:
    """A limit on every metric that a kind of task has, on slices of any size."""
    found = ["{metric: latency_p95_ms, at_most: 40}"]
    for name in kinds.METRICS[kind]:
        limit = "max_rise: 0.04" if name in kinds.LOWER else "max_drop: 0.04"
        limit = "at_most: 0.2" if name in kinds.FLIPS else limit
        found.append(f"{{metric: {name}, slices: [overall, far], {limit}}}")
    return found


def judged(kind: str, rows: int, more: str) -> DecisionRecord:
    """The record of a verdict on few rows, as it is read back."""
    slices = kinds.sliced("kind", "far")
    policy = kinds.policy(kind, limits(kind), slices=slices, more=more)
    source = PolicyFile(policy=policy, path=Path("p.yaml"), text="", sha256="a" * 64)
    made = gate_module.gate(source, kinds.table(kind, 4, rows), ask=lambda *_: lambda **_: None)
    return parse_record(canonical_bytes(made.record), "record").record


@pytest.mark.slow
@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize(
    ("kind", "more"),
    [*((kind, "") for kind in kinds.KINDS if kind != "labels"), ("binary", "group: post\n")],
)
def test_a_verdict_s_page_shares_no_sentence_with_the_english_one(
    monkeypatch: pytest.MonkeyPatch, kind: str, more: str, language: str
) -> None:
    monkeypatch.setattr(gate_module, "draw_ahead", lambda _: None)
    record = judged(kind, 40, more)
    page = render(in_german(record, language), digest="0" * 64, pictures={}, charts=False)
    assert 'lang="en"' not in page[: page.index('aria-labelledby="provenance"')]
    assert shared(record, language) == set()


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("sample", ["display-only", "representative"])
def test_a_record_without_phrases_is_said_from_its_fields(sample: str, language: str) -> None:
    record, _ = read_record(SAMPLES / sample / "record.json")
    assert shared(replace(record, phrases=None), language) == set()


def test_what_the_record_does_not_say_so_keeps_its_english_sentence(records: ModuleType) -> None:
    spoken = speech_of(in_german(records.approved(), OTHERS[0]))
    assert spoken.recorded("Nobody's own sentence.") is None
    forged = Phrase(kind="warning.zeros", values={"zeros": 1})
    record = replace(in_german(records.approved(), OTHERS[0]), phrases=(forged,))
    assert speech_of(record).recorded("Nobody's own sentence.") is None


@given(st.lists(st.sampled_from(["note.minimum", "note.too_close", "note.alike"]), min_size=1))
def test_sentences_in_a_row_are_said_one_by_one(row: list[str]) -> None:
    parts = [said(key) for key in row]
    whole = joined(parts)
    assert whole == "; ".join(parts)
    assert joined([joined(parts[:1]), joined(parts[1:])]) == whole
    if isinstance(whole, Said):
        wanted = "; ".join(in_language(part.phrase, OTHERS[0]) for part in parts)
        assert in_language(whole.phrase, OTHERS[0]) == wanted


def test_a_step_that_another_program_wrote_is_spelled_out() -> None:
    assert step_in_words({"step": "prune", "what": "heads"}) == "step: prune, what: heads"
    assert step_in_words({"step": "distill", "epochs": 2}) == "step: distill, epochs: 2"


@pytest.mark.parametrize("language", OTHERS)
def test_the_page_for_labelling_shares_no_sentence_with_the_english_one(language: str) -> None:
    page = LabelPage(
        title="T", frame="f", file="to-label.csv", columns=("id",), label="label",
        answers=(("1", "unsafe"),), unsure="?", rows=(PageRow(cells=("a",)),),
    )  # fmt: skip
    pages = [
        render_label_page(replace(page, language=one))["label.html"].decode()
        for one in (ENGLISH, language)
    ]
    assert f'<html lang="{ENGLISH}">' in pages[0]
    assert f'<html lang="{language}">' in pages[1]
    english, other = (Texts(page).found for page in pages)
    assert {text for text in english & other if is_sentence(text)} == {
        text for text in ("prunegate gate", "prunegate label") if text in english
    }
    words = [
        json.loads(re.findall(r'id="data">(.*?)</script>', page)[0])["words"] for page in pages
    ]
    assert words[0].keys() == words[1].keys()
    assert {name for name in words[0] if words[0][name] == words[1][name]} == set()


FORGED: tuple[dict[str, Any], ...] = (
    {"kind": "joined", "values": {}},
    {"kind": "joined", "values": {"by": "; ", "parts": [{"kind": 1}, {"values": 2}, 3, None]}},
    {"kind": "nobody's", "values": {}},
    {"kind": "warning.zeros", "values": {"zeros": [], "whole": None, "part": "much"}},
    {"kind": "warning.zeros", "values": {"zeros": 2**53 - 1, "whole": 1.0, "part": 1e300}},
    {"kind": "rows", "values": {"n": {"kind": "rows", "values": []}}},
    {"kind": "warning.ignored", "values": {"labels": "\u202eelif\u0000<b>"}},
)


def test_forged_phrases_neither_break_a_page_nor_act_on_it(records: ModuleType) -> None:
    phrases = tuple(Phrase(**one) for one in FORGED)
    warning = in_language(phrases[-1], ENGLISH)
    record = replace(records.approved(), phrases=phrases, warnings=(warning,), warning_facts=None)
    page = render(in_german(record, OTHERS[0]), digest="0" * 64, pictures={}, charts=False)
    shown = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "elif" in shown
    assert not re.search("elif.?<b>|\u202e", shown)
