"""Metrics of scores: scikit-learn's on the filtered rows; the record keeps what they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from tests.rules import of_rules
from tests.unit.counting import kinds
from tests.unit.counting.class_tables import (
    CLASSES,
    SEVERAL,
    TWO,
    several,
    softmax,
    with_columns,
)
from tests.unit.counting.scored import GROUP, policy_of, text_of

import prunegate
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.read import kept_form
from prunegate.audit.recompute import differences
from prunegate.counting.count import open_predictions
from prunegate.counting.gate_set import identity_of
from prunegate.counting.labellable import require_labellable
from prunegate.counting.warehouse_query import counts_query
from prunegate.errors import InputError, TableError, UnsupportedError
from prunegate.gate import gate
from prunegate.planning.plan import require_plannable
from prunegate.policy.load import parse_policy, read_policy
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow


OF_TWO = ["auc", "average_precision", "log_loss", "brier"]

OF_SEVERAL = ["top_k_accuracy", "log_loss", "brier"]


def within_two(label: Any, scores: Any) -> float:
    """Only where fewer than two classes have as high a score as the true one, or higher."""
    own = scores[np.arange(len(label)), label][:, None]
    return float(np.mean((scores >= own).sum(axis=1) <= 2))


@given(seed=st.integers(0, 10**6))
@settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_every_metric_of_two_classes_is_scikit_learns(seed: int) -> None:
    data = kinds.table("binary", seed, 400)  # scores in hundredths: ties, and 0 itself
    data.loc[:3, "candidate"] = [0.0, 1.0, 1.0, 0.0]
    verdict = prunegate.judge(policy_of(TWO, OF_TWO), data)
    slices = kinds.slices_of(data)
    assert {f.slice for f in of_rules(verdict)} == set(slices)
    for finding in of_rules(verdict):
        rows = data[slices[finding.slice]]
        truth = rows["label"] == "unsafe"
        for model in ("baseline", "candidate"):
            score = {
                "auc": sk.roc_auc_score,
                "average_precision": sk.average_precision_score,
                "log_loss": sk.log_loss,
                "brier": sk.brier_score_loss,
            }[finding.metric](truth, rows[model])
            assert getattr(finding, model) == pytest.approx(float(score), rel=1e-8)


def forms(data: pd.DataFrame, logits: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The same scores in every form, and what the policy says of it."""
    chances = {model: softmax(values) for model, values in logits.items()}
    yield "prefix: p_", with_columns(data, chances)
    yield "prefix: p_, activation: softmax", with_columns(data, logits)
    lists = data.assign(**{model: list(values) for model, values in chances.items()})
    yield f"classes: [{', '.join(CLASSES)}]", pa.Table.from_pandas(lists)
    own = {
        model: pd.DataFrame(values, columns=[f"p_{name}" for name in CLASSES]).assign(id=data["id"])
        for model, values in chances.items()
    }
    yield (
        "prefix: p_",
        {
            "labels": data,
            "baseline_predictions": own["baseline"][::-1],
            "candidate_predictions": own["candidate"],
        },
    )


def test_every_metric_of_several_classes_is_scikit_learns_whatever_holds_the_scores() -> None:
    data, logits = several(4, 500)
    slices = kinds.slices_of(data)
    for scores, source in forms(data, logits):
        verdict = prunegate.judge(policy_of(SEVERAL % scores, OF_SEVERAL), source)
        for finding in of_rules(verdict):
            rows = slices[finding.slice]
            label = data["label"][rows].map(CLASSES.index).to_numpy()
            for model, values in logits.items():
                chances = softmax(values)[np.asarray(rows)]
                expected = {
                    "log_loss": sk.log_loss(label, chances, labels=range(len(CLASSES))),
                    "brier": np.mean(((chances - np.eye(len(CLASSES))[label]) ** 2).sum(axis=1)),
                    "top_k_accuracy": within_two(label, values[np.asarray(rows)]),
                }[finding.metric]
                assert getattr(finding, model) == pytest.approx(expected, rel=1e-8), finding


def test_without_ties_the_top_k_is_scikit_learns() -> None:
    data, _ = several(1, 300)
    random = np.random.default_rng(9)
    scores = {model: softmax(random.normal(0, 1, (300, 4))) for model in ("baseline", "candidate")}
    head = SEVERAL % "prefix: p_"
    verdict = prunegate.judge(policy_of(head, ["top_k_accuracy"]), with_columns(data, scores))
    overall = of_rules(verdict)[0]
    found = sk.top_k_accuracy_score(data["label"], scores["candidate"], k=2, labels=CLASSES)
    assert overall.candidate == pytest.approx(found)


@pytest.mark.parametrize("group", ["", GROUP])
@pytest.mark.parametrize("head", [TWO, SEVERAL % "prefix: p_, activation: softmax"])
def test_a_verdict_on_scores_follows_from_its_record(head: str, group: str, tmp_path: Path) -> None:
    metrics, data = OF_TWO, kinds.table("binary", 5, 600)
    if head != TWO:
        metrics, data = OF_SEVERAL, with_columns(*several(5, 600))
    (tmp_path / "p.yaml").write_text(text_of(head + group, metrics, "at_most: 0.9"))
    record = gate(read_policy(tmp_path / "p.yaml"), data).record
    found = kept_form(canonical_bytes(record)).record
    assert not list(differences(found))
    assert found.tallies is not None
    assert len(found.tallies.scores or ()) == len(found.slices)


def test_a_label_without_a_score_is_the_worst_that_there_is() -> None:
    data, logits = several(2, 300)
    chances = {model: softmax(values) for model, values in logits.items()}
    data["label"] = "unheard of"
    head = SEVERAL % "prefix: p_"
    table = with_columns(data, chances)
    found = of_rules(prunegate.judge(policy_of(head, OF_SEVERAL), table))
    values = {f.metric: f.candidate for f in found if f.slice == "overall"}
    assert values["top_k_accuracy"] == 0
    assert values["log_loss"] == pytest.approx(52 * np.log(2))
    assert values["brier"] == pytest.approx(1 + np.mean((chances["candidate"] ** 2).sum(axis=1)))


def test_scores_that_cannot_be_what_a_rule_takes_them_for_are_bad_input() -> None:
    data, logits = several(2, 60)
    raw = with_columns(data, logits)
    for rule, words in (
        ("log_loss", "60 rows with scores per class that do not add up to 1 .*softmax"),
        ("top_k_accuracy, k: 4", "scores are of 4 classes, .* give 'k' below 4"),
    ):
        policy = policy_of(SEVERAL % "prefix: p_", [rule])
        with pytest.raises(TableError, match=words):
            prunegate.judge(policy, raw)
    answers = data.assign(baseline="u", candidate="v")
    policy = policy_of(SEVERAL % f"classes: [{', '.join(CLASSES)}]", ["brier"])
    with pytest.raises(TableError, match="holds one answer a row, and a rule of the policy takes"):
        prunegate.judge(policy, answers)


@pytest.mark.parametrize(
    ("head", "rule", "words"),
    [
        ("task: {kind: binary, positive: u}\n", "auc", "auc takes scores, .*set 'task: threshold'"),
        ("task: {kind: multiclass}\n", "brier", "under 'data: scores:' where they are"),
        (SEVERAL % "activation: sigmoid", "log_loss", "add up to 1, which sigmoids do not"),
        (SEVERAL % "classes: [u, v]", "top_k_accuracy, k: 2", "got 2 of 2 classes"),
        (SEVERAL % "prefix: p_", "top_k_accuracy", "needs k: how many"),
        (TWO, "auc, k: 3", "no number of highest scores; remove it"),
        (TWO, "auc, at: 0.1", "taken at no fixed share; remove it"),
        (TWO, "recall_at_fpr", "needs at: the share of negatives"),
        (TWO + GROUP, "recall_at_fpr, at: 0.1", "'group' says that they are not"),
        (TWO, "precision_at_recall", "needs at: the share of positives"),
        (TWO + GROUP, "precision_at_recall, at: 0.9", "'group' says that they are not"),
        (TWO, "ece", "ece is never tested"),
    ],
)
def test_a_policy_without_what_its_metrics_need_says_so(head: str, rule: str, words: str) -> None:
    text = f"prunegate: 1\nname: x\n{head}rules: [{{metric: {rule}, at_most: 0.5}}]\n"
    with pytest.raises(InputError, match=words):
        parse_policy(text)


def test_where_there_are_decisions_only_metrics_of_scores_are_refused_by_name() -> None:
    policy = policy_of(TWO, ["recall", "auc"])
    counts = pd.DataFrame({"kind": ["a"], "region": ["x"], "label": 1, "baseline": 1, "n": 3})
    refusals = (
        lambda: prunegate.judge_counts(policy, counts.assign(candidate=1)),
        lambda: require_labellable(policy),
        lambda: require_plannable(policy),
        lambda: counts_query(policy, "t", "duckdb"),
    )
    for refused in refusals:
        with pytest.raises(UnsupportedError, match=r"^auc: computed from the models' scores"):
            refused()


def test_the_highest_scores_may_be_of_any_size() -> None:
    data, logits = several(5, 60)
    policy = policy_of(SEVERAL % "prefix: p_, activation: none", ["top_k_accuracy"])
    small, large = (
        with_columns(data, {role: values * size for role, values in logits.items()})
        for size in (1.0, 1e300)
    )
    assert answers_of(policy, small) == answers_of(policy, large)


def answers_of(policy: Policy, table: pd.DataFrame) -> Any:
    """What a candidate is known by in the ledger, and the verdict."""
    opened = open_predictions(policy, table, with_ids=True)
    return identity_of(policy, opened), prunegate.judge(policy, table).findings


def test_a_candidate_with_other_scores_is_another_attempt() -> None:
    data, logits = several(2, 60)
    policy = policy_of(SEVERAL % "prefix: p_, activation: softmax", ["log_loss"])
    softer = logits | {"candidate": 0.9 * logits["candidate"]}  # chooses the same classes
    one, other = (
        identity_of(policy, open_predictions(policy, with_columns(data, scores), with_ids=True))
        for scores in (logits, softer)
    )
    assert one is not None
    assert other is not None
    assert (one.gate_set, one.baseline) == (other.gate_set, other.baseline)
    assert one.candidate != other.candidate


def test_the_root_mean_square_is_scikit_learns_and_needs_a_range() -> None:
    data = kinds.table("score", 3, 400)
    rule = "{metric: rmse, slices: all, at_most: 1.0, max_rise: 0.1}"
    slices = kinds.slices_of(data)
    for finding in of_rules(prunegate.judge(kinds.policy("score", [rule]), data)):
        rows = data[slices[finding.slice]]
        for model in ("baseline", "candidate"):
            found = sk.root_mean_squared_error(rows["label"], rows[model])
            assert getattr(finding, model) == pytest.approx(float(found), rel=1e-8)
    text = f"prunegate: 1\nname: x\ntask: {{kind: score}}\nrules: [{rule}]\n"
    with pytest.raises(InputError, match=r"rmse needs 'task: range"):
        parse_policy(text)
