"""Warnings on page one: made from facts in the reader's language, whole or counted, never cut."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from prunegate.audit.record import DecisionRecord
from prunegate.claims.checked import CheckedFigure, Claims
from prunegate.cli.verdict_lines import Terminal, verdict_lines
from prunegate.outputs.short_words import Standing
from prunegate.outputs.summary import render_summary
from prunegate.report.flips import flips
from prunegate.report.page_one.notices import LONGEST_WRITTEN
from prunegate.report.page_one.page import page_one
from prunegate.report.page_one.sheet import PageOne
from prunegate.report.render import render
from prunegate.report.units import Units
from prunegate.text.languages import languages
from prunegate.verdict.finding import BEATS_CONSTANT, Guarantee, WarningFact


def shown(record: DecisionRecord, records: ModuleType, language: str = "en") -> PageOne:
    """Page one of a record whose policy asks for a language."""
    document = {**record.policy.document, "report": {"language": language}}
    record = replace(record, policy=replace(record.policy, document=document))
    return page_one(record, Units.of(record), records.DIGEST, {})


def texts(page: PageOne) -> list[str]:
    return [notice.text for notice in page.notices]


def test_a_real_loss_stands_where_it_is_signed(records: ModuleType) -> None:
    page = shown(records.approved(), records)
    (told,) = [text for text in texts(page) if "whoever signs accepts it" in text]
    assert "That is a real loss, within what was agreed" in told
    lost = [row.result for row in page.table.rows if row.result == "real loss, allowed"]
    assert len(lost) == 1
    rejected = replace(records.approved(), outcome="reject")
    assert not any("whoever signs" in text for text in texts(shown(rejected, records)))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("length", [12, LONGEST_WRITTEN - 1, LONGEST_WRITTEN, 4000])
def test_a_warning_that_no_field_speaks_of_is_whole_or_counted(
    records: ModuleType, language: str, length: int
) -> None:
    said = "Wholly " + "x" * (length - len("Wholly ."))
    record = replace(records.rejected(), warnings=(said,), warning_facts=(), allowed_losses=())
    found = texts(shown(record, records, language))
    whole = length <= LONGEST_WRITTEN
    assert (f"{said}." in found) == whole
    assert any("xx" in text for text in found) == whole
    assert any(text.startswith("1 ") for text in found) == (not whole)
    assert not any("…" in text for text in found)


@pytest.mark.parametrize(
    ("language", "unsure", "wrong"),
    [
        (
            "en",
            "That is not proven, because the measurement was disturbed; ",
            "1 stated figure",
        ),
        ("de", "Bewiesen ist das nicht, weil die Messung gestört war; ", "1 angegebene Zahl"),
    ],
)
def test_what_only_warns_is_told_with_its_values_and_its_point(
    records: ModuleType, language: str, unsure: str, wrong: str
) -> None:
    base = records.approved()
    slow = records.figure(
        rule=1, metric="latency_p50_ms", check="max_ratio", limit=1.0, baseline=8.18,
        candidate=5.92, status="inconclusive", severity="warn", open_because="unusable",
    )  # fmt: skip
    sentence = "Median latency went from 8.18 to 5.92 ms; " + "not proven: a busy machine " * 9
    stated = CheckedFigure(
        figure="recall: change", stated="4 points", status="contradicted", basis="measurement",
        sum="measured −0.1 points; 4 points are stated",
    )  # fmt: skip
    record = replace(
        base,
        findings=(*base.findings, slow),
        warnings=(sentence,),
        warning_facts=(WarningFact(kind="open", place=0, finding=len(base.findings)),),
        claims=Claims(about=None, checks=(stated,)),
    )
    found = texts(shown(record, records, language))
    (told,) = [text for text in found if unsure in text]
    assert ("8.18" if language == "en" else "8,18") in told
    (false,) = [text for text in found if text.startswith(wrong)]
    assert "4 points" in false
    assert (
        "−0.1\u00a0points measured" if language == "en" else "−0,1\u00a0Punkte gemessen"
    ) in false
    assert "recall: change" not in false
    assert not any("busy machine" in text for text in found)


def test_a_broken_rule_that_only_warns_is_told_by_what_went_wrong(records: ModuleType) -> None:
    base = records.approved()
    broken = records.change(
        rule=1, metric="precision", slice="content_type=video", n=1000, right=900, lost=90,
        gained=4, margin=0.02, severity="warn",
    )  # fmt: skip
    record = replace(base, findings=(*base.findings, replace(broken, status="fail")))
    (told,) = [text for text in texts(shown(record, records)) if "only warn" in text]
    assert told.startswith("On video 18.6 of 100 flags are wrong; with the current model it is 10")
    assert "You agreed to at most 2 more. That breaks a rule, which only warns." in told


@pytest.mark.parametrize(("language", "said"), [("en", "Nothing was tested"), ("de", "Nichts")])
def test_page_one_and_summary_say_where_nothing_was_tested(
    records: ModuleType, language: str, said: str
) -> None:
    base = records.approved()
    points = [replace(f, evidence="point", p_value=None, p_harm=None) for f in base.findings]
    reference = records.change(
        rule=2, slice="overall", n=900, right=800, lost=1, gained=1, margin=0.1, metric="reference"
    )
    demand = replace(reference, check=BEATS_CONSTANT, status="pass")
    record = replace(base, findings=(*points, demand), guarantee=None)
    page = shown(record, records, language)
    assert page.proven.startswith(said)
    assert "5 %" not in page.proven.replace("\u00a0", " ")
    assert "nothing was tested" in render_summary(record, records.DIGEST)
    assert "nothing was tested" not in render_summary(base, records.DIGEST)
    limits = len(points)
    assert f" {limits} " in page.sentence
    assert Standing.of(record).hold == limits


@pytest.mark.parametrize("exact", [True, False])
def test_page_one_spells_the_error_rate_as_the_record_has_it(
    records: ModuleType, *, exact: bool
) -> None:
    promise = Guarantee(alpha=0.0069603645, exact=exact, tests=5, leaves_out=())
    record = replace(records.approved(), guarantee=promise)
    how = "at most" if exact else "about"
    proven = shown(record, records).proven.replace("\u00a0", " ")
    assert f"in {how} 0.697 % of such cases" in proven
    assert f"{how} 0.697 %" in render_summary(record, records.DIGEST).replace("\u00a0", " ")


def test_a_rejection_asks_for_no_labels(many_records: ModuleType, records: ModuleType) -> None:
    for outcome in ("reject", "inconclusive"):
        record = many_records.many(records, 5, outcome)
        noted = tuple(replace(f, note="no more labels said") for f in record.findings)
        record = replace(record, findings=noted)
        found = render_summary(record, records.DIGEST), render(record, digest="0" * 64, pictures={})
        lines = "\n".join(verdict_lines(record, Terminal(width=None)))
        page = re.sub('<template id="record">.*?</template>', "", found[1], flags=re.DOTALL)
        for text in (found[0], lines, page):
            assert ("abel ~" in text or "abel about" in text) == (outcome == "inconclusive")


@pytest.mark.parametrize(
    ("in_all", "lost", "gained"),
    [((489, 280), 4, 2), ((177, 36), 4, 1), ((36, 177), 1, 4), ((50, 50), 4, 4), ((900, 1), 4, 1)],
)
def test_examples_stand_in_the_proportion_of_what_was_lost_and_gained(
    records: ModuleType, in_all: tuple[int, int], lost: int, gained: int
) -> None:
    base = records.rejected()
    kept = [
        replace(base.flips[0], id=f"{way}-{n}", lost=way, slices=("overall",), class_label=None)
        for way in (True, False)
        for n in range(4)
    ]
    cells = (9000, in_all[1], 0, 0, 0, 0, in_all[0], 9000)
    whole = replace(base.slices[0], cells=cells, lost=in_all[0], gained=in_all[1])
    view = flips(replace(base, flips=tuple(kept), slices=(whole, *base.slices[1:])), {})
    assert view is not None
    shown_ = [example.lost for example in view.groups[0].examples]
    assert (shown_.count(True), shown_.count(False)) == (lost, gained)


@pytest.mark.parametrize("severity", ["block", "warn"])
def test_a_limit_is_not_called_proven_where_answers_are_not_shown_to_fit_the_labels(
    records: ModuleType, severity: Any
) -> None:
    record = records.approved()
    place = next(f.slice for f in record.findings if f.slice != "overall" and f.status == "pass")
    reference = replace(
        record.findings[0], slice=place, class_label=None, metric="reference",
        check=BEATS_CONSTANT, status="inconclusive", severity=severity,
    )  # fmt: skip
    fine, unfit = "proven fine", "the limit holds, but answers are not shown to fit the labels"
    for findings, told in ((record.findings, fine), ((*record.findings, reference), unfit)):
        page = shown(replace(record, findings=findings), records)
        row = next(row for row in page.table.rows if place.endswith(row.place.lower()))
        assert row.result == told or (severity, told) == ("block", unfit)
        assert (row.result == fine) == (told == fine)
        assert (row.status == "pass") == (told == fine)
