"""Advice: rows that would settle an open limit, and none where a rejection stands."""

from __future__ import annotations

import pytest
from tests.rules import of_rules
from tests.unit.verdict.joint_counts import SAME, counts, facts, policy

import prunegate
from prunegate.evidence.further_rows import POWER
from prunegate.planning.plan import PlanRequest, plan
from prunegate.search.attempt import missed


def test_advice_names_both_assumptions_and_is_more_than_the_plan_after_a_loss() -> None:
    asked = policy("{metric: recall, max_drop: 0.02}")
    cells = (2000, 0, 0, 0, 100, 30, 44, 826)
    (finding,) = of_rules(prunegate.judge_counts(asked, counts(("a", cells))))
    assert (finding.status, finding.as_seen) == ("inconclusive", "holds")
    unchanged, as_seen = finding.needed_if_unchanged, finding.needed_if_as_seen
    assert unchanged is not None
    assert as_seen is not None
    assert as_seen > 10 * unchanged
    assert "if nothing really changed; if the change is as seen, about" in finding.note
    assert finding.note.endswith(": more hardly help")
    wanted = PlanRequest(power=POWER, simulations=10, seed=0)
    planned = plan(asked, {(): cells}, wanted).needs[0]
    assert planned.needed is not None
    assert planned.needed < finding.n + unchanged  # a plan knows nothing of the loss seen so far


def test_advice_agrees_with_the_plan_where_nothing_was_lost_so_far() -> None:
    asked = policy("{metric: recall, max_drop: 0.01}")
    cells = (2000, 0, 0, 0, 100, 37, 37, 826)
    (finding,) = of_rules(prunegate.judge_counts(asked, counts(("a", cells))))
    assert finding.status == "inconclusive"
    planned = plan(asked, {(): cells}, PlanRequest(power=POWER, simulations=10, seed=0)).needs[0]
    in_all = finding.n + (finding.needed_if_unchanged or 0)
    assert planned.needed == pytest.approx(in_all, rel=0.03)


def test_where_a_plan_asks_for_no_more_the_rows_make_up_for_what_was_seen() -> None:
    """Enough rows for the plan, and open all the same: one row more would settle nothing."""
    asked = policy("{metric: recall, max_drop: 0.02}")
    cells = (2000, 0, 0, 0, 300, 238, 362, 7100)
    (finding,) = of_rules(prunegate.judge_counts(asked, counts(("a", cells))))
    further = finding.needed_if_unchanged
    assert finding.status == "inconclusive"
    assert further is not None
    assert further > 100
    differ = round(further * 600 / 8000 / 2)  # as many of the new rows differ, evenly both ways
    more = (2000, 0, 0, 0, 300, 238 + differ, 362 + differ, 7100 + further - 2 * differ)
    (settled,) = of_rules(prunegate.judge_counts(asked, counts(("a", more))))
    assert settled.status == "pass"


@pytest.mark.parametrize("lost", [26, 40, 99])
def test_nobody_is_told_to_label_for_a_rejection(lost: int) -> None:
    """One positive short of the minimum, and that one would show the limit broken."""
    more = "evidence: {minimum: {rows: 300, positives: 1000}}\n"
    asked = policy("{metric: recall, max_drop: 0.005}", more=more)
    cells = (2000, 0, 0, 0, 10, 0, lost, 989 - lost)
    (finding,) = of_rules(prunegate.judge_counts(asked, counts(("a", cells))))
    assert (finding.status, finding.as_seen) == ("inconclusive", "broken")
    assert finding.needed_if_as_seen is None
    assert finding.needed == finding.needed_if_unchanged
    assert "more would show the limit to be broken" in finding.note
    level = policy("{metric: recall, at_least: 0.995}", more=more)
    (finding,) = of_rules(prunegate.judge_counts(level, counts(("a", cells))))
    assert finding.needed is None
    assert "more rows like those seen would show the limit to be broken" in finding.note


@pytest.mark.parametrize("lost", [22, 400])
def test_the_reasons_of_a_rejection_ask_for_no_labels(lost: int) -> None:
    rules = (
        "{metric: recall, slices: all, max_drop: 0.02}",
        "{metric: accuracy, slices: all, max_drop: 0.01, severity: warn}",
    )
    cells = (500, 0, 0, 0, 10, 5, lost, 985 - lost)
    few = (90, 3, 2, 5, 9, 2, 7, 82)
    asked = policy(*rules, more="slices: [{by: k}]\n")
    found = prunegate.judge_counts(asked, counts(("a", cells), ("b", few)))
    told = [*found.reasons, *facts(found, "open")]
    assert found.outcome == ("reject" if lost == 400 else "inconclusive")
    assert any("k=b" in text and "not proven" in text for text in told)
    assert any("label about" in text for text in told) == (found.outcome == "inconclusive")
    assert any("label about" in f.note for f in found.findings)


@pytest.mark.parametrize("slices", [50, 51, 52, 60])
def test_the_reasons_tell_the_first_of_many_open_limits_and_count_the_rest(slices: int) -> None:
    few = (90, 3, 2, 5, 9, 2, 7, 82)
    rule = "{metric: recall, slices: k, max_drop: 0.02}"
    asked = policy(rule, more="slices: [{by: k}]\n")
    cells = [(f"s{n:02d}", few) for n in range(slices)]
    found = prunegate.judge_counts(asked, counts(*cells))
    open_ = [f for f in found.findings if f.status == "inconclusive"]
    assert len(open_) == slices
    rest = len(open_) - 50 if slices > 51 else 0
    *told, last = found.reasons if rest else (*found.reasons, "")
    assert len(told) == len(open_) - rest
    assert last == (f"{rest} more blocking limits are open." if rest else "")
    assert any(missed(found).startswith(text) for text in told)


OPEN_LIMITS = (
    ("precision", 0.02, (1814, 9, 1, 70, 85, 1, 105, 915)),
    ("recall", 0.02, (564, 16, 4, 18, 32, 4, 16, 347)),
    ("recall", 0.05, (169, 3, 2, 5, 9, 0, 7, 102)),
    ("specificity", 0.01, (1692, 28, 16, 54, 96, 12, 59, 1032)),
    ("accuracy", 0.01, (1692, 20, 44, 54, 96, 8, 66, 1029)),
    ("f1", 0.02, (564, 13, 7, 18, 32, 4, 9, 354)),
    ("precision", 0.01, (4512, 143, 107, 144, 256, 33, 17, 2893)),
)


@pytest.mark.parametrize(("metric", "margin", "cells"), OPEN_LIMITS)
def test_as_many_unchanged_rows_as_are_asked_for_settle_it(
    metric: str, margin: float, cells: tuple[int, ...]
) -> None:
    """The rows that are there count against it, and the test may be stricter than a formula."""
    asked = policy(f"{{metric: {metric}, max_drop: {margin}}}")
    (before,) = of_rules(prunegate.judge_counts(asked, counts(("a", cells))))
    assert (before.status, before.needed_unit is not None) == ("inconclusive", True)
    wanted = before.needed_if_unchanged
    assert wanted is not None
    flips = (1, 2, 5, 6)  # evenly both ways among further rows
    alike = [(n + cells[i ^ 3]) / 2 if i in flips else float(n) for i, n in enumerate(cells)]
    if before.needed_unit == "positives":
        alike[:4] = [0.0] * 4
    share = wanted / sum(alike)
    grown = tuple(round(n + m * share) for n, m in zip(cells, alike, strict=True))
    (after,) = of_rules(prunegate.judge_counts(asked, counts(("a", grown))))
    assert after.status == "pass"


@pytest.mark.parametrize(("rows", "positives"), [(1, 1), (300, 50), (300, 1)])
def test_a_slice_without_rows_asks_for_the_minimum_evidence_and_never_for_one_row(
    rows: int, positives: int
) -> None:
    more = f"evidence: {{minimum: {{rows: {rows}, positives: {positives}}}}}\n"
    more += "slices: [{by: k, expect: [a, gone]}]\n"
    asked = policy("{metric: recall, slices: k, max_drop: 0.3}", more=more)
    found = of_rules(prunegate.judge_counts(asked, counts(("a", SAME))))
    (gone,) = [one for one in found if one.slice == "k=gone"]
    assert gone.open_because == "absent"
    assert gone.needed == (None if rows == 1 else 300)
    assert (f"asks for {rows} rows" in gone.note) == (rows > 1)
    assert ("50 positives" in gone.note) == (positives > 1)
