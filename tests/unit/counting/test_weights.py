"""Design weights: estimates against scikit-learn, what weights that say nothing do, bad weights."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

import prunegate
from prunegate.audit.canonical import plain_json
from prunegate.audit.tallied import slices_in, tallies_of
from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.gate_set import identity_of
from prunegate.counting.labellable import require_labellable
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import DecidedRows
from prunegate.counting.warehouse_query import counts_query
from prunegate.counting.weighing import weighing_of
from prunegate.errors import InputError, TableError, UnsupportedError
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.planning.plan import require_plannable
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.decide import decide
from prunegate.verdict.judged_slices import minimum_in_rows

pytestmark = pytest.mark.slow

CASE = Path(__file__).parents[2] / "cases" / "weights"
TASKS = {
    "binary": "{kind: binary, positive: unsafe, threshold: 0.5}",
    "multiclass": "{kind: multiclass}",
}
OVER = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "mcc": sk.matthews_corrcoef,
    "recall": sk.recall_score,
    "precision": sk.precision_score,
    "f1": sk.f1_score,
}
BINARY = ("accuracy", "recall", "precision", "f1", "balanced_accuracy", "mcc")


def policy(
    task: str = "binary", metrics: tuple[str, ...] = BINARY, more: str = "weight: w\n"
) -> Policy:
    """A policy with a floor and a margin on each metric, on all rows and on two slices."""
    lines = "".join(
        f"  - {{metric: {name}, slices: all, at_least: 0.4, max_drop: 0.1}}\n" for name in metrics
    )
    rules = f"{lines}  - {{metric: churn, slices: all, at_most: 0.3}}\n"
    slices = "slices:\n  - {by: kind, expect: [a, b]}\n"
    return parse_policy(
        f"prunegate: 1\nname: x\ntask: {TASKS[task]}\n{slices}{more}rules:\n{rules}"
    )


def table(seed: int, rows: int = 200, task: str = "binary") -> pd.DataFrame:
    """Rows of two models that mostly agree, each with a weight."""
    rng = np.random.default_rng(seed)
    names = ["safe", "unsafe"] if task == "binary" else ["u", "v", "w"]
    label = rng.integers(0, len(names), rows)
    wrong = rng.random((2, rows)) < 0.15
    decided = np.where(wrong, (label + 1) % len(names), label)
    if task == "binary":
        answers: list[Any] = [np.where(d == 1, 0.9, 0.1) for d in decided]
    else:
        answers = [np.array(names)[d] for d in decided]
    return pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(rows)],
            "label": np.array(names)[label],
            "baseline": answers[0],
            "candidate": answers[1],
            "kind": rng.choice(["a", "b"], rows),
            "group": rng.integers(0, rows // 3, rows).astype(str),
            "w": rng.choice([0.25, 1.0, 7.5, 20.0], rows) * (1 + rng.random(rows)),
        }
    )


def counted(policy: Policy, source: Any) -> tuple[SliceCounts, ...]:
    """The slices of a table."""
    return count_table(policy, open_predictions(policy, source, with_ids=True)).slices


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000), more=st.sampled_from(["", "group: group\n"]))
def test_estimates_are_scikit_learns_with_sample_weight(seed: int, more: str) -> None:
    frame = table(seed)
    for counts in counted(policy(more=f"weight: w\n{more}"), frame):
        rows = frame if counts.name == "overall" else frame[frame.kind == counts.name[-1]]
        truth, weights = rows.label == "unsafe", rows.w
        for name, score in OVER.items():
            about = evidence(WantedMetric(metric=name, grouped=bool(more)), counts.tally)
            for shown, column in ((about.baseline, "baseline"), (about.candidate, "candidate")):
                assert shown is not None
                expected = score(truth, rows[column] >= 0.5, sample_weight=weights)
                assert float(shown) == pytest.approx(expected, abs=1e-9)
        flips = evidence(WantedMetric(metric="churn"), counts.tally).candidate
        assert flips is not None
        changed = weights[rows.baseline != rows.candidate].sum() / weights.sum()
        assert float(flips) == pytest.approx(1 - changed, abs=1e-9)
        assert counts.worth is not None
        kish = weights.sum() ** 2 / (weights**2).sum()
        assert float(counts.worth.rows) == pytest.approx(kish, rel=1e-9)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("more", ["", "group: group\n"])
def test_a_constant_weight_says_nothing(task: str, more: str) -> None:
    metrics = (
        ("accuracy", "recall") if task == "multiclass" else ("accuracy", "precision", "recall")
    )
    frame = table(3, task=task)
    plain = prunegate.judge(policy(task, metrics, more), frame)
    for weight in (0.3, 5e7):
        weighed = prunegate.judge(
            policy(task, metrics, f"weight: w\n{more}"), frame.assign(w=weight)
        )
        assert plain_json(weighed.findings) == plain_json(plain.findings)
        assert (weighed.outcome, weighed.reasons) == (plain.outcome, plain.reasons)


def test_weights_may_be_in_any_unit_and_rows_in_any_order() -> None:
    asked, frame = policy(metrics=("accuracy", "precision")), table(5)
    first = prunegate.judge(asked, frame)
    shuffled = frame.sample(frac=1, random_state=1).assign(w=frame.w * 2.0**-40)
    assert plain_json(prunegate.judge(asked, shuffled).findings) == plain_json(first.findings)


def test_rows_of_one_weight_within_a_metric_are_tested_exactly() -> None:
    """Positives drawn more often than negatives: recall needs no weights, precision does."""
    frame = table(7)
    frame = frame.assign(w=np.where(frame.label == "unsafe", 1.0, 20.0))
    found = prunegate.judge(policy(metrics=("recall", "precision")), frame).findings
    kinds = {
        (f.metric, f.effective is None, f.method_kind == "exact") for f in found[:2] + found[6:8]
    }
    assert kinds == {("recall", True, True), ("precision", False, False)}


def test_an_over_sampled_table_is_not_approved_by_its_own_mix() -> None:
    text = (CASE / "policy.yaml").read_text()
    plain = prunegate.judge(parse_policy(text), CASE / "t.csv")
    assert plain.findings[0].candidate == pytest.approx(0.898, abs=5e-4)
    assert any("'weight: weight'" in warning for warning in plain.warnings)
    weighed = prunegate.judge(
        parse_policy(text.replace("rules:", "weight: weight\nrules:")), CASE / "t.csv"
    )
    assert weighed.outcome == "reject"
    assert weighed.findings[0].candidate == pytest.approx(0.468, abs=5e-4)
    assert not any("weight:" in warning for warning in weighed.warnings)


def test_bad_weights_are_told_together(tmp_path: Path) -> None:
    frame = table(1)
    bad = [0.0, 0.0, -1.0, np.nan, np.inf, 1e-30]
    frame.loc[: len(bad) - 1, "w"] = bad
    with pytest.raises(TableError) as caught:
        counted(policy(), frame)
    said = str(caught.value)
    assert "2 rows with a weight of 0" in said
    assert "'r0'" in said
    for words in ("no weight", "a weight below 0", "an infinite weight", "of the largest"):
        assert f"1 row with {words}" in said or (words == "of the largest" and words in said)
    frame["w"] = frame["w"].astype(object)
    spelt = ["many", "few", "", "some", "inf", "0", "-2", "1e999", "1e-30"]
    frame.loc[: len(spelt) - 1, "w"] = spelt
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(TableError) as caught:
        counted(policy(), tmp_path / "t.csv")
    told = str(caught.value).splitlines()
    assert [line.split(" (")[0] for line in told[1:]] == [
        "  column 'w': 5 rows with no number as its weight",
        "  column 'w': 1 row with a weight of 0, which counts for nothing: leave such rows out",
        "  column 'w': 1 row with a weight below 0",
        "  column 'w': 1 row with an infinite weight",
        told[5].split(" (")[0],
    ]
    assert "below 1 in 100,000,000" in told[5]
    assert told[1].count("at id") == 3


def test_few_rows_of_much_weight_are_inconclusive() -> None:
    frame = table(2, 400)
    frame["candidate"] = frame["baseline"] = np.where(frame.label == "unsafe", 0.9, 0.1)
    frame["w"] = np.where(np.arange(400) < 5, 1e4, 1.0)
    found = prunegate.judge(policy(metrics=("accuracy",)), frame)
    assert found.outcome == "inconclusive"
    assert found.findings[0].effective == 5
    assert found.findings[0].open_because == "method"
    minimum = "weight: w\nevidence: {minimum: {rows: 300}}\n"
    short = prunegate.judge(policy(metrics=("accuracy",), more=minimum), frame).findings[0]
    assert short.open_because == "minimum evidence"
    assert "worth 5" in short.note


@pytest.mark.parametrize("positives", [True, False])
def test_minimum_evidence_is_told_in_rows_of_the_weights_that_there_are(positives: bool) -> None:
    """Rows of several weights are worth less; without positives their worth cannot be told."""
    frame = table(3)
    frame["kind"] = np.where(frame.label == "unsafe", "a", "b")
    minimum = policy(more="weight: w\nevidence: {minimum: {rows: 60, positives: 20}}\n").evidence
    wanted = "kind=a" if positives else "kind=b"
    (one,) = (one for one in counted(policy(), frame) if one.name == wanted)
    found = minimum_in_rows(one, minimum.minimum)
    assert one.worth is not None
    assert found.rows == math.ceil(60 * one.rows / one.worth.rows) > 60
    assert (found.positives > 20) == positives


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("more", ["weight: w\n", "weight: w\ngroup: group\n"])
def test_a_record_holds_what_a_verdict_hangs_on(task: str, more: str) -> None:
    asked = policy(task, ("accuracy",), more)
    slices = counted(asked, table(4, task=task))
    verdict = decide(asked, slices)
    read = slices_in(task, verdict.slices, tallies_of(slices))
    assert plain_json(decide(asked, read)) == plain_json(verdict)
    for one, other in zip(slices, read, strict=True):
        assert isinstance(one.tally, DecidedRows)
        assert isinstance(other.tally, DecidedRows)
        assert one.tally.weights == other.tally.weights


def test_weights_of_no_rows_are_no_record() -> None:
    asked = policy(metrics=("accuracy",))
    slices = counted(asked, table(4))
    verdict, kept = decide(asked, slices), tallies_of(slices)
    assert kept is not None
    assert kept.slices[0].weights is not None
    lines = (("0", "0", "0"), *kept.slices[0].weights[1:])
    emptied = replace(kept, slices=(replace(kept.slices[0], weights=lines), *kept.slices[1:]))
    with pytest.raises(InputError, match="weights"):
        slices_in("binary", verdict.slices, emptied)


def test_the_second_opinion_works_weighted_values_out_anew() -> None:
    from prunegate.audit.opinion.facts import facts

    asked = policy(metrics=("accuracy", "recall", "precision", "f1"))
    verdict = prunegate.judge(asked, table(6, 600))
    assert not facts(asked, verdict)["off its weights"].any()
    first = verdict.findings[0]
    assert first.candidate is not None
    told = replace(first, candidate=first.candidate + 1e-6)
    changed = replace(verdict, findings=(told, *verdict.findings[1:]))
    assert facts(asked, changed)["off its weights"].sum() == 1


def test_what_cannot_reckon_with_weights_says_so() -> None:
    asked = policy(metrics=("accuracy",))
    counts = pd.DataFrame(
        {"kind": ["a"], "label": [1], "baseline": [1], "candidate": [1], "n": [9]}
    )
    refused = (
        lambda: prunegate.judge_counts(asked, counts),
        lambda: counts_query(asked, "t", "duckdb"),
        lambda: require_labellable(asked),
        lambda: require_plannable(asked),
    )
    for ask in refused:
        with pytest.raises(UnsupportedError, match="'weight: w'"):
            ask()
    with pytest.raises(InputError, match="binary and multiclass"):
        parse_policy(
            "prunegate: 1\nname: x\ntask: {kind: score}\nweight: w\n"
            "rules: [{metric: mean_score, at_least: 0.5}]\n"
        )
    with pytest.raises(InputError, match="slicing key"):
        policy(more="weight: kind\n")


def test_an_engine_without_large_whole_numbers_is_refused() -> None:
    import narwhals as nw
    import polars as pl

    opened = open_predictions(policy(), table(1))
    other = replace(opened, frame=nw.from_native(pl.DataFrame({"w": [1.0]}).lazy()))
    with pytest.raises(UnsupportedError, match="Spark"):
        weighing_of(other, "w")


def test_other_weights_are_another_content() -> None:
    asked, frame = policy(metrics=("accuracy",)), table(1)
    named = [
        identity_of(asked, open_predictions(asked, one, with_ids=True))
        for one in (frame, frame.assign(w=frame.w + 1))
    ]
    assert named[0] is not None
    assert named[1] is not None
    assert named[0].gate_set.name == named[1].gate_set.name
    assert named[0].gate_set.contents != named[1].gate_set.contents


def test_groups_of_one_row_are_rows() -> None:
    frame = table(9)
    frame["group"] = frame["id"]
    asked = policy(metrics=("accuracy",))
    alone = counted(asked, frame)[0].tally
    grouped = counted(policy(metrics=("accuracy",), more="weight: w\ngroup: group\n"), frame)[
        0
    ].tally
    assert isinstance(alone, DecidedRows)
    assert isinstance(grouped, DecidedRows)
    assert alone.weights is not None
    assert grouped.weights is not None
    cells = range(8)
    for one in cells:
        for other in cells:
            assert alone.weights.product(one, other) == grouped.weights.product(one, other)
    assert alone.weights.heaviest_of(cells) == grouped.weights.heaviest_of(cells)
    assert alone.weights.effective(cells) <= Fraction(len(frame))
