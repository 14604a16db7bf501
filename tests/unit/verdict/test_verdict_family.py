"""The whole verdict: which findings decide, and the error control over all of them."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times
from tests.rules import of_rules

import prunegate
from prunegate.errors import PolicyError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

CHECKS = (
    "{metric: recall, slices: all, max_drop: 0.05}",
    "{metric: recall, slices: overall, at_least: 0.5}",
    "{metric: specificity, slices: k, max_drop: 0.1}",
    "{metric: accuracy, slices: all, max_drop: {relative: 0.1}}",
    "{metric: false_positive_rate, slices: k, at_most: 0.5, evidence: point}",
    "{metric: precision, slices: all, max_drop: 0.2}",
    "{metric: churn, slices: k, at_most: 0.3}",
    "{metric: f1, slices: overall, at_least: 0.4, evidence: point}",
    "{metric: accuracy, slices: k, at_least: 0.6, severity: warn}",
    "{metric: latency_p50_ms, max_ratio: 0.9}",
)
BLOCKING = CHECKS[:8]
MOSTLY_RIGHT = (150, 4, 4, 6, 6, 4, 4, 150)
CELLS = st.lists(
    st.tuples(*(st.integers(0, top) for top in MOSTLY_RIGHT)), min_size=1, max_size=3
).filter(lambda slices: any(map(sum, slices)))


def policy(rules: list[str]) -> Policy:
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\nslices: [{by: k}]\n"
    return parse_policy(f"{head}rules: [{', '.join(rules)}]\n")


def frame(slices: list[tuple[int, ...]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"k": f"s{k}", "label": i >> 2, "baseline": i >> 1 & 1, "candidate": i & 1, "n": n}
            for k, cells in enumerate(slices)
            for i, n in enumerate(cells)
        ]
    )


@pytest.mark.slow
@given(slices=CELLS, rules=st.permutations(BLOCKING), extra=st.sampled_from(CHECKS))
@settings(max_examples=times(16, thorough=100))
def test_adding_a_check_never_makes_an_approve(
    slices: list[tuple[int, ...]], rules: list[str], extra: str
) -> None:
    base = [rule for rule in rules[:3] if rule != extra]
    before = prunegate.judge_counts(policy(base), frame(slices))
    after = prunegate.judge_counts(policy([*base, extra]), frame(slices))
    if after.outcome == "approve":
        assert before.outcome == "approve"
    shared = [f for f in after.findings if f.rule < len(base)]
    assert [(f.p_value, f.p_harm) for f in shared] == [
        (f.p_value, f.p_harm) for f in of_rules(before)
    ]


def holm(p_values: list[float]) -> list[float]:
    """Straight from Holm (1979): the i-th smallest of m times m - i, never falling."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    scaled = [min(1.0, (len(order) - rank) * p_values[i]) for rank, i in enumerate(order)]
    for low, high in pairwise(range(len(scaled))):
        scaled[high] = max(scaled[low], scaled[high])
    return [scaled[order.index(i)] for i in range(len(order))]


@pytest.mark.slow
@given(slices=CELLS, rules=st.permutations(CHECKS))
@settings(max_examples=30)
def test_harm_is_adjusted_by_holm_over_blocking_proven_checks(
    slices: list[tuple[int, ...]], rules: list[str]
) -> None:
    if all("warn" in rule for rule in rules[:4]):
        return
    verdict = prunegate.judge_counts(policy(rules[:4]), frame(slices))
    family = [
        f
        for f in verdict.findings
        if f.severity == "block" and f.evidence == "proven" and f.p_harm is not None
    ]
    assert [f.p_harm_adjusted for f in family] == holm([f.p_harm or 0.0 for f in family])
    for finding in family:
        assert finding.p_harm_adjusted is not None
        if finding.status == "fail":
            assert finding.p_harm_adjusted <= 0.05
        if finding.status == "pass":
            assert finding.p_value is not None
            assert finding.p_value <= 0.05


@given(slices=CELLS, rules=st.permutations(CHECKS))
@settings(max_examples=times(16, thorough=100))
def test_the_outcome_follows_from_the_blocking_findings(
    slices: list[tuple[int, ...]], rules: list[str]
) -> None:
    if all("warn" in rule for rule in rules[:4]):
        return
    verdict = prunegate.judge_counts(policy(rules[:4]), frame(slices))
    statuses = {f.status for f in verdict.findings if f.severity == "block"}
    expected = (
        "reject" if "fail" in statuses else "approve" if statuses == {"pass"} else "inconclusive"
    )
    assert verdict.outcome == expected
    assert verdict.exit_code == {"approve": 0, "reject": 3, "inconclusive": 4}[expected]
    assert verdict.reasons


GOOD = [(400, 0, 0, 0, 0, 0, 0, 400)]


@pytest.mark.parametrize("limit", ["at_least: 1.0", "at_least: 1.0, evidence: point"])
def test_a_warning_neither_rejects_nor_holds_an_approve_back(limit: str) -> None:
    bad = [(400, 0, 0, 0, 0, 0, 100, 900)]
    blocking = "{metric: specificity, max_drop: 0.02}"
    warning = f"{{metric: recall, {limit}, severity: warn}}"
    verdict = prunegate.judge_counts(policy([blocking, warning]), frame(bad))
    assert [f.status for f in of_rules(verdict)] == ["pass", "fail"]
    assert verdict.outcome == "approve"


def test_a_policy_that_only_warns_decides_nothing() -> None:
    with pytest.raises(PolicyError, match="every rule only warns"):
        policy(["{metric: recall, at_least: 0.5, severity: warn}"])


def test_one_bad_slice_rejects_and_is_named_although_the_whole_looks_fine() -> None:
    slices = [*[(1000, 0, 0, 0, 0, 0, 0, 1000)] * 4, (200, 0, 0, 0, 0, 0, 30, 170)]
    rules = ["{metric: recall, slices: all, max_drop: 0.02}"]
    verdict = prunegate.judge_counts(policy(rules), frame(slices))
    assert verdict.outcome == "reject"
    assert [f.slice for f in verdict.findings if f.status == "fail"] == ["k=s4"]
    assert "k=s4" in verdict.reasons[0]


def test_the_statement_says_about_only_where_the_method_is_approximate() -> None:
    exactly = prunegate.judge_counts(policy(["{metric: recall, max_drop: 0.02}"]), frame(GOOD))
    assert "approves at most 5 %" in exactly.statement
    about = prunegate.judge_counts(policy(["{metric: precision, max_drop: 0.02}"]), frame(GOOD))
    assert "approves about 5 %" in about.statement
    point = ["{metric: recall, max_drop: 0.02, evidence: point}"]
    untested = prunegate.judge_counts(policy(point), frame(GOOD))
    assert untested.guarantee is None
    assert "No error rate is guaranteed" in untested.statement


@pytest.mark.slow
def test_a_hundred_slices_and_four_limits_are_judged_whole() -> None:
    slices = [(200, 1, 2, 3, 4, 3, 2, 200)] * 120
    rules = [
        "{metric: recall, slices: all, max_drop: 0.05, at_least: 0.5}",
        "{metric: specificity, slices: all, max_drop: 0.05}",
        "{metric: accuracy, slices: all, at_least: 0.5}",
    ]
    verdict = prunegate.judge_counts(policy(rules), frame(slices))
    assert len(of_rules(verdict)) == 4 * 121
    assert verdict.outcome == "approve"
