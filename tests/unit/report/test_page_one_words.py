"""Page one in people's words: no metric as a program spells it, and sentences of any word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from types import ModuleType
from typing import Any, get_args

import pytest

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.catalogue import METRICS, REFERENCE
from prunegate.outputs.summary import left_out
from prunegate.report.page_one.page import page_one
from prunegate.report.speech import speech
from prunegate.report.units import CLAIMS, Units, metric_name
from prunegate.text.languages import ENGLISH, languages
from prunegate.verdict.finding import DoubtKind, Finding, ReferenceDoubt

MANY = 1800


def strings(value: object) -> Iterator[str]:
    """Every text of nested values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for part in value.values() for text in strings(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in strings(part))


def told(record: DecisionRecord, records: ModuleType) -> dict[str, Any]:
    """Page one as plain values."""
    return asdict(page_one(record, Units.of(record), records.DIGEST, {}))


def opened(record: DecisionRecord, language: str, **given: Any) -> tuple[DecisionRecord, Finding]:
    """An open record of one finding in a language, and that finding."""
    document = {**record.policy.document, "report": {"language": language}}
    finding = replace(
        record.findings[1], status="inconclusive", open_because="not shown", needed=MANY,
        needed_unit="rows", needed_for="power", **given,
    )  # fmt: skip
    policy = replace(record.policy, document=document)
    return replace(record, outcome="inconclusive", findings=(finding,), policy=policy), finding


def spelt_by_a_program(name: str, text: str) -> bool:
    """Whether a text has an underscore, or is a metric's code name as a heading."""
    known = metric_name(name)
    code = name.capitalize()
    return "_" in text or (text in (name, code) and known not in (name, code))


def of_metric(base: DecisionRecord, language: str, name: str) -> Iterator[DecisionRecord]:
    """Open records about a metric, with a rule that only warns, with a value and without one."""
    for after in (0.8, None):
        record, finding = opened(base, language, metric=name, baseline=0.9, candidate=after)
        warned = replace(finding, rule=1, severity="warn", status="fail")
        yield replace(record, findings=(finding, warned))


@pytest.mark.parametrize("language", languages())
def test_no_metric_is_spelt_on_page_one_as_a_program_does(
    records: ModuleType, many_records: ModuleType, language: str
) -> None:
    base = many_records.many(records, 1, "inconclusive")
    for name in (*METRICS, REFERENCE.name, CLAIMS):
        english = metric_name(name)
        for record in of_metric(base, language, name):
            page = told(record, records)
            del page["answer"]  # it has commands that are typed
            texts = [text for text in strings(page) if text]
            assert [text for text in texts if spelt_by_a_program(name, text)] == [], name
            if language != ENGLISH and " " in english:
                assert [text for text in texts if english in text.casefold()] == [], name


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (ENGLISH, "precision at a fixed recall is unchanged as seen, at 90.0\u00a0%."),
        ("de", "Präzision bei fester Trefferquote ist, soweit gesehen, unverändert: 90,0\u00a0%."),
    ],
)
def test_what_did_not_change_does_not_go_from_itself_to_itself(
    records: ModuleType, many_records: ModuleType, language: str, said: str
) -> None:
    base = many_records.many(records, 1, "inconclusive")
    facts = {"metric": "precision_at_recall", "baseline": 0.9, "candidate": 0.9}
    sentence = told(opened(base, language, **facts)[0], records)["sentence"]
    assert said in sentence
    assert re.search("not proven|nicht bewiesen", sentence)


@pytest.mark.parametrize(
    ("language", "items", "said"),
    [
        (ENGLISH, None, "Label about 1,800 more items in Video, if they are like those seen."),
        (ENGLISH, "ads", "Label about 1,800 more ads in Video, if they are like those seen."),
        ("de", None, "Etwa 1.800 weitere Stücke (Video) bezeichnen, wenn sie so sind wie die gesehenen."),  # noqa: E501
        ("de", "ads", "Etwa 1.800 weitere „ads“ (Video) bezeichnen, wenn sie so sind wie die gesehenen."),  # noqa: E501
    ],
)  # fmt: skip
def test_what_is_asked_for_is_a_sentence_with_any_word(
    records: ModuleType, many_records: ModuleType, language: str, items: str | None, said: str
) -> None:
    words = {"words": {"items": items} if items else {}}
    base = many_records.many(records, 1, "inconclusive", **words)
    assert said in told(opened(base, language, metric="brier")[0], records)["steps"]


@pytest.mark.parametrize(
    ("language", "items", "said"),
    [
        (ENGLISH, None, "Label 1 more item in Video, if it is like those seen."),
        (ENGLISH, "ads", "Label 1 more of the ads in Video, if it is like those seen."),
        ("de", None, "Noch 1 Stück (Video) bezeichnen, wenn es so ist wie die gesehenen."),
        ("de", "ads", "Noch 1 von „ads“ (Video) bezeichnen, wenn es so ist wie die gesehenen."),
    ],
)
def test_one_more_is_one(
    records: ModuleType, many_records: ModuleType, language: str, items: str | None, said: str
) -> None:
    words = {"words": {"items": items} if items else {}}
    base = many_records.many(records, 1, "inconclusive", **words)
    record = opened(base, language, metric="brier")[0]
    findings = tuple(f if f.needed is None else replace(f, needed=1) for f in record.findings)
    assert said in told(replace(record, findings=findings), records)["steps"]


@pytest.mark.parametrize("language", [ENGLISH, "de"])
@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"difference": 0.0, "ci_low": None, "ci_high": None}, "alike"),
        ({"difference": -0.01, "ci_low": -0.02, "ci_high": 0.0}, "close"),
        ({"difference": 0.0, "ci_low": -0.02, "ci_high": 0.02}, "close"),
        ({"difference": -0.01, "ci_low": -0.02, "ci_high": 0.0, "as_seen": "broken"}, "broken"),
    ],
)
def test_why_no_number_is_asked_for_is_told_as_the_console_tells_it(
    records: ModuleType,
    many_records: ModuleType,
    changes: dict[str, Any],
    key: str,
    language: str,
) -> None:
    """Equal models do not lie at a limit: nothing can be told from them."""
    base = many_records.many(records, 1, "inconclusive", words={})
    record = opened(base, language, metric="auc")[0]
    none = {"needed": None, "needed_unit": None, "needed_for": None, "open_because": "not shown"}
    findings = tuple(
        replace(f, **none, **changes) if f.needed is not None else f for f in record.findings
    )
    said = speech(language)
    where = said.say("words.on_place", place="Video")
    step = said.say(f"next.open_{key}", where=where, metric=said.say("metrics.auc"))
    steps = told(replace(record, findings=findings), records)["steps"]
    assert step in steps
    assert said.say("next.open_then") not in steps, "there is nothing to do first"


def test_the_default_word_takes_its_german_case_and_no_quotation_marks(
    records: ModuleType, many_records: ModuleType
) -> None:
    base = many_records.many(records, 1, "inconclusive", words={})
    page = told(opened(base, "de", metric="recall")[0], records)
    assert "Von 100 Stücken mit Label „unsafe“ übersieht es" in page["sentence"]
    assert [text for text in strings(page) if "„Stück" in text] == []


@pytest.mark.parametrize(
    ("control", "words"),
    [
        (-0.1, "The 7.0 points lost on video came from the training data: "),
        (-0.05, "5.0 of the 7.0 points lost on video came from the training data, "),
        (-0.02, "5.0 of the 7.0 points lost on video came from making it smaller: "),
        (0.02, "The 7.0 points lost on video came from making it smaller, which took 9.0 "),
    ],
)
def test_where_a_loss_came_from_is_said_whatever_the_control_lost(
    records: ModuleType, control: float, words: str
) -> None:
    rejected = records.rejected()
    assert rejected.control is not None
    slices = tuple(replace(one, control=one.baseline + control) for one in rejected.control.slices)
    record = replace(rejected, control=replace(rejected.control, slices=slices))
    assert any(words in text for text in strings(told(record, records)))


@pytest.mark.parametrize(
    ("unmoved", "control", "words"),
    [
        (0.01, -0.07, "The 7.0 points lost on video came from its own threshold, which took 8.0 "),
        (-0.01, -0.06, "5.0 of the 7.0 points lost on video came from its own threshold, not "),
        (-0.05, -0.06, "5.0 of the 7.0 points lost on video came from the training data, "),
        (0.0, 0.0, "7.0 of the 7.0 points lost on video came from making it smaller: "),
    ],
)
def test_the_data_are_not_blamed_for_a_threshold(
    records: ModuleType, unmoved: float, control: float, words: str
) -> None:
    rejected = records.rejected()
    assert rejected.control is not None
    slices = tuple(
        replace(one, control=one.baseline + control, at_baseline_threshold=one.baseline + unmoved)
        for one in rejected.control.slices
    )
    moved = replace(rejected.control, slices=slices, threshold=0.25)
    assert any(words in text for text in strings(told(replace(rejected, control=moved), records)))


def test_an_example_is_captioned_with_the_slice_that_it_stands_for(records: ModuleType) -> None:
    """Rows lie in a slice of each key; the heading and the captions name the same one."""
    base = records.rejected()
    finding = replace(base.findings[1], slice="region=north", status="fail", metric="recall")
    flips = tuple(
        replace(flip, slices=("content_type=video", "region=north")) for flip in base.flips
    )
    found = told(replace(base, outcome="reject", findings=(finding,), flips=flips), records)
    captions = [one["caption"] for one in found["examples"]["examples"]]
    assert captions
    assert all("north" in caption for caption in captions)


def test_the_guarantee_leaves_out_what_was_waived(
    records: ModuleType, many_records: ModuleType
) -> None:
    base = many_records.many(records, 2, "approve")
    waived = replace(base, findings=tuple(
        replace(f, status="waived") if number == 0 else f for number, f in enumerate(base.findings)
    ))  # fmt: skip
    for record, told_of in ((base, False), (waived, True)):
        assert ("a limit that was waived" in told(record, records)["proven"]) == told_of
        if record.guarantee is not None:
            assert ("waived limits" in left_out(record, record.guarantee)) == told_of


@pytest.mark.parametrize("kind", get_args(DoubtKind))
def test_answers_are_called_mixed_up_only_where_they_fit_another_way(
    records: ModuleType, kind: DoubtKind
) -> None:
    doubt = ReferenceDoubt(
        kind=kind, slice="overall", model="candidate", rows=90, right=0.4, right_if=0.9,
        decision="unsafe", decided=89, chance=0.4, names=(("a", "b"),), offset=1, order="file",
    )  # fmt: skip
    shown = told(replace(records.rejected(), doubts=(doubt,)), records)
    text = " ".join(strings(shown["notices"]))
    fits = kind not in ("one decision", "unrelated", "weaker")
    assert ("may be mixed up" in text) == fits
    assert ("First check the table" in " ".join(strings(shown["steps"]))) == fits
    assert ("not shown to have anything to do with the labels" in text) == (kind == "unrelated")
    assert ("gives one and the same answer" in text) == (kind == "one decision")
