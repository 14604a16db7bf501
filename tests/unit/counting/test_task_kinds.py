"""Every metric of every kind of task is scikit-learn's (or arithmetic's) on the filtered rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn import metrics as sk
from tests.depth import times
from tests.rules import of_rules
from tests.unit.counting import kinds

import prunegate
from prunegate.errors import InputError

pytestmark = pytest.mark.slow

MACRO: dict[str, Any] = {
    "recall": sk.recall_score,
    "precision": sk.precision_score,
    "f1": sk.f1_score,
}


def expected(kind: str, name: str, rows: pd.DataFrame, model: str, only: str | None) -> float:
    """One metric of one model; NaN where it is not defined."""
    if name == "balanced_accuracy":
        classes = sorted(rows["label"].unique())
        each = MACRO["recall"](rows["label"], rows[model], labels=classes, average=None)
        return float(np.mean(each)) if len(classes) > 1 else np.nan
    if name in MACRO:
        labels = [only] if only else sorted(rows["label"].unique())
        each = MACRO[name](
            rows["label"], rows[model], labels=labels, average=None, zero_division=np.nan
        )
        return float(np.mean(each))  # NaN where one class has no value
    if kind == "language":
        if name == "mean_quality":
            rows, model = rows.assign(tokens=1), f"{model}_quality"
        mean = float(rows[model].sum() / rows["tokens"].sum())
        return float(np.exp(mean)) if name == "perplexity" else mean
    before, after = (rows[m] == rows["label"] for m in ("baseline", "candidate"))
    if name == "rank_correlation":
        varied = rows["label"].nunique() > 1 and rows[model].nunique() > 1
        return float(spearmanr(rows["label"], rows[model]).statistic) if varied else np.nan
    if kind == "score":
        by = {"rmse": sk.root_mean_squared_error, "mae": sk.mean_absolute_error}
        return float(by[name](rows["label"], rows[model]) if name in by else rows[model].mean())
    shares = {
        "accuracy": rows[model] == rows["label"],
        "churn": rows["baseline"] != rows["candidate"],
        "negative_flip_rate": before & ~after,
    }
    return float(shares[name].mean())


@pytest.mark.parametrize("kind", ["multiclass", "score", "language"])
@given(seed=st.integers(0, 10**6), rows=st.integers(12, 120))
@settings(max_examples=times(2, thorough=4), deadline=None)
def test_every_metric_on_every_slice_is_scikit_learns(kind: str, seed: int, rows: int) -> None:
    data = kinds.table(kind, seed, rows)
    with kinds.without_intervals():
        verdict = prunegate.judge(kinds.policy(kind), data)
    masks = kinds.slices_of(data)
    known: dict[tuple[str | None, ...], float] = {}
    assert {f.metric for f in of_rules(verdict)} == set(kinds.METRICS[kind])
    for finding in of_rules(verdict):
        chosen = data[masks[finding.slice]] if finding.slice in masks else data[:0]
        for model in ("baseline", "candidate"):
            if model == "baseline" and finding.metric in ("negative_flip_rate", "churn"):
                assert finding.baseline is None
                continue
            found = getattr(finding, model)
            if chosen.empty:
                assert found is None
                continue
            key = finding.metric, finding.slice, model, finding.class_label
            if key not in known:  # a level and a change are about the same values
                known[key] = expected(kind, finding.metric, chosen, model, finding.class_label)
            value = known[key]
            assert (found is None) if np.isnan(value) else found == pytest.approx(value, abs=1e-9)


def test_a_macro_average_is_undefined_where_a_class_has_no_value() -> None:
    data = kinds.table("multiclass", 3, 200)
    data.loc[data["candidate"] == "w", "candidate"] = "u"  # w is never chosen
    rules = [f"{{metric: {name}, max_drop: 0.9}}" for name in ("precision", "recall", "f1")]
    found = {f.metric: f for f in prunegate.judge(kinds.policy("multiclass", rules), data).findings}
    assert found["precision"].status == "inconclusive"
    assert found["precision"].candidate is None
    assert "never chooses" in found["precision"].note
    assert found["recall"].candidate == pytest.approx(
        sk.recall_score(data["label"], data["candidate"], average="macro")
    )
    assert found["f1"].candidate == pytest.approx(
        sk.f1_score(data["label"], data["candidate"], average="macro")
    )


def test_a_label_that_only_a_model_knows_is_an_error_of_the_rows_own_class() -> None:
    data = kinds.table("multiclass", 5, 300)
    data.loc[:9, "candidate"] = "never a label"
    finding = prunegate.judge(kinds.policy("multiclass", ["{metric: recall, max_drop: 0.9}"]), data)
    labels = ["u", "v", "w"]
    value = sk.recall_score(data["label"], data["candidate"], labels=labels, average="macro")
    assert finding.findings[0].candidate == pytest.approx(value)


def test_classes_are_judged_one_by_one() -> None:
    data = kinds.table("multiclass", 7, 400)
    rules = ["{metric: recall, slices: kind, classes: each, at_least: 0.1}"]
    findings = of_rules(prunegate.judge(kinds.policy("multiclass", rules), data))
    kinds_ = [f"kind={k}" for k in ("a", "b", "c")]
    assert {(f.slice, f.class_label) for f in findings} == {(k, c) for k in kinds_ for c in "uvw"}
    for f in findings:
        rows = data[data["kind"] == f.slice[-1]]
        assert f.n == (rows["label"] == f.class_label).sum()
        assert f.method.startswith("exact binomial")


def test_a_class_that_a_declared_slice_lacks_is_never_a_pass() -> None:
    data = kinds.table("multiclass", 9, 600)
    data = data[(data["kind"] != "a") | (data["label"] != "w")]
    data = data[(data["kind"] != "c") | (data["label"] != "w")]
    rules = ["{metric: recall, slices: kind, classes: each, at_least: 0.1}"]
    verdict = prunegate.judge(kinds.policy("multiclass", rules), data)
    found = {(f.slice, f.class_label): f for f in verdict.findings}
    assert found["kind=a", "w"].status == "inconclusive"
    assert found["kind=a", "w"].needed is None  # a single row would settle nothing
    assert ("kind=c", "w") not in found  # undeclared: judged on what it has
    assert verdict.outcome == "inconclusive"


@pytest.mark.parametrize(
    ("kind", "column", "value", "words"),
    [
        ("multiclass", "label", None, "column 'label': 1 row with no label"),
        ("multiclass", "candidate", "", "column 'candidate': 1 row with no label"),
        ("score", "candidate", 4.5, "no score between -1 and 4 (for example 4.5 at id 'r0')"),
        ("score", "baseline", np.nan, "column 'baseline': 1 row with no score"),
        ("score", "label", np.inf, "column 'label': 1 row with no score"),
        ("language", "candidate", -0.5, "no negative log-likelihood (for example -0.5 at id"),
        ("language", "baseline", np.inf, "column 'baseline': 1 row with no negative log-"),
        ("language", "tokens", 0, "no whole number of tokens from 1 up (for example 0 at id"),
        ("language", "tokens", 1.5, "column 'tokens': 1 row with no whole number"),
    ],
)
def test_rows_that_cannot_be_read_are_named(kind: str, column: str, value: Any, words: str) -> None:
    data = kinds.table(kind, 1, 30)
    data[column] = data[column].astype(object if isinstance(value, str) else data[column].dtype)
    data[column] = [value, *data[column][1:]]
    with pytest.raises(InputError) as caught:
        prunegate.judge(kinds.policy(kind), data)
    assert words in str(caught.value)


def test_a_column_of_nothing_is_bad_input_for_every_kind() -> None:
    for kind in kinds.KINDS:
        data = kinds.table(kind, 1, 30).assign(candidate=np.nan)
        with pytest.raises(InputError, match="column 'candidate': 30 rows with no"):
            prunegate.judge(kinds.policy(kind), data)


def test_labels_outside_the_declared_classes_are_unknown() -> None:
    asked = kinds.policy("multiclass").model_copy()
    task = asked.task.model_copy(update={"classes": ("u", "v")})
    data = kinds.table("multiclass", 2, 60)
    with pytest.raises(InputError, match="a label that 'task: classes' does not list"):
        prunegate.judge(asked.model_copy(update={"task": task}), data)


def test_labels_that_look_alike_have_to_be_the_same() -> None:
    data = kinds.table("multiclass", 2, 60).replace({"label": {"u": "caf\u00e9"}})
    data = data.replace({"candidate": {"u": "cafe\u0301"}})
    with pytest.raises(InputError, match="is spelled in two ways"):
        prunegate.judge(kinds.policy("multiclass"), data)


def test_a_mean_over_few_rows_is_inconclusive_whatever_it_is() -> None:
    data = kinds.table("score", 4, 299).assign(baseline=1.0, candidate=2.0)
    rules = ["{metric: mean_score, max_drop: 0.5, at_least: 0.0}"]
    verdict = prunegate.judge(kinds.policy("score", rules), data)
    assert verdict.outcome == "inconclusive"
    assert all("validated from 300 rows up" in f.note for f in verdict.findings)


def test_a_ratio_to_a_baseline_of_zero_is_undefined() -> None:
    data = kinds.table("score", 4, 400).assign(baseline=0.0, candidate=0.0)
    for rule in ("max_drop: {relative: 0.1}", "max_ratio: 1.5"):
        rules = [f"{{metric: mean_score, {rule}}}"]
        finding = prunegate.judge(kinds.policy("score", rules), data).findings[0]
        assert finding.status == "inconclusive"
        assert "undefined" in finding.note


def test_identical_scores_are_approved_only_where_an_unseen_loss_would_be_small() -> None:
    for margin, outcome in ((0.05, "approve"), (0.001, "inconclusive")):
        data = kinds.table("score", 4, 600)
        data["candidate"] = data["baseline"]
        rules = [f"{{metric: mean_score, max_drop: {margin}}}"]
        verdict = prunegate.judge(kinds.policy("score", rules), data)
        assert verdict.outcome == outcome
        assert "agree exactly" in verdict.warnings[0]


@pytest.mark.parametrize(("hit", "status"), [(3, "inconclusive"), (200, "pass")])
def test_a_likelihood_that_few_documents_change_is_not_tested(hit: int, status: str) -> None:
    data = kinds.table("language", 5, 400)
    rise = np.where(np.arange(400) < hit, 0.01 / hit, 0.0) * data["tokens"].sum()
    data["candidate"] = data["baseline"] + rise
    rules = ["{metric: nll_per_token, max_rise: 0.5}", "{metric: perplexity, max_rise: 5.0}"]
    for finding in prunegate.judge(kinds.policy("language", rules), data).findings:
        assert finding.status == status
        assert ("few rows make up most of the change" in finding.note) == (status != "pass")


def test_scores_of_any_scale_are_judged_and_a_range_is_asked_for() -> None:
    data = kinds.table("score", 4, 6000)
    asked = kinds.policy("score", ["{metric: mean_score, slices: all, max_drop: 0.5}"])
    free = asked.model_copy(update={"task": asked.task.model_copy(update={"range": None})})
    verdict = prunegate.judge(free, data)
    assert verdict.outcome == "approve"
    assert any("gives no 'task: range'" in warning for warning in verdict.warnings)
    assert all(f.method.endswith("skewness-corrected t") for f in verdict.findings)
    known = prunegate.judge(asked, data)
    assert all("one unseen loss" in f.method for f in known.findings)
    unit = data.assign(baseline=(data["baseline"] + 1) / 5, candidate=(data["candidate"] + 1) / 5)
    between = prunegate.judge(free, unit)
    assert not any("task: range" in warning for warning in between.warnings)
    assert all("one unseen loss" in f.method for f in between.findings)
    unit.loc[unit["kind"] == "c", "candidate"] += 0.3
    partly = {f.slice: f for f in prunegate.judge(free, unit).findings}
    before = {f.slice: f for f in between.findings}
    own = replace(partly["kind=a"], p_loss_adjusted=before["kind=a"].p_loss_adjusted)
    assert own == before["kind=a"]  # another slice's scale is its own
    assert "one unseen loss" not in partly["overall"].method
    with pytest.raises(InputError, match="no score between -10,000 and 10,000"):
        prunegate.judge(free, data.assign(candidate=1e6))
