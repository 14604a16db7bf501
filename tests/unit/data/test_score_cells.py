"""Scores of every class in one cell: however they are spelled, one verdict; and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prunegate
from prunegate.errors import TableError
from prunegate.policy.load import parse_policy

HEAD = "prunegate: 1\nname: x\n"
SEVERAL = HEAD + (
    "task: {kind: multiclass, classes: [cat, dog, it's]}\ndata: {scores: {}}\n"
    "rules: [{metric: accuracy, max_drop: 0.1}, {metric: log_loss, max_rise: 0.2}]\n"
)
NAMES = ("cat", "dog", "it's")
Spelled = Callable[[Sequence[float]], Any]


def _pairs(scores: Sequence[float]) -> list[dict[str, Any]]:
    """As pipelines answer: the highest first."""
    pairs = [{"label": n, "score": s} for n, s in zip(NAMES, scores, strict=True)]
    return sorted(pairs, key=lambda pair: -pair["score"])


SPELLED: dict[str, Spelled] = {
    "a list": list,
    "a structure": lambda scores: dict(zip(NAMES, scores, strict=True)),
    "pairs": _pairs,
}


def _rows() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Labels, and scores with six digits that add up to 1, [2, rows, classes]."""
    rng = np.random.default_rng(3)
    label = rng.integers(0, 3, 240)
    scores = rng.dirichlet([1, 1, 1], (2, 240)) + 2 * np.eye(3)[label]
    scores = (scores / 3).round(6)
    scores[..., 0] = (1 - scores[..., 1] - scores[..., 2]).round(6)
    return np.array(NAMES)[label], scores


def _frame(spelled: Callable[[Sequence[float]], Any]) -> pd.DataFrame:
    label, scores = _rows()
    cells = [[spelled(list(map(float, row))) for row in model] for model in scores]
    return pd.DataFrame(
        {"id": range(len(label)), "label": label, "baseline": cells[0], "candidate": cells[1]}
    )


def _written(frame: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path, index=False)
    return path


@pytest.mark.slow
def test_scores_in_a_cell_are_read_however_they_are_spelled(tmp_path: Path) -> None:
    policy, frames = parse_policy(SEVERAL), []
    for spelled in SPELLED.values():
        frames += [(_frame(spelled), ".parquet"), (_frame(spelled), ".jsonl")]
        texts = _frame(lambda scores, spelled=spelled: json.dumps(spelled(scores)))
        frames.append((texts, ".csv"))
    frames.append((texts, ".jsonl"))
    expected, *found = (
        prunegate.judge(policy, _written(frame, tmp_path / f"t{place}{end}")).findings
        for place, (frame, end) in enumerate(frames)
    )
    assert [findings == expected for findings in found] == [True] * len(found)


def test_dictionaries_that_python_printed_are_read(tmp_path: Path) -> None:
    names = SEVERAL.replace("it's", "fox")
    frame = _frame(lambda scores: {"cat": scores[0], "dog": scores[1], "fox": scores[2]})
    frame["label"] = frame["label"].replace("it's", "fox")
    policy = parse_policy(names)
    printed = _written(frame, tmp_path / "t.csv")
    assert prunegate.judge(policy, printed).findings == prunegate.judge(policy, frame).findings


@pytest.mark.parametrize("spelled", SPELLED.values(), ids=SPELLED.keys())
@pytest.mark.parametrize("bits", ["f4", "f8"])
def test_a_score_in_a_cell_meets_the_threshold_in_its_own_precision(
    spelled: Spelled, bits: str, tmp_path: Path
) -> None:
    positive = "task: {kind: binary, positive: dog, threshold: 0.7}\n"
    order = 'data: {scores: {classes: [cat, dog, "it\'s"]}}\n'
    policy = parse_policy(HEAD + positive + order + "rules: [{metric: recall, max_drop: 0.1}]\n")
    at = np.array([0.2, 0.7, 0.1], dtype=bits)
    off = np.array([0.6, 0.3, 0.1], dtype=bits)
    cells = [spelled(list(row)) for row in [at] * 100 + [off] * 100]
    label = ["dog"] * 100 + ["cat"] * 100
    frame = pd.DataFrame({"id": range(200), "label": label, "baseline": cells, "candidate": cells})
    (recall, *_) = prunegate.judge(policy, _written(frame, tmp_path / "t.parquet")).findings
    assert recall.candidate == 1


def test_texts_that_are_no_json_and_rows_of_other_lengths_are_refused(tmp_path: Path) -> None:
    policy = parse_policy(SEVERAL)
    numpys = _written(_frame(lambda scores: str(np.array(scores))), tmp_path / "t.csv")
    with pytest.raises(TableError, match=r"no JSON lists or objects; write scores as \[0.1, 0.9\]"):
        prunegate.judge(policy, numpys)
    frame = _frame(json.dumps)
    frame.loc[[3, 5, 7], "candidate"] = ["[0.5, 0.5]", "oops", "[NaN, 0.5, 0.5]"]
    with pytest.raises(TableError, match=r"'candidate': 3 rows .* id '3', .* id '5', .* id '7'"):
        prunegate.judge(policy, _written(frame, tmp_path / "u.csv"))


@pytest.mark.parametrize("spelled", ["a structure", "pairs"])
def test_classes_that_no_cell_names_are_named(spelled: str, tmp_path: Path) -> None:
    policy = parse_policy(SEVERAL.replace("cat, dog", "cat, fox"))
    for frame in (_frame(SPELLED[spelled]), _frame(lambda s: json.dumps(SPELLED[spelled](s)))):
        table = _written(frame.assign(label="cat"), tmp_path / "t.parquet")
        with pytest.raises(
            TableError, match="no score of class 'fox'; it has 'cat', 'dog', \"it's"
        ):
            prunegate.judge(policy, table)


def test_one_logit_a_row_is_a_yes_or_no_and_a_probability_is_no_logit() -> None:
    yes = "task: {kind: binary, positive: dog, threshold: 0.5}\n"
    rules = "rules: [{metric: recall, max_drop: 0.1}, {metric: auc, max_drop: 0.1}]\n"
    logits = parse_policy(HEAD + yes + "data: {scores: {activation: sigmoid}}\n" + rules)
    label, scores = _rows()
    dog = np.where(label == "dog", "dog", "none")
    chance = scores[..., 1].clip(0.001, 0.999)
    frame = pd.DataFrame({"id": range(len(dog)), "label": dog})
    frame["baseline"], frame["candidate"] = np.log(chance / (1 - chance))
    same = frame.assign(baseline=chance[0], candidate=chance[1])
    found = prunegate.judge(logits, frame).findings
    assert [f.candidate for f in found] == pytest.approx(
        [f.candidate for f in prunegate.judge(parse_policy(HEAD + yes + rules), same).findings]
    )
    with pytest.raises(TableError, match="probabilities already: they lie between 0 and 1"):
        prunegate.judge(logits, same)


def test_hundreds_of_classes_are_read_as_ten_are() -> None:
    """As what was asked of a list grew with the square of its length, this took minutes."""
    names = [f"c{place}" for place in range(400)]
    rng = np.random.default_rng(0)
    label = rng.integers(0, len(names), 200)
    scores = rng.dirichlet(np.ones(len(names)), 200) / 2
    scores[np.arange(200), label] += 0.5
    cells = scores.tolist()
    data = {"id": range(200), "label": np.array(names)[label], "baseline": cells}
    policy = parse_policy(SEVERAL.replace("cat, dog, it's", ", ".join(names)))
    table = pd.DataFrame({**data, "candidate": cells})
    accuracy, loss, *_ = prunegate.judge(policy, table).findings
    assert accuracy.candidate == 1
    assert loss.candidate == pytest.approx(-np.log(scores[np.arange(200), label]).mean())
