"""What people bring: labels to leave out, intervals, thresholds per model, scores per class."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import prunegate
from prunegate.counting.count import open_predictions
from prunegate.data.predictions.many_values import MOST
from prunegate.errors import InputError, PolicyError, TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict

pytestmark = pytest.mark.slow

BINARY = "{kind: binary, positive: unsafe, threshold: 0.5}"


def policy(task: str = BINARY, more: str = "", rule: str = "recall") -> Policy:
    rules = f"rules: [{{metric: {rule}, slices: all, max_drop: 0.1}}]\n"
    return parse_policy(f"prunegate: 1\nname: case\ntask: {task}\n{more}{rules}")


def frame(rows: int = 400, **columns: Any) -> pd.DataFrame:
    """Two models that agree, right on every row."""
    labels = ["unsafe" if i % 2 == 0 else "safe" for i in range(rows)]
    scores = [0.9 if label == "unsafe" else 0.1 for label in labels]
    table = {"id": [f"r{i}" for i in range(rows)], "label": labels}
    return pd.DataFrame({**table, "baseline": scores, "candidate": scores, **columns})


def refused(by: Policy, table: Any) -> str:
    with pytest.raises(TableError) as error:
        prunegate.judge(by, table)
    return str(error.value)


def names(verdict: Verdict) -> list[str]:
    return [one.name for one in verdict.slices]


def as_csv(table: pd.DataFrame, folder: Path) -> Path:
    table.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


# what the cases of other people are about


def test_seven_ids_without_an_answer_are_counted_and_shown(tmp_path: Path) -> None:
    table = frame()
    table[["id", "label", "baseline"]].to_csv(tmp_path / "t.csv", index=False)
    answers = table[["id", "candidate"]].sample(frac=1, random_state=0)
    answers = answers[~answers["id"].isin([f"r{i}" for i in range(393, 400)])]
    answers.to_csv(tmp_path / "cand.csv", index=False)
    files = {"labels": tmp_path / "t.csv", "candidate_predictions": tmp_path / "cand.csv"}
    assert refused(policy(), files) == (
        "2 tables: 1 problem; nothing was judged, correct the files:\n"
        "  7 ids are in t.csv (labels) and not in cand.csv (candidate predictions): "
        "'r393', 'r394', 'r395', ..."
    )


TYPED = """\
slices:
  - {by: paid, expect: [true, false]}
  - {by: year, expect: [2024, 2025]}
  - {by: day, expect: [2025-01-31, 2025-02-01]}
  - {by: size, expect: [0.5, 1]}
  - {name: paid-2025, where: {paid: true, year: 2025}}
"""


def test_typed_slices_have_one_verdict_from_csv_and_parquet(tmp_path: Path) -> None:
    half = np.arange(400) < 200
    table = frame(
        paid=np.arange(400) // 2 % 2 == 0,
        year=np.where(half, 2024, 2025),
        day=pd.to_datetime(np.where(half, "2025-01-31", "2025-02-01")),
        size=np.where(half, 0.5, 1.0),
    )
    table.to_parquet(tmp_path / "t.parquet")
    sources = [table, as_csv(table, tmp_path), tmp_path / "t.parquet"]
    found = [prunegate.judge(policy(more=TYPED), source) for source in sources]
    assert found[0].outcome == "approve"
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("task", "odd"),
    [
        ("{kind: binary, positive: unsafe, threshold: 0.5, ignore: [unsure]}", "unsure"),
        ("{kind: binary, positive: 1, threshold: 0.5, ignore: [-1]}", -1),
        ("{kind: binary, positive: 1, threshold: 0.5, ignore: [unsure]}", "unsure"),
        ("{kind: binary, positive: true, threshold: 0.5, ignore: [skip]}", "skip"),
    ],
)
def test_labels_to_leave_out_are_left_out_and_counted(task: str, odd: Any, tmp_path: Path) -> None:
    table = frame()
    if "unsafe" not in task:
        spelled = (
            {"unsafe": 1, "safe": 0} if "true" not in task else {"unsafe": True, "safe": False}
        )
        table["label"] = table["label"].map(spelled).astype(object)
    table.loc[::25, "label"] = odd
    path = as_csv(table, tmp_path)
    found = open_predictions(policy(task), path, with_ids=True)
    assert (found.rows_hint, dict(found.ignored)) == (384, {str(odd): 16})
    assert prunegate.judge(policy(task), path).slices[0].rows == 384
    with pytest.raises(TableError, match="ignore"):
        prunegate.judge(policy(task.replace(f", ignore: [{odd}]", "")), path)
    more = policy(task.replace(f"[{odd}]", f"[{odd}, nowhere]"))
    assert "leaves out 'nowhere', and no row" in "".join(prunegate.judge(more, path).warnings)


@pytest.mark.parametrize("kind", ["{kind: binary, positive: 1, ", "{kind: multiclass, "])
def test_a_label_left_out_but_for_case_and_blanks_is_no_other_label(kind: str) -> None:
    odd = {"a": "Unsure", "b": "unsure ", "c": "unsure"}
    label = ["a", "b", "c", "c", *["0", "1"] * 48]
    table = frame(100, label=[odd.get(one, one) for one in label], baseline="1", candidate="1")
    message = refused(policy(f"{kind}ignore: [unsure]}}", rule="accuracy"), table)
    assert "2 rows with 'Unsure', 'unsure ', which differ in blanks or case only" in message
    listed = policy(f"{kind}ignore: [unsure, Unsure, 'unsure ']}}", rule="accuracy")
    assert prunegate.judge(listed, table).slices[0].rows == 96


def test_nothing_is_left_when_every_label_is_ignored() -> None:
    task = "{kind: binary, positive: unsafe, threshold: 0.5, ignore: [a]}"
    assert "there are no rows" in refused(policy(task), frame(label="a"))
    missing = frame().assign(label=[None, *frame()["label"][1:]])
    assert "1 row with no label" in refused(policy(task), missing)


def test_a_label_that_is_judged_cannot_be_ignored() -> None:
    with pytest.raises(PolicyError, match="leaves 'unsafe' out, which is judged"):
        policy("{kind: binary, positive: unsafe, threshold: 0.5, ignore: [unsafe]}")


def test_labels_that_are_spelled_otherwise_are_refused_and_strange_ones_warned_of() -> None:
    labels = ["0", "1", "other"] * 100
    table = frame(300, label=labels, baseline=labels)
    table["candidate"] = ["0.0", "1.0", "other"] * 100
    by = policy("{kind: multiclass}", rule="accuracy")
    assert (
        "column 'candidate': 200 candidate labels ('0.0', '1.0') are no label of the table, which "
        "has '0', '1'"
    ) in refused(by, table)
    table["candidate"] = ["0", "1", "none"] * 100
    strange, renamed = prunegate.judge(by, table).warnings
    assert strange == (
        "100 candidate labels ('none') are no label of the table, so they count as errors."
    )
    assert "the candidate seems to have its classes permuted (none for other)" in renamed


def test_thresholds_belong_to_models_not_to_slices() -> None:
    with pytest.raises(PolicyError, match="only a multilabel task has one for each label"):
        policy("{kind: binary, positive: unsafe, threshold: {a: 0.4, b: 0.6}}")
    tuned = policy("{kind: binary, positive: unsafe, threshold: {baseline: 0.5, candidate: tuned}}")
    with pytest.raises(InputError, match="is chosen on calibration rows"):
        prunegate.judge(tuned, frame())


def test_each_model_has_its_own_threshold() -> None:
    shifted = frame(candidate=[0.45 if i % 2 == 0 else 0.05 for i in range(400)])
    assert prunegate.judge(policy(), shifted).outcome == "reject"
    own = BINARY.replace("0.5", "{baseline: 0.5, candidate: 0.42}")
    assert prunegate.judge(policy(own), shifted).outcome == "approve"


# intervals


@pytest.mark.parametrize(
    ("values", "entry", "expected"),
    [
        ([99, 100, 499.5, 500], "bins: [100, 500]", ["<100", "100-500", ">=500"]),
        (["1", "2.0", "3", "4"], "quantiles: 2", ["q1", "q2"]),
        (["2025-12-31", "2026-01-01T09:00", "2026-01-02", "2026-02-01"], "every: month",
         ["2025-12", "2026-01", "2026-02"]),
        (["2025-12-28", "2025-12-29", "2026-01-04", "2026-01-05"], "every: week",
         ["2025-W52", "2026-W01", "2026-W02"]),
        (["2026-01-01T00:30:00+02:00", "2026-01-01T00:30:00Z"] * 2, "every: year",
         ["2025", "2026"]),
        (["2026-03-31", "2026-04-01"] * 2, "every: quarter", ["2026-Q1", "2026-Q2"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("typed", [False, True])
def test_numbers_and_times_are_put_into_intervals(
    values: Sequence[Any], entry: str, expected: list[str], typed: bool, tmp_path: Path
) -> None:
    table = frame(400, key=list(values) * 100)
    if typed and "every" in entry:
        utc = any("Z" in str(v) for v in values)
        table["key"] = pd.to_datetime(table["key"], format="ISO8601", utc=utc)
    elif typed:
        table["key"] = table["key"].astype("float32")
    source = table if typed else as_csv(table, tmp_path)
    by = policy(more=f"slices: [{{by: key, {entry}}}]\n")
    assert names(prunegate.judge(by, source))[1:] == [f"key={name}" for name in expected]
    assert bool(open_predictions(by, source).edges) == ("quantiles" in entry)


def test_intervals_cross_and_can_be_named() -> None:
    more = """\
slices:
  - {by: width, bins: [100, 500], expect: [">=500"]}
  - by: [width, kind]
  - {name: wide, where: {width: ">=500", kind: a}}
"""
    table = frame(width=[i * 2 for i in range(400)], kind=["a", "a", "b", "b"] * 100)
    found = names(prunegate.judge(policy(more=more), table))
    assert found[:4] == ["overall", "width=>=500", "width=<100", "width=100-500"]
    assert found[4:6] == ["width=<100,kind=a", "width=<100,kind=b"]
    assert found[-1] == "wide"


@pytest.mark.parametrize(
    ("values", "entry", "words"),
    [
        (
            ["1", "wide", "3", "4"],
            "bins: [2]",
            "100 rows hold no number ('bins' and 'quantiles' ne",
        ),
        (["2026-01-01", "soon"] * 2, "every: day", "200 rows hold no time ('every' needs one"),
        ([1, 2, 3, 4], "every: day", "400 rows hold no time"),
        ([1.0, np.nan, 3, 4], "bins: [2]", "100 rows with no value, but the policy slices by it"),
    ],
)
def test_what_lies_in_no_interval_is_refused(values: Sequence[Any], entry: str, words: str) -> None:
    by = policy(more=f"slices: [{{by: key, {entry}}}]\n")
    assert words in refused(by, frame(key=list(values) * 100))


@pytest.mark.parametrize(
    ("slices", "words"),
    [
        ("[{by: w, bins: [5, 1]}]", "edges that rise"),
        ("[{by: w, bins: [1], quantiles: 2}]", "two ways; keep one"),
        ("[{by: [w, k], every: month}]", "belongs to one key"),
        ("[{by: w, bins: [1, 2], expect: [1-3]}]", "no interval of"),
        ("[{by: w, quantiles: 2}, {name: x, where: {w: q3}}]", "no interval of"),
        ("[{by: w, every: hour}]", "one of day, week, month, quarter, year"),
    ],
)  # fmt: skip
def test_intervals_that_mean_nothing_are_refused(slices: str, words: str) -> None:
    with pytest.raises(PolicyError) as error:
        policy(more=f"slices: {slices}\n")
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        (range(200, 400), "{by: key, quantiles: 4} or {by: key, bins: [..]}"),
        (pd.date_range("2025-03-30", periods=200, freq="67s", tz="UTC"), "{by: key, every: month}"),
        ([f"u{i}" for i in range(200)], "slice by a column with fewer values"),
    ],
)
def test_a_key_with_a_value_for_every_row_gets_a_hint(values: Any, advice: str) -> None:
    by = policy(more="slices: [{by: key}]\n")
    warnings = prunegate.judge(by, frame(200, key=list(values))).warnings
    assert any("'key' has 200 values" in told and advice in told for told in warnings)


def test_more_slices_than_can_be_judged_are_refused_at_once() -> None:
    by = policy(more="slices: [{by: key}]\n")
    message = refused(by, frame(MOST + 2, key=range(MOST + 2)))
    assert "slicing key 'key' has 2,002 values, and at most 2,000 slices are judged" in message


# scores per class

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
