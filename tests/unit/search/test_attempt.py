"""What an attempt is called, which slice is its worst, and which failing one came nearest."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace as Kept
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.search_record import LostMore, NotMade
from prunegate.search.attempt import (
    Attempt,
    missed,
    nearest_attempt,
    state_of,
    violation,
    worst_change,
)
from prunegate.search.attempts_table import (
    attempts_table,
    controls_in_words,
    edge_in_words,
    not_made_in_words,
)
from prunegate.search.loop import Trace, next_up
from prunegate.search.memo import Amounts, Memo
from prunegate.search.trials import Trials
from prunegate.search.variation import Variant
from prunegate.search.workfolder import KeptAttempt
from prunegate.verdict.finding import Finding, Verdict

pytestmark = pytest.mark.models


def finding(**given: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": 0,
        "metric": "recall",
        "slice": "overall",
        "check": "max_drop",
        "status": "pass",
        "severity": "block",
        "evidence": "proven",
        "baseline": 0.9,
        "candidate": 0.89,
        "difference": -0.01,
        "ci_low": None,
        "ci_high": None,
        "limit": 0.02,
        "p_value": 0.01,
        "p_harm": 0.9,
        "n": 400,
        "method": "test",
    }
    return Finding(**{**values, **given})


SIZE = {"metric": "model_bytes", "check": "max_ratio", "limit": 0.8, "p_value": None, "n": 0}
TOO_LARGE = finding(**SIZE, status="fail", baseline=100.0, candidate=90.0, difference=-10.0)
TOO_BAD = finding(status="fail", candidate=0.85, difference=-0.05, p_value=0.99)
OPEN = finding(status="inconclusive", candidate=0.885, difference=-0.015, p_value=0.2)


def attempt(*findings: Finding, number: int = 1, **given: Any) -> Attempt:
    lost = worst_change(findings)
    blocking = [f for f in findings if f.severity == "block"]
    good = all(f.status == "pass" for f in blocking)
    bad = any(f.status == "fail" for f in blocking)
    values: dict[str, Any] = {
        "amounts": (0.5,),
        "criterion": "taylor",
        "objective": 100.0,
        "parameters": 100,
        "model_bytes": 400,
        "outcome": "approve" if good else "reject" if bad else "inconclusive",
        "loss": lost.loss if lost else None,
        "loss_metric": lost.finding.metric if lost else None,
        "loss_class": None,
        "loss_slice": lost.finding.slice if lost else None,
        "margin_used": lost.used if lost else None,
        "reason": "",
        "digest": "0" * 64,
        "reasons": (),
        "findings": findings,
    }
    return Attempt(number=number, **{**values, **given})


@pytest.mark.parametrize(
    ("findings", "state"),
    [
        ([finding()], "passes"),
        ([finding(), TOO_LARGE], "too_little"),
        ([TOO_BAD, TOO_LARGE], "too_much"),
        ([OPEN], "unproven"),
        ([OPEN, TOO_LARGE], "unproven"),
        ([OPEN, TOO_BAD], "too_much"),
        ([finding(), finding(**SIZE | {"check": "at_least"}, status="fail")], "too_much"),
        ([dataclasses.replace(TOO_BAD, severity="warn"), finding()], "passes"),
        ([finding(metric="throughput_per_s", check="at_least", status="fail")], "too_little"),
    ],
)
def test_only_size_speed_and_cost_ask_for_more(findings: list[Finding], state: str) -> None:
    assert attempt(*findings).state == state


def test_an_absent_slice_is_no_pass_at_any_amount() -> None:
    assert attempt(finding(), outcome="inconclusive").state == "too_much"


def test_the_worst_slice_is_the_one_that_used_most_of_its_margin() -> None:
    wide = finding(metric="precision", difference=-0.03, limit=0.04, slice="kind=a")
    narrow = finding(difference=-0.018, limit=0.02, slice="kind=b")
    found = worst_change([wide, narrow, TOO_LARGE])
    assert found is not None
    assert (found.finding, found.loss) == (narrow, 0.018)
    assert found.used == pytest.approx(0.9)


def test_a_rise_of_something_bad_is_a_loss_and_a_gain_is_negative() -> None:
    rise = finding(metric="false_positive_rate", check="max_rise", difference=0.01)
    found = worst_change([rise])
    assert found is not None
    assert found.loss == 0.01
    gained = worst_change([finding(difference=0.01)])
    assert gained is not None
    assert gained.used == pytest.approx(-0.5)


def test_without_margins_the_largest_loss_counts() -> None:
    floors = [finding(check="at_least", limit=0.8, difference=d) for d in (-0.01, -0.03)]
    found = worst_change([*floors, TOO_LARGE])
    assert found is not None
    assert (found.loss, found.used) == (0.03, None)
    assert worst_change([TOO_LARGE]) is None


@given(st.lists(st.sampled_from([finding(), TOO_BAD, OPEN, TOO_LARGE]), min_size=1, max_size=6))
def test_only_what_passes_violates_nothing(findings: list[Finding]) -> None:
    made = attempt(*findings)
    assert (violation(made) <= 0) == made.passes


def test_the_nearest_miss_breaks_the_fewest_limits_and_then_loses_least() -> None:
    bad = attempt(TOO_BAD, finding(), number=1)
    open_ = attempt(OPEN, finding(), number=2)
    worse = attempt(dataclasses.replace(OPEN, difference=-0.019), finding(), number=3)
    assert nearest_attempt([bad, worse, open_]) is open_
    assert nearest_attempt([bad, attempt(TOO_BAD, TOO_BAD, number=4)]) is bad


def verdict(outcome: Any, findings: list[Finding], reasons: list[str]) -> Verdict:
    return Verdict(
        outcome=outcome,
        reasons=tuple(reasons),
        findings=tuple(findings),
        slices=(),
        statement="",
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (verdict("approve", [finding()], ["All hold."]), ""),
        (verdict("reject", [OPEN, TOO_BAD], ["Bad.", "Open."]), "Bad. It misses by 3.0 points."),
        (verdict("inconclusive", [OPEN], ["Open."]), "Open."),
        (
            verdict("reject", [TOO_LARGE], ["Large."]),
            "Large. It misses by 10.0 % of the baseline's.",
        ),
        (verdict("inconclusive", [finding()], ["Absent."]), "Absent."),
    ],
)
def test_what_was_missed_and_by_how_much(found: Verdict, words: str) -> None:
    assert missed(found) == words


def test_the_next_step_up_removes_more_everywhere_and_does_not_pass() -> None:
    chosen = attempt(finding(), amounts=(0.3, 0.3))
    others = [
        attempt(TOO_BAD, number=2, amounts=(0.2, 0.9)),
        attempt(TOO_BAD, number=3, amounts=(0.6, 0.6)),
        attempt(TOO_BAD, number=4, amounts=(0.3, 0.4)),
        attempt(finding(), number=5, amounts=(0.3, 0.31)),
    ]
    found = next_up([chosen, *others], chosen)
    assert found is not None
    assert found.number == 4
    assert next_up([chosen, others[0]], chosen) is None


def traced(*draws: Attempt, other_scope: Attempt | None = None) -> Trace:
    chosen = attempt(finding(), number=1)
    return Trace(
        objective="parameters", baseline=None, varied=("heads (step 1)",), rows=100,
        confidence=0.95, attempts=(chosen,), chosen=chosen, next_up=None,
        control=draws[0] if draws else None, further_draws=draws[1:] or None,
        other_scope=other_scope,
    )  # fmt: skip


def drawn(difference: float, number: int, **given: Any) -> Attempt:
    one = finding(difference=difference, **given)
    return attempt(one, number=number, criterion="random")


def test_the_console_says_what_draws_cost_and_which_are_shown_to_lose_more() -> None:
    lost = drawn(-0.03, 2, status="fail")
    worse = dataclasses.replace(lost, lost_more=LostMore(p_value=0.01))
    open_ = dataclasses.replace(drawn(-0.06, 3), lost_more=LostMore(p_value=0.03))
    told, shown, *good = controls_in_words(traced(worse, open_))
    assert told == (
        "random: 1 of 2 draws passes; 150.0 % to 300.0 % of the margin used, 225.0 % on average"
    )
    same = "random: shown to lose more than attempt 1 on the same rows (95.0 %, all together): "
    assert (shown, good) == (f"{same}1, 2", [])
    open_ = dataclasses.replace(open_, lost_more=LostMore(p_value=0.06))
    _, shown, good_ = controls_in_words(traced(worse, open_))
    assert shown == f"{same}1"
    assert good_ == "random may be as good here: 1 draw that passes is not shown to lose more"
    assert controls_in_words(traced(worse)) == [f"{same}yes"]
    assert controls_in_words(traced(open_))[0] == f"{same}no"
    assert "not tested" in controls_in_words(traced(lost))[0], "of a record without the test"
    assert controls_in_words(traced()) == []


def test_the_console_says_where_no_edge_was_found() -> None:
    assert "the edge may lie beyond" in edge_in_words(traced())[0]
    wall = NotMade(number=2, amounts=(0.9,), criterion="taylor", beyond=True, reason="too much")
    walled = dataclasses.replace(traced(), not_made=(wall,))
    assert edge_in_words(walled) == ["more than attempt 1 removes cannot be removed"]
    largest = dataclasses.replace(traced(), at_largest=True)
    assert edge_in_words(largest) == ["more than attempt 1 removes cannot be removed"]
    nothing = dataclasses.replace(wall, beyond=False)
    assert edge_in_words(dataclasses.replace(traced(), not_made=(nothing,))) == edge_in_words(
        traced()
    )
    further = dataclasses.replace(traced(), next_up=attempt(TOO_BAD, number=2))
    assert edge_in_words(further) == []


def test_the_table_names_the_attempt_that_another_is_equal_to() -> None:
    trace = traced()
    twin = dataclasses.replace(trace.attempts[0], number=2, same_as=1)
    rows = attempts_table(dataclasses.replace(trace, attempts=(*trace.attempts, twin)))
    assert [row[-1] for row in rows[1:]] == [
        "passes, chosen", "passes, the same weights as attempt 1"
    ]  # fmt: skip


def test_what_cannot_be_made_is_in_the_table_and_on_its_side_of_the_edge() -> None:
    one = NotMade(number=2, amounts=(0.9,), criterion="taylor", beyond=True, reason="too much")
    assert (state_of(one), violation(one) > violation(attempt(TOO_BAD))) == ("too_much", True)
    assert state_of(dataclasses.replace(one, beyond=False)) == "too_little"
    trace = dataclasses.replace(traced(), not_made=(one,))
    row = attempts_table(trace)[-1]
    assert (row[0], row[1], row[-1]) == (
        "2",
        "90.0\u00a0%".replace("\u00a0", " "),
        "cannot be made",
    )
    assert not_made_in_words(trace) == ["attempt 2 cannot be made: too much"]


def test_the_table_names_what_the_choice_is_held_beside() -> None:
    other = attempt(finding(), number=4, scope="global")
    one, two = drawn(-0.03, 2, status="fail"), drawn(-0.006, 3)
    names = [row[0] for row in attempts_table(traced(one, two, other_scope=other))]
    assert names == ["", "1", "random 1", "random 2", "global"]
    assert [row[0] for row in attempts_table(traced(one))] == ["", "1", "random"]
    outcomes = [row[-1] for row in attempts_table(traced(one, two, other_scope=other))]
    assert outcomes[1:] == ["passes, chosen", "fails", "passes", "passes"]
    record = traced(one, two, other_scope=other).record()
    assert [draw.number for draw in record.draws] == [2, 3]
    assert (record.other_scope and record.other_scope.scope) == "global"


def test_equal_weights_are_one_candidate_also_of_a_control() -> None:
    """What is kept of attempts is taken up; nothing is made."""
    weights = iter(["a", "b", "a", "b", "c"])

    def kept(_name: str) -> KeptAttempt:
        found = dataclasses.replace(attempt(finding(), number=9), weights=next(weights))
        return KeptAttempt(attempt=found, losses=())

    trials = Trials(bench=cast(Any, None), search=cast(Any, None), work=cast(Any, Kept(find=kept)))
    variants = [Variant()] * 3 + [Variant(scope="budget"), Variant(draw=1)]
    made = [trials.attempt((0.1 * n,), one) for n, one in enumerate(variants, start=1)]
    same = [one.same_as for one in made if isinstance(one, Attempt)]
    assert same == [None, None, 1, 2, None]


def test_what_is_known_of_amounts_may_grow_with_what_was_found() -> None:
    """Until something was found every share is a candidate of its own; then whole tenths are."""
    found: list[Amounts] = []

    def answer(amounts: Amounts) -> Amounts:
        found.append(amounts)
        return amounts

    memo = Memo(answer, lambda amounts: round(amounts[0], 1) if found else amounts, 2)
    assert [memo((share,)) for share in (0.31, 0.32, 0.4, 0.44, 0.5)] == [
        (0.31,), (0.31,), (0.4,), (0.4,), None
    ]  # fmt: skip
    assert (memo.found, memo.again) == (((0.31,), (0.4,)), (((0.32,),), ((0.44,),)))


def test_nothing_lost_has_no_sign() -> None:
    """A search that was taken up has read 0.0, and tells the same bytes as one never stopped."""
    worst = worst_change([finding(difference=0.0)])
    assert worst is not None
    assert repr(worst.loss) == "0.0"
