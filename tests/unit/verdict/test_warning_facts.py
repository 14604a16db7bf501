"""What only warns, what was not judged, what was lost and what is guaranteed stand as facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules import of_rules
from tests.unit.counting import kinds

import prunegate
from prunegate.claims.checked import CheckedFigure, Claims
from prunegate.evidence.further_rows import POWER
from prunegate.planning.plan import PlanRequest, plan
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.search.attempt import missed
from prunegate.stats.result import adjust
from prunegate.verdict.claim_findings import with_claims
from prunegate.verdict.finding import Verdict
from prunegate.verdict.losses import LEVEL

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe}\n"
CLAIMS = """\
claims: {severity: warn, figures: {metrics: [{name: recall, before: 0.9, after: 0.8}]}}
"""


MINIMUM = "evidence: {minimum: {rows: 300, positives: 100}}\n"


def policy(*rules: str, more: str = "") -> Policy:
    listed = "\n".join(f"  - {rule}" for rule in rules)
    return parse_policy(f"{HEAD}{more}rules:\n{listed}\n")


def counts(*slices: tuple[str, Sequence[int]]) -> pd.DataFrame:
    rows = [
        {"k": name, "label": cell >> 2, "baseline": cell >> 1 & 1, "candidate": cell & 1, "n": n}
        for name, cells in slices
        for cell, n in enumerate(cells)
    ]
    return pd.DataFrame(rows)


SAME = (500, 0, 0, 0, 0, 0, 0, 500)


def facts(verdict: Verdict, kind: str) -> list[str]:
    """The sentences of the warnings of a kind."""
    return [verdict.warnings[f.place] for f in verdict.warning_facts if f.kind == kind]


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
