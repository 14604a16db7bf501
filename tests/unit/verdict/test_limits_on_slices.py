"""One limit on one slice: boundaries, undefined values, directions, and what is still needed."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times
from tests.rules import of_rules

import prunegate
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Finding, Verdict

CELLS = st.lists(st.integers(0, 60), min_size=8, max_size=8).filter(any)


def policy(rules: str, rest: str = "") -> Policy:
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    return parse_policy(f"{head}{rest}rules: [{rules}]\n")


def frame(cells: list[int], **columns: Any) -> pd.DataFrame:
    bits = [{"label": i >> 2, "baseline": i >> 1 & 1, "candidate": i & 1} for i in range(8)]
    return pd.DataFrame(bits).assign(n=cells, **columns)


def judged(rules: str, cells: list[int], rest: str = "") -> Verdict:
    return prunegate.judge_counts(policy(rules, rest), frame(cells))


def found(rules: str, cells: list[int], rest: str = "") -> Finding:
    (finding,) = of_rules(judged(rules, cells, rest))
    return finding


def recall_cells(both: int, lost: int, gained: int, neither: int, negatives: int = 0) -> list[int]:
    return [negatives, 0, 0, 0, neither, gained, lost, both]


# 91 of 100 before, 89 after: exactly two points
BOUNDARY = recall_cells(both=88, lost=3, gained=1, neither=8, negatives=100)


@pytest.mark.parametrize(
    ("limit", "status"),
    [
        ("max_drop: 0.02", "pass"),
        ("max_drop: 0.0199", "fail"),
        ("at_least: 0.89", "pass"),
        ("at_least: 0.8901", "fail"),
        ("at_most: 0.89", "pass"),
        ("at_most: 0.8899", "fail"),
    ],
)
def test_a_point_limit_is_inclusive_and_exact(limit: str, status: str) -> None:
    assert found(f"{{metric: recall, {limit}, evidence: point}}", BOUNDARY).status == status


def test_proven_wants_more_than_the_estimate() -> None:
    finding = found("{metric: recall, max_drop: 0.02}", BOUNDARY)
    assert finding.status == "inconclusive"
    assert finding.p_value is not None
    assert finding.p_value > 0.05
    assert finding.needed is None or finding.needed > 0


def test_the_zero_cell_trap() -> None:
    """Without a single difference the exact p is (1 - margin) ** n, never 0."""
    for n, status in ((148, "inconclusive"), (149, "pass")):
        finding = found("{metric: recall, max_drop: 0.02}", recall_cells(n, 0, 0, 0, 50))
        assert finding.status == status
        assert finding.p_value == pytest.approx(0.98**n, abs=1e-3)


def test_undefined_is_never_a_pass() -> None:
    negatives = [50, 0, 0, 0, 0, 0, 0, 0]
    finding = found("{metric: recall, at_least: 0.0}", negatives)
    assert (finding.status, finding.candidate) == ("inconclusive", None)
    assert finding.needed is None  # a single positive settles nothing
    assert "no positive rows" in finding.note
    assert found("{metric: recall, at_least: 0, on_undefined: fail}", negatives).status == "fail"
    positives = recall_cells(30, 0, 0, 0)
    finding = found("{metric: specificity, at_least: 0.0}", positives)
    assert (finding.status, finding.needed) == ("inconclusive", None)
    assert "only positive rows" in finding.note
    nothing_flagged = [20, 0, 0, 0, 20, 0, 0, 0]
    finding = found("{metric: precision, at_least: 0.0}", nothing_flagged)
    assert (finding.status, finding.needed, finding.needed_unit) == ("inconclusive", None, None)
    assert "flags nothing in the slice, and how many further rows" in finding.note
    finding = found("{metric: mcc, at_least: 0.0}", [0, 0, 0, 20, 0, 0, 0, 20])
    assert (finding.status, finding.needed) == ("inconclusive", None)
    assert "flags everything" in finding.note


def test_a_floor_needs_no_baseline() -> None:
    """The baseline flags nothing, so its precision is undefined; the candidate's is not."""
    cells = [100, 0, 0, 0, 0, 300, 0, 0]
    finding = found("{metric: precision, at_least: 0.9}", cells)
    assert (finding.status, finding.baseline, finding.candidate) == ("pass", None, 1.0)
    assert found("{metric: precision, max_drop: 0.5}", cells).status == "inconclusive"


def test_errors_that_grow_from_none_are_shown_to_be_harm() -> None:
    """What they are allowed to grow to is undefined; that they grew by more is not."""
    rule = "{metric: recall, max_drop: {error_ratio: 0.5}}"
    half = judged(rule, recall_cells(100, 100, 0, 0, 200))
    assert half.outcome == "reject"
    assert of_rules(half)[0].p_value == 1
    assert found(rule, recall_cells(195, 5, 0, 0, 200)).p_harm == pytest.approx(0.6**5, abs=1e-5)
    assert found(rule, recall_cells(200, 0, 0, 0, 200)).p_harm == 1
    point = found(rule.replace("}}", "}, evidence: point}"), recall_cells(100, 100, 0, 0, 200))
    assert point.status == "inconclusive"


@pytest.mark.parametrize(
    ("limit", "cells"),
    [
        ("max_drop: {relative: 0.1}", recall_cells(0, 0, 30, 70, 9)),  # the baseline finds nothing
        ("max_drop: {error_ratio: 0.5}", recall_cells(97, 3, 0, 0, 9)),  # it misses nothing
        ("max_ratio: 2.0", recall_cells(0, 0, 30, 70, 9)),
    ],
)
@pytest.mark.parametrize("evidence", ["proven", "point"])
def test_a_ratio_to_nothing_is_undefined(limit: str, cells: list[int], evidence: str) -> None:
    rule = f"{{metric: recall, {limit}, evidence: {evidence}"
    assert found(f"{rule}}}", cells).status == "inconclusive"
    assert found(f"{rule}, on_undefined: fail}}", cells).status == "fail"


@pytest.mark.slow
@given(cells=CELLS, margin=st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=25)
def test_a_rise_of_false_positives_is_a_drop_of_specificity(
    cells: list[int], margin: float
) -> None:
    rise = found(f"{{metric: false_positive_rate, max_rise: {margin}}}", cells)
    drop = found(f"{{metric: specificity, max_drop: {margin}}}", cells)
    same = ("status", "p_value", "p_harm", "p_harm_adjusted", "n", "lost", "gained", "needed")
    assert all(getattr(rise, name) == getattr(drop, name) for name in same)
    if drop.candidate is None or drop.difference is None or drop.ci_low is None:
        return
    assert rise.candidate == pytest.approx(1 - drop.candidate)
    assert rise.difference == -drop.difference
    assert (rise.ci_low, rise.ci_high) == (-drop.ci_high, -drop.ci_low)  # type: ignore[operator]  # set with ci_low
    assert rise.ci_low <= rise.difference <= rise.ci_high  # type: ignore[operator]  # both are set


@pytest.mark.slow
@given(cells=CELLS, cap=st.sampled_from([0.1, 0.5]))
@settings(max_examples=25)
def test_a_cap_on_false_positives_is_a_floor_of_specificity(cells: list[int], cap: float) -> None:
    most = found(f"{{metric: false_positive_rate, at_most: {cap}}}", cells)
    least = found(f"{{metric: specificity, at_least: {1 - cap}}}", cells)
    assert (most.status, most.p_value, most.p_harm) == (least.status, least.p_value, least.p_harm)
    if least.ci_low is not None and least.ci_high is not None:
        assert (most.ci_low, most.ci_high) == (1 - least.ci_high, 1 - least.ci_low)


RULES = st.sampled_from(
    [
        "{metric: recall, max_drop: 0.05}",
        "{metric: accuracy, min_gain: 0.01}",
        "{metric: specificity, max_gain: 0.1}",
        "{metric: precision, max_drop: {relative: 0.1}}",
        "{metric: f1, max_drop: 0.05}",
        "{metric: recall, max_drop: {error_ratio: 0.5}}",
        "{metric: false_positive_rate, max_ratio: 1.5}",
        "{metric: churn, at_most: 0.2}",
        "{metric: precision, at_least: 0.5}",
        "{metric: f1, max_ratio: 1.2}",
        "{metric: accuracy, min_gain: {relative: 0.05}}",
        "{metric: precision, max_gain: {relative: 0.05}}",
    ]
)


@pytest.mark.slow
@given(cells=CELLS, rule=RULES)
@settings(max_examples=times(24, thorough=120))
def test_a_proven_pass_holds_in_the_sample_and_harm_is_broken_there(
    cells: list[int], rule: str
) -> None:
    proven = found(rule, cells)
    point = found(rule[:-1] + ", evidence: point}", cells)
    if proven.status in ("pass", "fail"):
        assert point.status == proven.status
    for p in (proven.p_value, proven.p_harm):
        assert p is None or 0 <= p <= 1


@pytest.mark.slow
@given(cells=CELLS, rule=RULES)
@settings(max_examples=times(16, thorough=100))
def test_an_open_finding_says_what_it_needs_or_why_nothing_helps(
    cells: list[int], rule: str
) -> None:
    finding = found(rule, cells)
    if finding.status == "inconclusive":
        assert finding.note
        assert (finding.needed is None) == (finding.needed_unit is None)
        assert finding.needed is None or finding.needed >= 1
    else:
        assert finding.needed is None


def test_below_the_minimum_nothing_passes_or_fails() -> None:
    minimum = "evidence: {minimum: {rows: 500, positives: 100}}\n"
    for lost in (0, 1, 90):
        for evidence in ("proven", "point"):
            cells = recall_cells(90 - lost, lost, 0, 0, 900)
            rule = f"{{metric: recall, max_drop: 0.2, evidence: {evidence}}}"
            finding = found(rule, cells, minimum)
            assert finding.status == "inconclusive"
            if evidence == "point" or not lost:
                assert (finding.needed, finding.needed_unit) == (10, "positives")
            elif lost == 90:  # ten positives more would only show that it is broken
                assert finding.needed == finding.needed_if_unchanged
                assert (finding.needed_if_as_seen, finding.as_seen) == (None, "broken")


def test_few_flagged_rows_are_no_evidence_about_precision() -> None:
    finding = found("{metric: precision, max_drop: 0.2}", [100, 0, 0, 0, 0, 0, 0, 49])
    assert finding.status == "inconclusive"
    assert "validated from 50 rows" in finding.note
    enough = found("{metric: precision, max_drop: 0.2}", [100, 0, 0, 1, 0, 0, 0, 49])
    assert enough.status == "pass"


@pytest.mark.parametrize("evidence", ["proven", "point"])
def test_a_declared_slice_of_one_class_never_passes(evidence: str) -> None:
    slicing = "slices: [{by: k, expect: [a]}]\n"
    rule = f"{{metric: recall, slices: k, max_drop: 0.02, evidence: {evidence}}}"
    counts = frame(recall_cells(400, 0, 0, 0), k="a")
    verdict = prunegate.judge_counts(policy(rule, slicing), counts)
    assert verdict.outcome == "inconclusive"
    assert "rows of one class only" in verdict.findings[0].note
    negatives = frame([400, 0, 0, 0, 0, 0, 0, 0], k="a")
    both = pd.concat([counts, negatives])
    assert prunegate.judge_counts(policy(rule, slicing), both).outcome == "approve"
    harmed = frame(recall_cells(300, 100, 0, 0), k="a")
    assert prunegate.judge_counts(policy(rule, slicing), harmed).outcome == "reject"


def test_a_selector_may_repeat_what_another_names() -> None:
    slicing = "slices: [{by: k}]\n"
    counts = pd.concat([frame([400, 0, 0, 0, 0, 0, 0, 400], k=k) for k in "ab"])
    once = prunegate.judge_counts(
        policy("{metric: recall, slices: all, max_drop: 0.02}", slicing), counts
    )
    repeated = prunegate.judge_counts(
        policy("{metric: recall, slices: [all, overall, k, k=a], max_drop: 0.02}", slicing), counts
    )
    assert once.outcome == "approve"
    assert repeated.findings == once.findings


@pytest.mark.parametrize("selector", ["k", "k=gone", "[overall, k]"])
def test_a_selector_that_meets_nothing_is_never_an_approve(selector: str) -> None:
    rest = "slices: [{by: k}]\nevidence: {minimum: {rows: 50, positives: 10}}\n"
    counts = pd.concat([frame([20, 0, 0, 0, 0, 0, 0, 20], k=str(k)) for k in range(20)])
    rule = f"{{metric: recall, slices: {selector}, max_drop: 0.2}}"
    verdict = prunegate.judge_counts(policy(rule, rest), counts)
    assert (verdict.outcome, verdict.exit_code) == ("inconclusive", 4)
    assert any("nothing to judge" in reason for reason in verdict.reasons)
