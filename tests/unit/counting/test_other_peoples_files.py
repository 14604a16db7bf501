"""What people bring: labels to leave out, intervals, thresholds per model, scores per class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.counting.files_of_others import BINARY, as_csv, frame, policy, refused

import prunegate
from prunegate.counting.count import open_predictions
from prunegate.errors import InputError, PolicyError, TableError

pytestmark = pytest.mark.slow


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
