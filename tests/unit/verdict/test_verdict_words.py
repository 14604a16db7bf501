"""What a verdict says beside its outcome: real losses within the limit, and what is guaranteed."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.unit.counting import kinds

import prunegate
from prunegate.verdict.finding import Verdict

POSITIVE = pd.DataFrame(
    {"label": 1, "baseline": [1, 1, 0, 0], "candidate": [1, 0, 1, 0], "kind": "a", "region": "y"}
)
NEGATIVE = pd.DataFrame(
    {"label": [0], "baseline": 0, "candidate": 0, "kind": "a", "region": "y", "n": 500}
)


def judged(lost: int, gained: int, rule: str) -> Verdict:
    rows = pd.concat([POSITIVE.assign(n=[9000, lost, gained, 500]), NEGATIVE])
    return prunegate.judge_counts(kinds.policy("labels", [rule], slices=""), rows)


def losses(verdict: Verdict) -> list[str]:
    return [line for line in verdict.warnings if "a real loss" in line]


def test_a_real_loss_within_the_margin_is_approved_and_said() -> None:
    verdict = judged(100, 20, "{metric: recall, max_drop: 0.03}")
    assert verdict.outcome == "approve"
    (line,) = losses(verdict)
    assert line.startswith("Recall on overall went from ")
    assert "(lost 100, gained 20 of 9,620)" in line
    assert "95 % interval of the change by itself: −1.1 to −0.6 points" in line
    assert line.endswith("within what is allowed.")


@pytest.mark.parametrize(
    ("lost", "gained", "rule"),
    [
        (60, 50, "{metric: recall, max_drop: 0.03}"),  # the interval holds zero
        (20, 100, "{metric: recall, max_drop: 0.03}"),  # a gain
        (400, 20, "{metric: recall, max_drop: 0.03}"),  # not within the margin: a finding says it
        (100, 20, "{metric: recall, at_least: 0.5}"),  # a level says nothing of a change
    ],
)
def test_what_is_no_real_loss_within_the_margin_is_not_said(
    lost: int, gained: int, rule: str
) -> None:
    assert not losses(judged(lost, gained, rule))


def test_a_real_rise_of_an_error_is_a_loss_too() -> None:
    rows = pd.DataFrame(
        {"label": [0, 0, 1], "baseline": [0, 0, 1], "candidate": [0, 1, 1], "n": [9000, 100, 500]}
    )
    rule = "{metric: false_positive_rate, max_rise: 0.03}"
    (line,) = losses(prunegate.judge_counts(kinds.policy("labels", [rule], slices=""), rows))
    assert " points), within what is allowed." in line
    score = kinds.table("score", 3, 3000)
    score["candidate"] = (score["baseline"] - 0.01).clip(-1, 4)
    rule = "{metric: mean_score, max_drop: 0.2}"
    (line,) = losses(prunegate.judge(kinds.policy("score", [rule]), score))
    assert "points" not in line
    assert line.startswith("Mean score on overall went from ")


STATEMENTS = [
    ("labels", "", "{metric: recall, max_drop: 0.3}", "at most 5 %"),
    ("labels", "", "{metric: accuracy, at_least: 0.3}", "at most 5 %"),
    ("labels", "", "{metric: recall, max_drop: {relative: 0.3}}", "at most 5 %"),
    ("labels", "", "{metric: churn, at_most: 0.3}", "at most 5 %"),
    ("labels", "", "{metric: precision, max_drop: 0.3}", "about 5 %"),
    ("labels", "", "{metric: precision, at_least: 0.3}", "at most 5 %"),
    ("labels", "", "{metric: f1, max_drop: 0.3}", "about 5 %"),
    ("labels", "group: post\n", "{metric: recall, max_drop: 0.3}", "about 5 %"),
    ("labels", "group: post\n", "{metric: recall, at_least: 0.3}", "about 5 %"),
    ("multiclass", "", "{metric: accuracy, max_drop: 0.3}", "at most 5 %"),
    ("multiclass", "", "{metric: recall, classes: each, max_drop: 0.3}", "at most 5 %"),
    ("multiclass", "", "{metric: recall, max_drop: 0.3}", "about 5 %"),
    ("multiclass", "", "{metric: recall, at_least: 0.3}", "about 5 %"),
    ("score", "", "{metric: mean_score, max_drop: 0.3}", "about 5 %"),
    ("language", "", "{metric: perplexity, max_rise: 0.3}", "about 5 %"),
    ("language", "group: post\n", "{metric: nll_per_token, max_rise: 0.3}", "about 5 %"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "group", "rule", "words"), STATEMENTS)
def test_the_statement_promises_what_the_methods_keep(
    kind: str, group: str, rule: str, words: str
) -> None:
    verdict = prunegate.judge(kinds.policy(kind, [rule], more=group), kinds.table(kind, 2, 900))
    assert f"this gate approves {words} of the time" in verdict.statement
    units = "independent values of post" if group else "independent rows"
    assert f"({units}, fresh data)" in verdict.statement
    assert "evidence: point" not in verdict.statement


@pytest.mark.slow
def test_one_approximate_method_makes_the_statement_approximate() -> None:
    rules = ["{metric: recall, max_drop: 0.3}", "{metric: f1, max_drop: 0.3}"]
    data = kinds.table("labels", 2, 900)
    assert "about 5 %" in prunegate.judge(kinds.policy("labels", rules), data).statement
    warned = [rules[0], rules[1][:-1] + ", severity: warn}"]
    assert "at most 5 %" in prunegate.judge(kinds.policy("labels", warned), data).statement
    point = [rules[0], rules[1][:-1] + ", evidence: point}"]
    said = prunegate.judge(kinds.policy("labels", point), data).statement
    assert "at most 5 %" in said
    assert "Not covered: rules with evidence: point, which the estimate alone decides." in said


def test_an_absent_slice_is_absent_for_every_class() -> None:
    data = kinds.table("multiclass", 2, 900)
    rules = ["{metric: recall, slices: kind, classes: each, at_least: 0.1, max_drop: 0.5}"]
    verdict = prunegate.judge(kinds.policy("multiclass", rules), data[data["kind"] != "b"])
    absent = [f for f in verdict.findings if f.slice == "kind=b"]
    expected = [(label, check) for label in "uvw" for check in ("at_least", "max_drop")]
    assert [(f.class_label, f.check) for f in absent] == expected
    assert all(f.status == "inconclusive" and f.open_because == "absent" for f in absent)
    said = (
        "the policy expects this slice and the data have no row of it; the policy's minimum "
        "evidence, 1 row, would prove nothing."
    )
    for label in "uvw":
        assert f"Recall of class {label} on kind=b: {said}" in verdict.reasons
