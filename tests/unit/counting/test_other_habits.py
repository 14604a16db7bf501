"""Other habits: spellings, roundings and scales that are nearly right are told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import prunegate
from prunegate.counting.near_threshold import rounded_below
from prunegate.counting.number_hints import number_hint
from prunegate.data.predictions.lookalikes import lookalikes
from prunegate.errors import InputError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

HEAD = "prunegate: 1\nname: x\n"
RECALL = "rules: [{metric: recall, max_drop: 0.1}]\n"
BINARY = "task: {kind: binary, positive: %s, threshold: %s}\n"
CLASSES = "task: {kind: multiclass}\nrules: [{metric: accuracy, max_drop: 0.1}]\n"


def binary(positive: str = "1", threshold: float = 0.5, more: str = "") -> Policy:
    return parse_policy(HEAD + BINARY % (positive, threshold) + more + RECALL)


def table(rows: int = 40, **columns: Any) -> pd.DataFrame:
    label = [i % 2 for i in range(rows)]
    score = [0.8 if one else 0.25 for one in label]
    own = {"id": range(rows), "label": label, "baseline": score, "candidate": score}
    return pd.DataFrame({**own, **columns})


def refused(policy: Policy, source: Any) -> str:
    with pytest.raises(InputError) as error:
        prunegate.judge(policy, source)
    return str(error.value)


# values that look alike


@pytest.mark.parametrize(
    ("one", "other"),
    [("x", "x "), ("x", "\u00a0X"), ("x", "x\u200b"), ("01", "1"), ("1", "1.0"), ("True", "true"),
     ("yes", "true"), ("1", "true"), ("1,200", "1200"), ("0,5", "0.5"),
     ("2026-01-01", "2026-01-01T00:00"), ("2026-01-01T01:00Z", "2026-01-01T02:00+01:00")],
)  # fmt: skip
def test_values_of_a_key_that_look_alike_are_shown(one: str, other: str, tmp_path: Path) -> None:
    policy = binary(more="slices: [{by: kind}]\n")
    table(kind=[one, other] * 20).to_csv(tmp_path / "t.csv", index=False)
    (said,) = (w for w in prunegate.judge(policy, tmp_path / "t.csv").warnings if "told" in w)
    assert said.startswith("In slicing key 'kind' the values ")
    listed = binary(more=f"slices: [{{by: kind, expect: {json.dumps([one, other])}}}]\n")
    meant = prunegate.judge(listed, tmp_path / "t.csv").warnings
    assert not [w for w in meant if "told apart" in w]


@given(st.lists(st.text(alphabet="ab1. \u00e9", min_size=1, max_size=3)))
def test_what_is_told_apart_does_not_hang_on_order_or_repetition(texts: list[str]) -> None:
    found = lookalikes(texts)
    assert found == lookalikes([*reversed(texts), *texts])
    alike = {" ".join(text.casefold().split()) for text in texts}
    assert bool(found) >= (len(alike) < len(set(texts)))


@pytest.mark.parametrize(
    "texts", [["1.1", "1.10"], ["-1", "1"], ["a", "b"], ["1,200", "1.200"], ["1,20", "120"]]
)
def test_what_differs_in_more_is_left_alone(texts: list[str]) -> None:
    assert lookalikes(texts) == []


@pytest.mark.parametrize("spelled", ["UNSAFE", "unsafe ", "un\u200bsafe"])
@pytest.mark.parametrize("rows", [20, 40])
def test_a_positive_label_in_another_spelling_is_named(spelled: str, rows: int) -> None:
    """Of every row that is positive, or of some of them."""
    label = [(("safe", spelled if i < rows else "unsafe"))[i % 2] for i in range(40)]
    said = refused(binary("unsafe"), table(label=label))
    assert said.count(f"{spelled!r} differs from it in blanks, case or spelling only") == 1
    assert ("no row of column 'label' has the positive label 'unsafe'" in said) == (rows == 40)


def test_labels_that_look_alike_are_shown() -> None:
    labels = ["a", "b"] * 20
    spelled = ["a ", *labels[1:]]
    frame = pd.DataFrame(
        {"id": range(40), "label": spelled, "baseline": labels, "candidate": labels}
    )
    said = prunegate.judge(parse_policy(HEAD + CLASSES), frame).warnings
    assert any(w.startswith("In the labels the values 'a' and 'a ' differ in blanks") for w in said)


@pytest.mark.parametrize(
    ("asked", "labels", "told"),
    [
        (RECALL, 1, True),
        (RECALL, [0, 1] * 20, False),
        (CLASSES, "a", True),
        (CLASSES, ["a", "b"] * 20, False),
    ],
)
def test_a_table_of_one_label_is_told(asked: str, labels: Any, told: bool) -> None:
    policy = binary() if asked == RECALL else parse_policy(HEAD + CLASSES)
    frame = table(label=labels)
    if asked == CLASSES:
        frame = frame.assign(baseline="a", candidate=["a", "b"] * 20)
    said = [w for w in prunegate.judge(policy, frame).warnings if "the same label" in w]
    assert [w.split(":")[0] for w in said] == ["All 40 rows have the same label"] * told


# 32-bit floats, written with other digits


@pytest.mark.parametrize(
    ("threshold", "lost"), [(0.7, True), (0.9, True), (0.1, False), (0.5, False)]
)
def test_scores_that_lost_the_threshold_to_rounding_are_told(threshold: float, lost: bool) -> None:
    scores = np.where(np.arange(40) % 2 == 1, threshold, 0.01)
    frame = table(baseline=scores, candidate=scores.astype("float32").astype("float64"))
    said = [
        w for w in prunegate.judge(binary(threshold=threshold), frame).warnings if "32-bit" in w
    ]
    assert [w[:38] for w in said] == ["In column 'candidate' 20 scores lie wi"] * lost
    kept = frame.assign(candidate=scores.astype("float32"))
    assert not [w for w in prunegate.judge(binary(threshold=threshold), kept).warnings if "32" in w]


@given(st.integers(1, 999))
def test_a_threshold_has_such_scores_just_where_32_bits_hold_less(thousandths: int) -> None:
    import narwhals as nw

    threshold = thousandths / 1000
    found = rounded_below(nw.col("score"), threshold)
    assert (found is not None) == (float(np.float32(threshold)) < threshold)
    if found is None:
        return
    written = [float(np.float32(threshold)), threshold, threshold - 1e-5, threshold + 1e-5]
    frame = nw.from_native(pd.DataFrame({"score": written})).select(found.alias("near"))
    assert frame["near"].to_list() == [1, 0, 0, 0]


# scores on another scale


@pytest.mark.parametrize(
    ("scores", "hint"),
    [
        ([f"{n},5" for n in range(40)], "; write decimals with a point"),
        ([f"{n}.5 %" for n in range(40)], "; write 0.75 for 75 %"),
        ([n / 2 + 1.5 for n in range(40)], "; if these are per cent, divide them by 100"),
        ([-n / 2 - 1 for n in range(40)], "or softmax where there is a score for each class"),
    ],
)
def test_scores_on_another_scale_are_refused_with_what_they_may_be(
    scores: list[Any], hint: str
) -> None:
    message = refused(binary(), table(candidate=scores))
    assert f"{hint}." in message


@pytest.mark.parametrize("values", [[], [None], ["n/a"], [1.5], ["0,5", "x"], [float("nan")]])
def test_nothing_is_suggested_where_nothing_suggests_itself(values: list[Any]) -> None:
    assert number_hint(values, share=True) == ""


def test_words_among_numeric_labels_are_shown(tmp_path: Path) -> None:
    frame = table().astype({"label": object})
    frame.loc[5, "label"] = "NA"
    frame.to_csv(tmp_path / "t.csv", index=False)
    message = refused(binary(), tmp_path / "t.csv")
    assert "column 'label' holds text (for example 'NA' at id '5'), but the policy's" in message


def test_a_softmax_of_probabilities_is_refused() -> None:
    probabilities = [[0.7, 0.3], [0.2, 0.8]] * 20
    policy = parse_policy(
        HEAD
        + "task: {kind: multiclass, classes: [a, b]}\ndata: {scores: {activation: softmax}}\n"
        + "rules: [{metric: accuracy, max_drop: 0.1}]\n"
    )
    frame = table(label=["a", "b"] * 20, baseline=probabilities, candidate=probabilities)
    message = refused(policy, frame)
    assert "the scores of 'baseline' are probabilities already" in message
    logits = [[2.0, 1.0], [0.2, 0.8]] * 20
    assert prunegate.judge(policy, frame.assign(baseline=logits, candidate=logits)).slices


# files that begin with something else


@pytest.mark.parametrize(
    ("name", "before", "encoding", "words"),
    [
        ("t.csv", "sep=,\r\n", "utf-8", "the first line is a spreadsheet's 'sep='; remove it"),
        ("t.csv", '"sep=;"\n', "utf-8", "the first line is a spreadsheet's 'sep='; remove it"),
        ("t.csv", "", "utf-16-le", "not UTF-8 text; save the table with that encoding"),
        ("t.jsonl", "", "utf-8-sig", "begins with a byte order mark; save it as UTF-8 without"),
        ("t.jsonl", "[", "utf-8", "holds a JSON list; write each of its objects on a line"),
        ("t.jsonl.gz", "[", "utf-8", "holds a JSON list; write each of its objects on a line"),
    ],
)
def test_what_other_writers_begin_a_file_with_is_named(
    name: str, before: str, encoding: str, words: str, tmp_path: Path
) -> None:
    rows = [json.dumps(row) for row in table().to_dict("records")]
    text = table().to_csv(index=False) if name == "t.csv" else "\n".join(rows)
    content = (before + text).encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert words in refused(binary(), tmp_path / name)


def test_columns_that_differ_in_blanks_only_cannot_be_told_apart() -> None:
    assert "'candidate' and 'candidate '" in refused(binary(), table(**{"candidate ": 0.1}))
