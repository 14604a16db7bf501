"""What only warns, what was not judged, what was lost and what is guaranteed stand as facts."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules import of_rules
from tests.unit.counting import kinds
from tests.unit.verdict.joint_counts import HEAD, SAME, counts, facts, policy

import prunegate
from prunegate.claims.checked import CheckedFigure, Claims
from prunegate.policy.load import parse_policy
from prunegate.stats.result import adjust
from prunegate.verdict.claim_findings import with_claims
from prunegate.verdict.losses import LEVEL

CLAIMS = """\
claims: {severity: warn, figures: {metrics: [{name: recall, before: 0.9, after: 0.8}]}}
"""

MINIMUM = "evidence: {minimum: {rows: 300, positives: 100}}\n"


def test_a_broken_rule_that_only_warns_is_a_warning_and_an_open_one_too() -> None:
    rules = (
        "{metric: recall, max_drop: 0.02}",
        "{metric: recall, slices: all, at_least: 0.997, evidence: point, severity: warn}",
        "{metric: latency_p95_ms, at_most: 40, severity: warn}",
    )
    found = prunegate.judge_counts(
        policy(*rules, more="slices: [{by: k}]\n"),
        counts(("a", (500, 0, 0, 0, 2, 0, 0, 498)), ("b", SAME)),
    )
    assert found.outcome == "approve"
    broken, opened = facts(found, "broken"), facts(found, "open")
    assert [f.slice for f in found.findings if f.status == "fail"] == ["k=a"]
    (sentence,) = broken
    assert sentence.startswith("Recall on k=a is 99.6 %")
    assert sentence.endswith("(this rule only warns).")
    (sentence,) = opened
    assert "P95 latency on overall" in sentence
    for fact in found.warning_facts:
        assert fact.finding is not None
        assert found.findings[fact.finding].severity == "warn"


@pytest.mark.parametrize("status", ["contradicted", "not checked"])
def test_stated_figures_that_only_warn_are_warnings(status: str) -> None:
    asked = policy("{metric: recall, max_drop: 0.02}", more=CLAIMS)
    judged = prunegate.judge_counts(asked, counts(("a", SAME)))
    bare = replace(
        judged,
        findings=tuple(f for f in judged.findings if f.metric != "claims"),
        warnings=("an earlier one",),
        warning_facts=(),
    )
    check = CheckedFigure(
        figure="recall: change", stated="0.2", status=status, basis="arithmetic", sum="0.9 - 0.8"
    )  # type: ignore[arg-type]  # one of its statuses
    found = with_claims(asked, bare, Claims(about=None, checks=(check, check)))
    kind = "broken" if status == "contradicted" else "open"
    assert len(facts(found, kind)) == (2 if status == "contradicted" else 1)
    assert all("only warn" in text for text in facts(found, kind))
    assert found.warnings[0] == "an earlier one"


def test_a_slice_that_nobody_judged_is_told_with_what_is_known_of_it() -> None:
    """A thousand rows without positives, half of them flagged by the candidate alone."""
    found = prunegate.judge_counts(
        policy("{metric: recall, slices: all, max_drop: 0.02}", more="slices: [{by: k}]\n"),
        counts(("a", SAME), ("b", (500, 500, 0, 0, 0, 0, 0, 0))),
    )
    assert found.outcome == "approve"
    (told,) = facts(found, "unjudged")
    assert told.startswith("k=b is not declared in the policy and was not judged (1,000 rows, 0 p")
    assert "the baseline alone is right on 500 of its rows" in told
    assert [f.slice for f in found.warning_facts] == ["k=b"]
    assert found.guarantee is not None
    assert "unjudged slices" in found.guarantee.leaves_out


UNJUDGED = {
    "binary": "(9 rows, 3 positives; the policy's minimum evidence is 20 rows and 5 positives)",
    "multiclass": (
        "(9 rows, 3 of the rarest class; the policy's minimum evidence is 20 rows and 5 of every "
        "class)"
    ),
    "multilabel": (
        "(9 rows, 3 of the rarest label; the policy's minimum evidence is 20 rows and 5 of every "
        "label)"
    ),
    "score": "(9 rows; the policy's minimum evidence is 20 rows)",
    "language": "(9 documents; the policy's minimum evidence is 20 documents)",
}

TASKS = {
    "binary": "kind: binary, positive: 1",
    "multiclass": "kind: multiclass",
    "multilabel": "kind: multilabel, labels: [a, b]",
    "score": "kind: score, range: [0, 2]",
    "language": "kind: language",
}


@pytest.mark.parametrize("kind", UNJUDGED)
def test_a_slice_that_is_too_small_is_told_in_the_words_of_its_task(kind: str) -> None:
    """Only where rows are positive or not are there positives to be short of."""
    metric = {"score": "mean_score", "language": "nll_per_token"}.get(kind, "accuracy")
    limit = "max_rise: 1.5" if kind == "language" else "max_drop: 0.5"
    minimum = "{rows: 20}" if kind in ("score", "language") else "{rows: 20, positives: 5}"
    asked = parse_policy(
        f"prunegate: 1\nname: x\ntask: {{{TASKS[kind]}}}\nslices: [{{by: k}}]\n"
        f"evidence: {{minimum: {minimum}}}\n"
        f"rules: [{{metric: {metric}, {limit}, evidence: point}}]\n"
    )
    values = pd.Series([0, 1, 2] * 13)
    if kind == "binary":
        values = values // 2
    data = pd.DataFrame({"id": values.index, "k": ["a"] * 30 + ["b"] * 9, "tokens": 7})
    for name in ("label", "baseline", "candidate"):
        if kind == "multilabel":
            data[f"{name}_a"], data[f"{name}_b"] = (values == 1) * 1, (values == 2) * 1
        elif kind != "language" or name != "label":
            data[name] = values.astype(float) if kind in ("score", "language") else values
    (told,) = facts(prunegate.judge(asked, data), "unjudged")
    assert told.removeprefix("k=b is not declared in the policy and was not judged ") == (
        f"{UNJUDGED[kind]}."
    )


def test_figures_that_nobody_read_hold_an_approval_back() -> None:
    asked = policy("{metric: recall, max_drop: 0.02}", more="claims: {file: stated.yaml}\n")
    found = prunegate.judge_counts(asked, counts(("a", SAME)))
    (open_,) = (f for f in found.findings if f.check == "claims")
    assert (found.outcome, open_.status, open_.open_because) == (
        "inconclusive",
        "inconclusive",
        "unread",
    )
    (reason,) = found.reasons
    assert reason == (
        "Stated figures: the claims file was not read: load the policy from its file, or state "
        "figures in it."
    )


def test_figures_that_add_up_do_not_hide_that_a_slice_is_not_there() -> None:
    stated = "claims: {figures: {price: {before: $2, after: $1, change: -50 %}}}\n"
    more = f"slices: [{{by: k, expect: [a, z]}}]\n{stated}"
    found = prunegate.judge_counts(
        policy("{metric: recall, max_drop: 0.02}", more=more), counts(("a", SAME))
    )
    assert {f.status for f in found.findings} == {"pass"}
    assert found.outcome == "inconclusive"
    assert found.reasons == ("k=z: the policy expects this slice and the data have no row of it.",)


def test_a_slice_without_rows_has_no_error_of_calibration() -> None:
    asked = parse_policy(
        f"{HEAD.replace('}', ', threshold: 0.5}')}slices: [{{by: k, expect: [a, z]}}]\n"
        "rules: [{metric: log_loss, slices: all, at_most: 0.9}]\n"
    )
    label = ["unsafe", "safe"] * 200
    score = [0.9 if one == "unsafe" else 0.2 for one in label]
    data = pd.DataFrame(
        {"id": range(400), "k": "a", "label": label, "baseline": score, "candidate": score}
    )
    known = {one.name: one.calibration for one in prunegate.judge(asked, data).slices}
    assert known["k=z"] is None
    assert known["k=a"] == known["overall"]
    assert known["overall"] is not None
    assert known["overall"].baseline == pytest.approx(0.15)


def test_many_slices_that_nobody_judged_are_a_few_sentences() -> None:
    small = [(f"s{n}", (10 + n, 0, 0, 0, 0, 0, 0, 1)) for n in range(40)]
    found = prunegate.judge_counts(
        policy("{metric: recall, max_drop: 0.02}", more="slices: [{by: k}]\n" + MINIMUM),
        counts(("a", SAME), *small),
    )
    told = [text for text in found.warnings if "not judged" in text]
    assert len(told) == 6
    assert told[-1].startswith("35 more slices")


@given(
    lost=st.lists(st.integers(0, 60), min_size=1, max_size=8),
    gained=st.lists(st.integers(0, 60), min_size=8, max_size=8),
)
@settings(max_examples=10, deadline=None)
def test_a_loss_is_real_only_after_all_that_was_looked_at(
    lost: list[int], gained: list[int]
) -> None:
    pairs = enumerate(zip(lost, gained, strict=False))
    slices = [(f"s{n}", (400, 0, 0, 0, 50, g, x, 600)) for n, (x, g) in pairs]
    found = prunegate.judge_counts(
        policy("{metric: recall, slices: all, max_drop: 0.3}", more="slices: [{by: k}]\n"),
        counts(*slices),
    )
    each = [f.p_loss for f in of_rules(found)]
    adjusted = adjust([1.0 if p is None else p for p in each])
    for finding, p_loss, expected in zip(of_rules(found), each, adjusted, strict=True):
        below = finding.ci_high is not None and finding.ci_high < 0
        assert (p_loss is not None) == below
        assert finding.p_loss_adjusted == (expected if below else None)
    told = {f.finding for f in found.warning_facts if f.kind == "loss"}
    assert told == {n for n, p in enumerate(adjusted) if p <= LEVEL and each[n] is not None}
    assert [f.place for f in found.warning_facts if f.kind == "loss"] == list(found.allowed_losses)


@pytest.mark.parametrize(
    ("kind", "rules", "left_out"),
    [
        ("labels", ["{metric: recall, max_drop: 0.3}"], ()),
        (
            "labels",
            [
                "{metric: recall, max_drop: 0.3}",
                "{metric: f1, at_least: 0.1, evidence: point}",
                "{metric: model_bytes, max_ratio: 1}",
                "{metric: accuracy, max_drop: 0.3, severity: warn}",
            ],
            ("point rules", "figures", "warning rules"),
        ),
        ("language", ["{metric: nll_per_token, max_rise: 0.3}"], ("rare losses",)),
        ("score", ["{metric: mean_score, max_drop: 0.3}"], ()),
    ],
)
def test_the_guarantee_says_what_it_does_not_cover(
    kind: str, rules: list[str], left_out: tuple[str, ...]
) -> None:
    found = prunegate.judge(kinds.policy(kind, rules, slices=""), kinds.table(kind, 2, 900))
    assert found.guarantee is not None
    assert found.guarantee.leaves_out == left_out
    assert ("Not covered: " in found.statement) == bool(left_out)
    assert ("1 in 200" in found.statement) == ("rare losses" in left_out)


@pytest.mark.parametrize(
    "rule",
    ["{metric: recall, max_drop: 0.3, evidence: point}", "{metric: model_bytes, at_most: 9}"],
)
def test_nothing_is_guaranteed_where_nothing_was_tested(rule: str) -> None:
    found = prunegate.judge_counts(policy(rule), counts(("a", SAME)))
    assert found.guarantee is None
    assert found.statement.startswith("No error rate is guaranteed")
    assert "approves" not in found.statement
