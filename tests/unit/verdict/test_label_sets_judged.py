"""Rows with several labels, judged: each label by its exact test, none of them unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.rules import of_rules
from tests.unit.counting import label_set_tables as tables
from tests.unit.counting.label_set_tables import LABELS

import prunegate
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.opinion.laws import columns, laws
from prunegate.audit.read import kept_form
from prunegate.audit.recompute import differences
from prunegate.counting.count import count_table, open_predictions
from prunegate.data.contract.whole_table import Inside
from prunegate.gate import gate
from prunegate.policy.load import parse_policy, read_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Finding, LabelCells, Verdict

pytestmark = pytest.mark.slow

CASES = Path(__file__).parents[2] / "cases" / "multilabel"
EACH = "{metric: recall, slices: all, classes: each, max_drop: 0.2}"
SAME = ("baseline", "candidate", "difference", "p_value", "p_harm", "ci_low", "n", "lost", "method")


def known(verdict: Verdict) -> dict[tuple[Any, ...], Finding]:
    return {(f.metric, f.slice, f.class_label, f.check): f for f in verdict.findings}


def alone(data: pd.DataFrame, label: str) -> pd.DataFrame:
    """The rows of one label, as a binary table."""
    columns = {f"{role}_{label}": role for role in tables.ROLES}
    return data[["id", "kind", *columns]].rename(columns=columns)


def test_a_label_is_judged_as_a_binary_policy_judges_it_to_the_last_digit() -> None:
    data = tables.scores(1, 150)
    rules = (EACH, "{metric: false_positive_rate, classes: each, max_rise: 0.2}")
    found = known(prunegate.judge(tables.policy(*rules), data))
    binary = [rule.replace("classes: each, ", "") for rule in rules]
    task = "{kind: binary, positive: 1, threshold: 0.5}"
    for label in LABELS:
        other = prunegate.judge(tables.policy(*binary, task=task), alone(data, label))
        for one in other.findings:
            mine = found[one.metric, one.slice, label, one.check]
            assert [getattr(mine, name) for name in SAME] == [getattr(one, name) for name in SAME]


def test_a_baseline_that_knows_nothing_of_one_label_is_not_approved() -> None:
    data = tables.scores(2, 400)
    coin = np.random.default_rng(1).random(len(data)).round(4)
    data["baseline_hate"] = data["candidate_hate"] = coin
    loose = "{metric: accuracy, max_drop: 0.3}"
    verdict = prunegate.judge(tables.policy(loose), data)
    status = {f.class_label: f.status for f in verdict.findings if f.check == "beats_constant"}
    assert status == {"violence": "pass", "adult": "pass", "hate": "inconclusive"}
    assert verdict.outcome == "inconclusive"
    of_two = "{metric: recall, classes: [violence, adult], max_drop: 0.3}"
    assert prunegate.judge(tables.policy(of_two), data).outcome == "approve"  # hate is not asked of


def test_a_label_whose_scores_are_reversed_is_named() -> None:
    data = tables.scores(3, 300)
    for role in ("baseline", "candidate"):
        data[f"{role}_hate"] = (1 - data[f"{role}_hate"]).round(4)
    verdict = prunegate.judge(tables.policy("{metric: accuracy, max_drop: 0.3}"), data)
    assert {(d.kind, d.class_label) for d in verdict.doubts} == {("reversed", "hate")}
    assert any(
        "for hate seems to hold the scores of the other class" in w for w in verdict.warnings
    )


def test_a_label_that_a_declared_slice_lacks_is_open_and_never_passes() -> None:
    data = tables.scores(4, 200)
    data.loc[data.kind == "a", "label_hate"] = 0
    rules = (
        "{metric: recall, slices: kind, classes: [hate], max_drop: 0.5}",
        "{metric: specificity, slices: kind, classes: [hate], max_drop: 0.9}",
        "{metric: recall, slices: kind, max_drop: 0.9}",
    )
    found = known(prunegate.judge(tables.policy(*rules), data))
    assert found["recall", "kind=a", "hate", "max_drop"].open_because == "undefined"
    assert found["specificity", "kind=a", "hate", "max_drop"].open_because == "minimum evidence"
    assert found["recall", "kind=a", None, "max_drop"].open_because == "undefined"
    assert found["recall", "kind=b", "hate", "max_drop"].status == "pass"


def test_labels_that_err_together_are_no_further_evidence_in_micro_figures() -> None:
    """Copies of one label: micro is that label, and not three times as many decisions."""
    data = tables.scores(5, 300)
    for role in tables.ROLES:
        for label in LABELS[1:]:
            data[f"{role}_{label}"] = data[f"{role}_{LABELS[0]}"]
    metrics = ("recall", "precision", "accuracy")
    rules = [f"{{metric: {m}, classes: {c}, max_drop: 0.1}}" for m in metrics
             for c in ("[violence]", "micro", "macro")]  # fmt: skip
    findings = of_rules(prunegate.judge(tables.policy(*rules), data))
    for one, micro, macro in zip(findings[::3], findings[1::3], findings[2::3], strict=True):
        assert micro.difference == pytest.approx(one.difference, abs=1e-12)
        assert micro.p_value >= 0.8 * one.p_value - 1e-9
        assert macro.p_value >= 0.5 * one.p_value - 1e-9  # by another method


def broken(policy: Policy, verdict: Verdict) -> list[str]:
    """Laws of the second opinion that a verdict breaks."""
    values = columns(policy, verdict)
    return [
        law.name
        for law in laws(policy, verdict)
        if isinstance(law, Inside) and not all(_inside(law, value) for value in values[law.column])
    ]


def _inside(law: Inside, value: float) -> bool:
    low = -np.inf if law.at_least is None else law.at_least
    high = np.inf if law.at_most is None else law.at_most
    return bool(low <= value <= high)


RULES = (
    "{metric: recall, slices: all, classes: each, max_drop: 0.4}",
    "{metric: precision, slices: kind, classes: micro, max_drop: 0.3}",
    "{metric: f1, max_drop: 0.4}",
    "{metric: f1, classes: [hate, adult], max_drop: 0.3}",
    "{metric: subset_accuracy, slices: all, max_drop: 0.2}",
    "{metric: negative_flip_rate, at_most: 0.3}",
)


def test_the_second_opinion_agrees_and_sees_a_label_that_was_left_out() -> None:
    policy = tables.policy(*RULES, more="evidence: {minimum: {rows: 50, positives: 10}}\n")
    verdict = prunegate.judge(policy, tables.scores(6, 400))
    assert broken(policy, verdict) == []
    assert verdict.outcome == "approve"
    first = next(f for f in verdict.findings if f.class_label == "hate")
    others = [f for f in verdict.findings if f is not first]
    renamed = replace(verdict, findings=(replace(first, class_label="weapons"), *others))
    assert "every finding is one that the policy asks for" in broken(policy, renamed)
    few = [replace(s, label_cells=_without_hate(s.label_cells or ())) for s in verdict.slices]
    assert broken(policy, replace(verdict, slices=tuple(few)))


def _without_hate(cells: Sequence[LabelCells]) -> tuple[LabelCells, ...]:
    """Too few rows with the label for the policy's minimum."""
    return tuple(
        replace(one, cells=(*one.cells[:4], 0, 0, 0, 3)) if one.label == "hate" else one
        for one in cells
    )


def test_the_verdict_follows_from_its_record_alone(tmp_path: Path) -> None:
    head = f"prunegate: 1\nname: x\ntask: {tables.SCORED}\nslices: [{{by: kind, expect: [a, b]}}]\n"
    few = ("{metric: accuracy, max_drop: 0.3}", *RULES[3:5])
    rules = "\n".join(f"  - {rule}" for rule in few)
    (tmp_path / "p.yaml").write_text(f"{head}rules:\n{rules}\n", encoding="utf-8")
    record = gate(read_policy(tmp_path / "p.yaml"), tables.scores(6, 80, noise=0.2)).record
    found = kept_form(canonical_bytes(record)).record
    assert not list(differences(found))
    assert {flip.class_label for flip in found.flips} <= set(LABELS)
    assert {flip.label for flip in found.flips if flip.class_label == "hate"} <= {
        "hate",
        "not hate",
    }
    assert found.tallies is not None
    overall = found.tallies.slices[0]
    assert overall.whole is not None
    changed = (overall.whole[0] - 1, overall.whole[1] + 1, *overall.whole[2:])
    slices = (replace(overall, whole=changed), *found.tallies.slices[1:])
    tampered = replace(found, tallies=replace(found.tallies, slices=slices))
    assert list(differences(tampered))


def test_the_case_of_lists_in_cells_has_its_right_outcome() -> None:
    """Judged as classes, cells are opaque and a hint is given; as labels, nothing has changed."""
    classes = parse_policy((CASES / "classes.yaml").read_text(encoding="utf-8"))
    verdict = prunegate.judge(classes, CASES / "t.csv")
    assert verdict.outcome == "reject"
    hint = next(w for w in verdict.warnings if "multilabel" in w)
    assert "'violence|weapons' and 'weapons|violence' name the same labels" in hint
    labels = parse_policy((CASES / "labels.yaml").read_text(encoding="utf-8"))
    verdict = prunegate.judge(labels, CASES / "t.csv")
    assert verdict.outcome == "approve"
    counts = count_table(labels, open_predictions(labels, CASES / "t.csv")).slices[0].tally
    assert counts.of_class("weapons").cells == (200, 0, 0, 0, 0, 0, 0, 200)
