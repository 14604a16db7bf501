"""The change of the loss, one expression a task kind, against plain Python."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.counting.loss_change import CHANGE
from prunegate.counting.tasks.every import task_of
from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.table import Table
from prunegate.errors import TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow

THREE = ("label", "baseline", "candidate")
KINDS = {
    "binary": ("{kind: binary, positive: 1, threshold: 0.5}", "recall"),
    "labels": ("{kind: binary, positive: a}", "recall"),
    "multiclass": ("{kind: multiclass}", "accuracy"),
    "score": ("{kind: score}", "mean_score"),
    "language": ("{kind: language}", "nll_per_token"),
}


def policy(kind: str) -> Policy:
    task, metric = KINDS[kind]
    return parse_policy(
        f"prunegate: 1\nname: x\ntask: {task}\nrules: [{{metric: {metric}, max_drop: 0.1}}]\n"
        if kind != "language"
        else f"prunegate: 1\nname: x\ntask: {task}\nrules: [{{metric: {metric}, max_rise: 0.1}}]\n"
    )


def opened(**columns: Any) -> Table:
    frame = pd.DataFrame({"row": range(len(columns["label"])), **columns})
    return open_table(frame, ("row", *THREE), numeric_columns=THREE)


def changes(kind: str, **columns: Any) -> list[float | None]:
    frame = task_of(policy(kind)).with_change(policy(kind), opened(**columns))
    return [row[0] for row in frame.sort("row").select(CHANGE).collect().rows()]


@settings(max_examples=times(4, thorough=20))  # each opens a table; the lists are long instead
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 1)), min_size=20))
def test_a_decision_is_lost_gained_or_the_same(rows: list[tuple[bool, float, float]]) -> None:
    label, baseline, candidate = zip(*rows, strict=True)
    found = changes("binary", label=[int(v) for v in label], baseline=baseline, candidate=candidate)
    expected = [((c >= 0.5) != truth) - ((b >= 0.5) != truth) for truth, b, c in rows]
    assert found == expected
    assert policy("binary").task.traits.decided


@settings(max_examples=times(4, thorough=20))
@given(st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=20))
def test_a_class_is_right_or_wrong(rows: list[tuple[str, str, str]]) -> None:
    label, baseline, candidate = zip(*rows, strict=True)
    found = changes("multiclass", label=label, baseline=baseline, candidate=candidate)
    assert found == [(c != truth) - (b != truth) for truth, b, c in rows]
    numbers = {
        name: [ord(v) for v in values]
        for name, values in zip(THREE, (label, baseline, candidate), strict=True)
    }
    assert changes("multiclass", **numbers) == found


@settings(max_examples=times(4, thorough=20))
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=20))
def test_a_score_is_better_higher_and_a_likelihood_lower(rows: list[tuple[float, float]]) -> None:
    baseline, candidate = zip(*rows, strict=True)
    models = {"label": [0.0] * len(rows), "baseline": baseline, "candidate": candidate}
    assert changes("score", **models) == [b - c for b, c in rows]
    assert changes("language", **models) == [c - b for b, c in rows]
    assert not policy("score").task.traits.decided


def test_labels_may_be_text() -> None:
    found = changes(
        "labels", label=["a", "b", "a"], baseline=["a", "b", "b"], candidate=list("bba")
    )
    assert found == [1, 0, -1]


@pytest.mark.parametrize("kind", ["score", "language"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None])
def test_what_is_no_number_is_null(kind: str, bad: float | None) -> None:
    models = {"label": [0, 0], "baseline": [1.0, 2.0], "candidate": [bad, 1.0]}
    assert changes(kind, **models)[0] is None


@pytest.mark.parametrize("column", THREE)
def test_a_missing_class_is_null(column: str) -> None:
    models = {name: ["a", "b"] for name in THREE}
    models[column] = [None, "b"]  # type: ignore[list-item]  # the point
    assert changes("multiclass", **models) == [None, 0]


def test_unsigned_numbers_do_not_wrap() -> None:
    frame = pd.DataFrame({"label": [0], "baseline": [1], "candidate": [3]}).astype("uint8")
    table = open_table(frame, THREE, numeric_columns=THREE)
    changed = task_of(policy("score")).with_change(policy("score"), table)
    assert changed.select(CHANGE).collect().rows() == [(-2.0,)]


@pytest.mark.parametrize("kind", ["score", "language", "multiclass"])
def test_text_for_numbers_is_refused(kind: str) -> None:
    with pytest.raises(TableError, match=r"numbers throughout|different kinds"):
        changes(kind, label=[0, 1], baseline=["a", "b"], candidate=[1.0, 2.0])
