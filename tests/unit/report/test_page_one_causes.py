"""Page one names what really decided, what nobody judged, and what a signature lets pass."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any, Literal

import pytest

from prunegate.audit.record import DecisionRecord
from prunegate.outputs.short_words import ShortWords
from prunegate.policy.task import Role
from prunegate.report import render, sentences
from prunegate.report.page_one.sheet import PageOne
from prunegate.report.units import Units
from prunegate.report.view import view
from prunegate.verdict.finding import (
    BEATS_CONSTANT,
    DoubtKind,
    OpenBecause,
    ReferenceDoubt,
    SliceSummary,
    WarningFact,
)

ABSENT = "content_type=asia"


def page(record: DecisionRecord) -> PageOne:
    shown = view(record, digest="0" * 64, pictures={}).first.shown
    assert isinstance(shown, PageOne)
    return shown


def empty(name: str, **given: object) -> SliceSummary:
    values = {
        "name": name, "slicing": "content_type", "declared": True, "judged": False, "rows": 0,
        "positives": 0, "cells": (0,) * 8,
    }  # fmt: skip
    return SliceSummary(**{**values, **given})  # type: ignore[arg-type]  # values by field name


def test_a_slice_that_is_not_there_is_the_cause_where_nothing_else_is(
    records: ModuleType, many_records: ModuleType
) -> None:
    record = many_records.many(records, 5, "approve")
    record = replace(
        record, outcome="inconclusive", exit_code=4, slices=(*record.slices, empty(ABSENT))
    )
    shown = page(record)
    assert shown.sentence == "asia: there are no labelled examples, so nothing is known of it."
    assert "Add labelled examples of asia: there are none at all." in shown.steps
    assert (shown.table.rows[0].place, shown.table.rows[0].result) == (
        "asia",
        "no labelled examples",
    )
    open_ = many_records.many(records, 5, "inconclusive")
    shown = page(replace(open_, slices=(*open_.slices, empty(ABSENT))))
    assert shown.sentence.startswith("On Video")
    assert "Add labelled examples of asia: there are none at all." in shown.steps


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_waived_limit_stands_first_however_much_there_is_to_warn_of(
    records: ModuleType, many_records: ModuleType, language: str
) -> None:
    full = many_records.fullest(records, "approve", language)
    waived = many_records.waived(records)
    mine = replace(full.findings[1], status="waived", lost=400)
    found = (full.findings[0], mine, *full.findings[2:])
    shown = page(replace(full, findings=found, waivers=waived.waivers))
    first = shown.notices[0].text
    assert "Bob" in first
    assert "1" in first
    assert len(shown.notices) > 1
    assert shown.fits


def test_nothing_is_said_of_all_content_where_no_limit_is_about_it(
    records: ModuleType, many_records: ModuleType
) -> None:
    record = many_records.many(records, 5, "approve")
    own = tuple(f for f in record.findings if f.slice != "overall")
    reference = replace(own[0], slice="overall", metric="reference", check=BEATS_CONSTANT)
    shown = page(replace(record, findings=(*own, reference)))
    assert shown.sentence == "All 10 agreed limits hold, on 5 kinds of content."
    assert not any(row.whole for row in shown.table.rows)
    doubted = replace(reference, status="inconclusive", open_because="not shown")
    shown = page(replace(record, outcome="inconclusive", findings=(*own, doubted)))
    assert any(row.whole for row in shown.table.rows)


@pytest.mark.parametrize("cause", [None, "shifted", "reordered", "reversed", "permuted"])
@pytest.mark.parametrize(("needed", "checked"), [(None, True), (26_000, True), (300, False)])
def test_a_current_model_that_guesses_is_told_as_that(
    records: ModuleType,
    many_records: ModuleType,
    needed: int | None,
    checked: bool,
    cause: DoubtKind | None,
) -> None:
    """Page and console ask for the same labels; where a cause is known for none."""
    record = many_records.many(records, 5, "approve")
    doubted = replace(
        record.findings[1], metric="reference", check=BEATS_CONSTANT, status="inconclusive",
        open_because="not shown", baseline=-0.86, candidate=-0.84, difference=0.02, limit=0.0,
        needed=needed, needed_unit="rows", needed_for="power",
    )  # fmt: skip
    doubts: tuple[ReferenceDoubt, ...] = ()
    if cause is not None:
        about: dict[str, Any] = {"slice": "overall", "model": "baseline", "rows": 90, "right": 0.4}
        doubts = (ReferenceDoubt(kind=cause, right_if=0.9, offset=1, **about),)
    all_of_it = (*record.findings, doubted)
    record = replace(record, outcome="inconclusive", findings=all_of_it, doubts=doubts)
    shown = page(record)
    assert "the answers of the current model have to do with the labels" in shown.sentence
    assert "agreed" not in shown.sentence
    steps = " ".join(shown.steps)
    assert ("check the labels and the answers" in steps) == (checked and cause is None)
    assert ("First check the table" in steps) == (cause is not None)
    asks = needed is not None and cause is None
    assert ("Label about" in steps) == asks
    to_do = ShortWords.of(record).to_do(doubted)
    assert to_do.startswith("label ~") == asks
    assert to_do.startswith("check the table: ") == (cause is not None)
    assert bool(sentences.need_in_words(doubted, Units.of(record))) == asks


@pytest.mark.parametrize(
    ("reason", "constant", "candidate"),
    [
        ("unrelated candidate", (), True),
        ("one decision", ("candidate",), True),
        ("one decision", ("baseline", "candidate"), False),
        ("not shown", (), False),
    ],
)
def test_the_model_that_knows_nothing_is_named(
    records: ModuleType,
    many_records: ModuleType,
    reason: OpenBecause,
    constant: tuple[Role, ...],
    *,
    candidate: bool,
) -> None:
    record = many_records.many(records, 5, "approve")
    where = record.findings[1].slice
    doubted = replace(
        record.findings[1], metric="reference", check=BEATS_CONSTANT, status="inconclusive",
        open_because=reason, limit=0.0, needed=None,
    )  # fmt: skip
    doubts = tuple(
        ReferenceDoubt(
            kind="one decision", slice=where, model=model, rows=90, right=0.4, decision="unsafe"
        )
        for model in constant
    )
    shown = page(
        replace(record, outcome="inconclusive", findings=(*record.findings, doubted), doubts=doubts)
    )
    assert ("those of the current model do." in shown.sentence) == candidate
    value = 0.8 if candidate or not constant else 0.0  # what a constant agrees beyond chance
    limit = Units.of(record).limit(replace(doubted, baseline=value))
    assert (limit == "both above 0, beyond chance") == candidate
    assert ("belong to these items" in " ".join(shown.steps)) == candidate


@pytest.mark.parametrize(
    ("positives", "why"),
    [(0, "there are 0 unsafe creatives in it."), (3, "there is too little evidence.")],
)
def test_what_nobody_judged_is_named(
    records: ModuleType, many_records: ModuleType, positives: int, why: str
) -> None:
    record = many_records.many(records, 5, "approve")
    left = empty("content_type=live", rows=1500, declared=False, positives=positives)
    fact = WarningFact(kind="unjudged", place=0, slice=left.name)
    record = replace(
        record, slices=(*record.slices, left), warnings=("live.",), warning_facts=(fact,)
    )
    shown = page(record)
    assert [one.text for one in shown.notices] == [f"live was not judged: {why}"]


def test_examples_are_of_the_kind_that_the_page_is_about(
    records: ModuleType, many_records: ModuleType
) -> None:
    record = many_records.many(records, 5, "reject")
    elsewhere = tuple(replace(flip, slices=("content_type=audio",)) for flip in record.flips)
    assert page(record).examples is not None
    assert page(replace(record, flips=elsewhere)).examples is None


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_german_page_says_what_an_english_one_says(
    records: ModuleType, many_records: ModuleType, language: str
) -> None:
    record = many_records.many(records, 5, "approve", report={"language": language})
    own = "slicing key 'a' has 300 values"
    record = replace(record, warnings=(own,))
    (written,) = page(record).notices
    assert (written.text, written.recorded) == (f"{own}.", True)
    html = render(record, digest="0" * 64, pictures={}, charts=False)
    assert (f'<span lang="en">{own.replace(chr(39), "&#39;")}' in html) == (language == "de")


@pytest.mark.parametrize(
    ("shows", "as_seen", "ending"),
    [
        ("broken", None, "more would show the limit to be broken"),
        (None, None, "no number of them would tell"),
        ("holds", 900, "about 900"),
        ("holds", 9_000, "about 9,000: more hardly help"),
    ],
)
def test_page_and_report_say_alike_what_comes_of_more_labels_as_seen(
    records: ModuleType,
    many_records: ModuleType,
    shows: Literal["holds", "broken"] | None,
    as_seen: int | None,
    ending: str,
) -> None:
    record = many_records.many(records, 5, "approve")
    asking = replace(
        record.findings[1], status="inconclusive", open_because="not shown", as_seen=shows,
        needed=500, needed_if_unchanged=500, needed_if_as_seen=as_seen, needed_unit="positives",
        needed_for="power",
    )  # fmt: skip
    findings = tuple(asking if one is record.findings[1] else one for one in record.findings)
    record = replace(record, outcome="inconclusive", findings=findings)
    said = f"if the change is as seen, {ending}"
    assert any(step.endswith(f"{said}.") for step in page(record).steps)
    assert sentences.need_in_words(asking, Units.of(record)).endswith(said)
    assert ("hardly help" in ShortWords.of(record).to_do(asking)) == ("hardly help" in ending)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ("All content, mean absolute error: Label about 4,900 more",
                "All content, rank correlation: Label about 5,400 more")),
        ("de", ("Alle Inhalte, mittlerer absoluter Fehler: Etwa 4.900 weitere",
                "Alle Inhalte, Rangkorrelation: Etwa 5.400 weitere")),
    ],
)  # fmt: skip
def test_two_requests_for_the_same_rows_name_their_measures(
    records: ModuleType, many_records: ModuleType, language: str, told: tuple[str, str]
) -> None:
    """Else they read as a contradiction, or as a sum."""
    record = many_records.many(records, 5, "inconclusive", report={"language": language})
    one = next(f for f in record.findings if f.status == "inconclusive")
    asked = {"needed_unit": "rows", "needed_for": "power", "slice": "overall", "needed": 9000}
    both = tuple(
        replace(one, metric=metric, needed_if_unchanged=count, **asked)
        for metric, count in (("mae", 4853), ("rank_correlation", 5354))
    )
    shown = page(replace(record, findings=both))
    said = " ".join(shown.steps)
    assert all(words in said for words in told), said
    alone = page(replace(record, findings=both[:1]))
    assert told[0].partition(":")[0] not in " ".join(alone.steps)
