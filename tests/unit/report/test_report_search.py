"""The search section: there when a candidate was searched for, honest about edge and control."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.search_record import LostMore, NotMade, Search, SearchAttempt
from prunegate.report import render
from prunegate.report.search import search_section
from prunegate.report.search_controls import summed_up
from prunegate.report.svg import drawn_chart
from prunegate.report.units import Units

pytestmark = pytest.mark.slow

TITLE = "How far it could go"


def attempt(number: int, **given: Any) -> SearchAttempt:
    values: dict[str, Any] = {
        "amounts": (number / 10,),
        "criterion": "taylor",
        "objective": 1000.0 - 100 * number,
        "parameters": 1000 - 100 * number,
        "model_bytes": 4000 - 400 * number,
        "outcome": "approve",
        "loss": 0.004 * number,
        "loss_metric": "recall",
        "loss_class": None,
        "loss_slice": "content_type=video",
        "margin_used": 0.2 * number,
        "reason": "",
    }
    return SearchAttempt(number=number, **{**values, **given})


FAILED = attempt(3, outcome="reject", margin_used=2.5, loss=0.05, reason="Recall fell too far.")


def found(**given: Any) -> Search:
    values: dict[str, Any] = {
        "objective": "parameters",
        "baseline": 1000.0,
        "varied": ("heads (step 1)",),
        "rows": 12_000,
        "confidence": 0.999,
        "attempts": (attempt(1), attempt(2), FAILED),
        "chosen": 2,
        "next_up": 3,
        "control": attempt(4, criterion="random", objective=800.0, loss=0.02, margin_used=1.0),
    }
    return Search(**{**values, **given})


def test_a_candidate_that_was_not_searched_for_has_no_section(records: ModuleType) -> None:
    record = records.approved()
    assert search_section(record, Units.of(record)) is None
    assert TITLE not in render(record, digest=records.DIGEST, pictures={})


def test_the_search_changes_only_its_own_section(records: ModuleType) -> None:
    record = records.approved()
    plain = render(record, digest=records.DIGEST, pictures={})
    page = render(replace(record, search=found()), digest=records.DIGEST, pictures={})
    section = re.search(r'<section aria-labelledby="search">.*?</section>\n', page, re.DOTALL)
    assert section is not None
    carried = re.compile(
        r'<template id="record">.*?</template>|<li><a href="#search">.*?</a></li>\n'
    )
    assert carried.sub("", page.replace(section[0], "")) == carried.sub("", plain)
    for words in (
        "Attempt 2 is the smallest",
        "20.0\u00a0% less",
        "attempt 3, did not pass",
        "Recall fell",
    ):
        assert words in section[0]
    assert section[0].count("<tr>") == 5


def view(records: ModuleType, **given: Any) -> Any:
    record = replace(records.approved(), search=found(**given))
    return search_section(record, Units.of(record))


@pytest.mark.parametrize(
    ("loss", "used", "p_value", "words"),
    [
        (0.02, 1.0, 0.01, "the ranking bought 1.2\u00a0points"),
        (0.02, 1.0, 0.06, "bought these 1.2\u00a0points is not shown"),
        (0.02, 1.0, None, "was not tested on the same rows"),
        (0.008, 0.4, 1.0, "here the ranking bought nothing"),
        (0.001, 0.05, 1.0, "here the ranking bought nothing"),
        (None, None, 1.0, "cost the worst slice not defined"),
    ],
)
def test_the_control_says_what_the_criterion_is_shown_to_have_bought(
    records: ModuleType, loss: float | None, used: float | None, p_value: float | None, words: str
) -> None:
    control = attempt(
        4,
        criterion="random",
        objective=800.0,
        loss=loss,
        margin_used=used,
        lost_more=None if p_value is None else LostMore(p_value=p_value),
    )
    assert words in view(records, control=control).control


def draw(number: int, used: float | None, outcome: str = "reject", **given: Any) -> SearchAttempt:
    loss = None if used is None else used / 50
    values = {"criterion": "random", "objective": 800.0, "outcome": outcome, "loss": loss}
    return attempt(number, margin_used=used, **{**values, **given})


@pytest.mark.usefixtures("vega_lite")
def test_several_draws_are_a_range_and_a_count(records: ModuleType) -> None:
    further = (draw(5, 1.5), draw(6, 0.45, "approve"))  # of a record without the paired test
    shown = view(records, control=draw(4, 1.0), further_draws=further)
    for words in (
        "3 times",
        "used 45.0\u00a0% to 150.0\u00a0%",
        "98.3\u00a0% on average",
        "1 of the 3 draws",
    ):
        assert words in shown.control
    assert "as good here" not in shown.control
    names = [row.name for row in shown.rows][-3:]
    assert names == [f"random control, draw {n}" for n in (1, 2, 3)]
    assert "<svg" in drawn_chart(shown.chart)


@pytest.mark.parametrize(
    ("p_values", "outcome", "shown", "good"),
    [
        ((0.04,), "approve", "the ranking bought", False),
        ((0.06,), "approve", "is not shown", True),
        ((0.06,), "inconclusive", "is not shown", False),
        ((0.01, 0.04), "approve", "draw 1, 2.", False),
        ((0.03, 0.03), "approve", "No draw is shown to lose more", True),  # Holm
        ((0.02, 0.2), "approve", "draw 1.", True),
    ],
)
def test_a_draw_that_passes_and_is_not_shown_to_lose_more_is_said(
    records: ModuleType, p_values: tuple[float, ...], outcome: str, shown: str, good: bool
) -> None:
    one, *further = (
        draw(4 + n, 3.0, outcome, lost_more=LostMore(p_value=p)) for n, p in enumerate(p_values)
    )
    told = view(records, control=one, further_draws=tuple(further) or None).control
    assert shown in told
    assert ("Random may be as good here" in told) == good


def test_what_cannot_be_made_has_a_row_and_ends_the_edge(records: ModuleType) -> None:
    one = NotMade(
        number=7, amounts=(0.9,), criterion="taylor", beyond=True, reason="5 of 6 would have to go"
    )
    shown = view(records, not_made=(one,), next_up=None)
    assert (shown.rows[-1].name, shown.rows[-1].outcome) == ("7", "cannot be made")
    assert "attempt 7, the next step up, cannot be made" in shown.edge
    assert shown.reason == "5 of 6 would have to go"
    assert "attempt 3, did not pass" in view(records, not_made=(one,)).edge


@given(st.lists(st.floats(-1, 20), min_size=1, max_size=9))
def test_the_range_holds_every_draw_and_the_mean(used: list[float]) -> None:
    found_ = summed_up([draw(4 + n, one) for n, one in enumerate(used)])
    spread = found_.spread
    assert spread is not None
    assert (spread.least, spread.most, spread.metric) == (min(used), max(used), None)
    assert spread.least - 1e-9 <= spread.mean <= spread.most + 1e-9
    assert (found_.count, found_.passing) == (len(used), 0)


def test_losses_without_margins_are_one_range_only_of_one_metric(records: ModuleType) -> None:
    bare = [attempt(n, criterion="random", margin_used=None, loss=n / 100) for n in (4, 5)]
    shown = view(records, control=bare[0], further_draws=(bare[1],))
    assert "cost the worst slice 4.0\u00a0points to 5.0\u00a0points" in shown.control
    other = replace(bare[1], loss_metric="precision")
    assert summed_up([bare[0], other]).spread is None
    assert "from draw to draw" in view(records, control=bare[0], further_draws=(other,)).control


def test_the_other_scope_is_told_as_what_it_is(records: ModuleType) -> None:
    other = attempt(7, objective=800.0, scope="global", outcome="inconclusive", loss=0.03)
    shown = view(records, other_scope=other)
    assert "With scope: global in the steps that vary" in shown.other_scope
    assert "on the search split: not proven" in shown.other_scope
    assert shown.rows[-1].name == "scope: global"
    assert view(records).other_scope == ""


def test_other_metrics_are_compared_by_their_margins(records: ModuleType) -> None:
    control = attempt(
        4,
        criterion="random",
        loss_metric="precision",
        margin_used=1.5,
        lost_more=LostMore(p_value=0.001),
    )
    assert "bought 110.0\u00a0% of the margin" in view(records, control=control).control


def test_an_edge_at_the_largest_amounts_and_equal_candidates_are_told(records: ModuleType) -> None:
    shown = view(records, next_up=None, at_largest=True)
    number = view(records).rows[0].name
    assert shown.edge.startswith("Nothing more can be removed than attempt ")
    twin = attempt(8, same_as=int(number))
    assert (
        view(records, other_scope=twin)
        .rows[-1]
        .outcome.endswith(f"; the same weights as attempt {number}")
    )


def test_no_control_and_no_edge_are_said_plainly(records: ModuleType) -> None:
    shown = view(records, control=None, next_up=None)
    assert shown.control == ""
    assert "may lie beyond" in shown.edge


@pytest.mark.usefixtures("vega_lite")
def test_attempts_without_margins_or_losses_are_drawn_as_far_as_they_go(
    records: ModuleType,
) -> None:
    bare = attempt(1, loss=None, loss_metric=None, loss_slice=None, margin_used=None)
    shown = view(records, attempts=(bare, attempt(2, margin_used=None)), next_up=None)
    assert "<svg" in drawn_chart(shown.chart)
    assert [row.loss for row in shown.rows][:2] == ["not defined", "0.8\u00a0points"]


def test_hostile_names_stay_inert(records: ModuleType) -> None:
    bad = attempt(2, loss_slice=records.HOSTILE, reason=records.HOSTILE)
    page = render(
        replace(records.approved(), search=found(attempts=(bad, FAILED))),
        digest=records.DIGEST,
        pictures={},
    )
    assert records.HOSTILE not in page
    assert "<script" not in page
