"""A score for each class, in columns, lists or structures."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.unit.counting.files_of_others import as_csv, frame, policy, refused

import prunegate
from prunegate.counting.count import open_predictions

pytestmark = pytest.mark.slow


CLASSES = ("cat", "dog", "owl")


def scored(rows: int = 90) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores per class of two models as lists, and the table of what they choose."""
    random = np.random.default_rng(5)
    labels = random.integers(0, 3, rows)
    table = frame(rows, label=[CLASSES[label] for label in labels])
    for model in ("baseline", "candidate"):
        scores = random.integers(0, 4, (rows, 3)) + 3.0 * np.eye(3)[labels]  # with ties
        table[model] = list(scores)
    chosen = table.assign(
        **{m: [CLASSES[np.argmax(s)] for s in table[m]] for m in ("baseline", "candidate")}
    )
    return table, chosen


def lines(table: pd.DataFrame, path: Path, wrap: Any) -> Path:
    rows = table.to_dict("records")
    for row in rows:
        row |= {m: wrap(row[m]) for m in ("baseline", "candidate") if m in row}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


MULTICLASS = "{kind: multiclass, classes: [cat, dog, owl]}"


def test_scores_per_class_choose_the_first_of_the_highest(tmp_path: Path) -> None:
    table, chosen = scored()
    expected = prunegate.judge(policy(MULTICLASS, rule="accuracy"), chosen)
    lists = policy(MULTICLASS, "data: {scores: {activation: softmax}}\n", "accuracy")
    structs = table.assign(
        **{m: [dict(zip(CLASSES, s, strict=True)) for s in table[m]] for m in ("baseline",)}
    )
    table.to_parquet(tmp_path / "t.parquet")
    for source in (
        table,
        structs,
        tmp_path / "t.parquet",
        lines(table, tmp_path / "lists.jsonl", list),
        lines(table, tmp_path / "o.jsonl", lambda s: dict(zip(CLASSES, s, strict=True))),
    ):
        assert prunegate.judge(lists, source) == expected
    columns = {f"{m}_p_{c}": [s[i] for s in table[m]] for m in ("baseline", "candidate")
               for i, c in enumerate(CLASSES)}  # fmt: skip
    wide = table.drop(columns=["baseline", "candidate"]).assign(**columns)
    prefixed = policy(MULTICLASS, "data: {scores: {prefix: p_}}\n", "accuracy")
    assert prunegate.judge(prefixed, wide) == expected
    assert prunegate.judge(prefixed, as_csv(wide, tmp_path)) == expected


@pytest.mark.parametrize("activation", ["none", "softmax", "sigmoid"])
def test_a_binary_answer_is_the_positive_class_s_score(activation: str) -> None:
    logits = np.array([[2.0, -1.0], [0.5, 0.4]] * 20)
    if activation == "none":
        logits = np.abs(logits) / 4
    score = {
        "none": logits[:, 1],
        "sigmoid": 1 / (1 + np.exp(-logits[:, 1])),
        "softmax": np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1),
    }[activation]
    more = f"data: {{scores: {{activation: {activation}, classes: [safe, unsafe]}}}}\n"
    table = frame(40, baseline=list(logits), candidate=list(logits))
    found = open_predictions(policy(more=more), table, with_ids=True).frame.sort("id").collect()
    expected = dict(zip(table["id"], score, strict=True))
    for key, value in zip(found["id"].to_list(), found["baseline"].to_list(), strict=True):
        assert value == pytest.approx(expected[key])


@pytest.mark.parametrize(
    "bad",
    [
        [1.0, 2.0],
        [1.0, 2.0, 3.0, 4.0],
        [1.0, None, 2.0],
        [1.0, math.inf, 2.0],
        [1.0, -math.inf, 2.0],
        None,
    ],
)
def test_a_row_without_a_score_for_each_class_has_no_answer(bad: Any) -> None:
    table, _ = scored(6)
    values = [bad, *list(table["candidate"])[1:]]
    by = policy(MULTICLASS, "data: {scores: {}}\n", "accuracy")
    given = pa.table({
        **{c: list(table[c]) for c in ("id", "label", "baseline")},
        "candidate": pa.array([None if v is None else list(v) for v in values]),
    })  # fmt: skip
    assert "1 row with no finite score for each of the classes" in refused(by, given)


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_a_logit_that_is_not_finite_is_no_answer(bad: float) -> None:
    table = frame(40)
    table.loc[0, "candidate"] = bad
    table["candidate"] = table["candidate"] * 10 - 5
    table["baseline"] = table["baseline"] * 10 - 5
    by = policy(more="data: {scores: {activation: sigmoid}}\n")
    assert "column 'candidate': 1 row with no score between 0 and 1" in refused(by, table)


def test_scores_that_cannot_be_told_apart_are_refused() -> None:
    table, _ = scored(6)
    unnamed = policy("{kind: multiclass}", "data: {scores: {}}\n", "accuracy")
    assert "which class a score in column 'baseline' belongs to is not known" in refused(
        unnamed, table
    )
    other = policy(more="data: {scores: {classes: [cat, dog, owl]}}\n")
    assert "none of the positive label 'unsafe'" in refused(other, table)
    by = policy("{kind: multiclass}", rule="accuracy")
    assert "say under 'data: scores:' that they are" in refused(by, table)


def test_the_newcomer_s_files_are_one_command(tmp_path: Path) -> None:
    table = frame()
    table.rename(columns={"id": "image_id"})[["image_id", "label"]].to_parquet(
        tmp_path / "truth.parquet"
    )
    old = table.rename(columns={"id": "image_id", "baseline": "prob_unsafe"})
    old[["image_id", "prob_unsafe"]].iloc[::-1].to_csv(tmp_path / "old.csv.gz", index=False)
    new = table.rename(columns={"id": "image_id"})[["image_id", "candidate"]]
    lines(new, tmp_path / "new.jsonl", lambda p: {"safe": 1 - p, "unsafe": p})
    more = "data: {columns: {id: image_id, baseline: prob_unsafe}, scores: {activation: none}}\n"
    files = {
        "labels": tmp_path / "truth.parquet",
        "baseline_predictions": tmp_path / "old.csv.gz",
        "candidate_predictions": tmp_path / "new.jsonl",
    }
    assert prunegate.judge(policy(more=more), files) == prunegate.judge(policy(), table)
