"""Predictions that cannot be judged are refused with one message, never partly judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prunegate
from prunegate.counting.gate_set import identity_of
from prunegate.counting.read_source import read_source
from prunegate.errors import InputError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy


def policy(task: str = "positive: unsafe, threshold: 0.5", rest: str = "") -> Policy:
    rules = "rules: [{metric: recall, at_least: 0.5}]\n"
    head = f"prunegate: 1\nname: x\ntask: {{kind: binary, {task}}}\n"
    return parse_policy(f"{head}slices: [{{by: kind}}]\n{rules}{rest}")


def table(rows: int = 8) -> pd.DataFrame:
    label = ["unsafe", "safe"] * (rows // 2)
    score = [0.9, 0.1] * (rows // 2)
    kind = ["a"] * rows
    columns = {"label": label, "baseline": score, "candidate": score, "kind": kind}
    return pd.DataFrame({"id": [f"r{i}" for i in range(rows)], **columns})


def refused(policy: Policy, data: Any) -> str:
    with pytest.raises(InputError) as caught:
        prunegate.judge(policy, data)
    assert caught.value.exit_code == 2
    with pytest.raises(InputError) as again:  # a table that is named besides is told the same
        read_source(policy, data, identify=identity_of)
    assert str(again.value) == str(caught.value)
    return str(caught.value)


def put(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(data: pd.DataFrame) -> pd.DataFrame:
        values = data[column].tolist()
        return data.assign(**{column: [value, *values[1:]]})

    return change


BROKEN: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "NaN score": (put("candidate", np.nan), "column 'candidate': 1 row with no score"),
    "missing score": (put("baseline", None), "column 'baseline': 1 row with no score"),
    "score above 1": (put("candidate", 1.5), "for example 1.5 at id 'r0'"),
    "score below 0": (put("baseline", -0.1), "for example -0.1 at id 'r0'"),
    "infinite score": (put("baseline", np.inf), "no score between 0 and 1"),
    "third label": (
        put("label", "unsure"),
        "1 row with a label beside 'unsafe' and 'safe' ('unsure') (for example 'unsure'",
    ),
    "a label to leave out": (
        put("label", "unsure"),
        "to leave such rows out, list 'unsure' under 'task: ignore' in the policy",
    ),
    "no label": (put("label", None), "column 'label': 1 row with no label"),
    "empty label": (put("label", ""), "column 'label': 1 row with no label"),
    "positive never occurs": (lambda d: d.assign(label="safe"), "no row of column 'label' has"),
    "no slicing value": (put("kind", None), "column 'kind': 1 row with no value"),
    "empty slicing value": (put("kind", ""), "column 'kind': 1 row with no value"),
    "id twice": (
        put("id", "r1"),
        "1 row with an id that another row has already (for example 'r1')",
    ),
    "no id": (put("id", None), "column 'id': 1 row with no id"),
    "no id, and another twice": (
        lambda d: d.assign(id=[None, "r1", "r1", *d["id"][3:]]),
        "another row has already",
    ),
    "column missing": (lambda d: d.drop(columns="kind"), "missing column:\n  'kind'"),
    "answers elsewhere": (
        lambda d: d.drop(columns="candidate"),
        "lie in a file of their own, give --labels, --baseline-predictions",
    ),
    "id column missing": (lambda d: d.drop(columns="id"), "missing column:\n  'id'"),
    "no rows": (lambda d: d[:0], "no rows"),
    "labels where scores belong": (
        lambda d: d.assign(candidate=d["label"]),
        "column 'candidate': 8 rows with no score between 0 and 1",
    ),
    "flags where scores belong": (
        lambda d: d.assign(candidate=d["label"] == "unsafe"),
        "column 'candidate': 8 rows with no score between 0 and 1",
    ),
    "another type of label": (lambda d: d.assign(label=1), "holds numbers, but the policy's"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BROKEN)
def test_broken_rows_make_the_whole_table_bad_input(case: str) -> None:
    change, words = BROKEN[case]
    assert words in refused(policy(), change(table()))


def test_several_broken_columns_are_reported_together() -> None:
    data = put("candidate", 7.0)(put("label", None)(table()))
    message = refused(policy(), data)
    assert "column 'label'" in message
    assert "column 'candidate'" in message


@pytest.mark.slow
def test_scores_without_a_threshold_in_the_policy() -> None:
    bare = policy("positive: unsafe")
    assert "different kinds of values" in refused(bare, table())
    numeric = table().assign(label=[1, 0] * 4)
    assert "if it holds scores, give 'task: threshold'" in refused(policy("positive: 1"), numeric)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("baseline", "candidate"), [("ok", "ok"), ("unsafe", "ok"), ("ok", "unsafe"), ("safe", "ok")]
)
def test_a_label_that_only_a_model_knows(baseline: str, candidate: str) -> None:
    data = table().assign(baseline=baseline, candidate=candidate)
    assert "a label that column 'label' does not hold" in refused(policy("positive: unsafe"), data)


def test_without_negatives_the_two_models_still_have_to_agree_on_their_label() -> None:
    only = table().assign(label="unsafe", baseline="unsafe", candidate=["safe", "unsafe"] * 4)
    assert prunegate.judge(policy("positive: unsafe"), only).findings[0].lost == 4
    message = refused(policy("positive: unsafe"), only.assign(baseline="ok"))
    assert "'ok'" in message
    assert "'safe'" in message


def test_every_problem_is_listed_with_its_count_and_three_ids() -> None:
    data = table(40)
    data.loc[3:7, "candidate"] = np.nan
    data.loc[9, "baseline"] = 1.2
    data.loc[[10, 12, 14, 16], "label"] = "unsure"
    data.loc[20:21, "kind"] = None
    data.loc[31, "id"] = "r30"
    message = refused(policy(), data)
    assert "5 problems; nothing was judged" in message
    score = "with no score between 0 and 1 (for example"
    for words in (
        f"column 'baseline': 1 row {score} 1.2 at id 'r9')",
        f"column 'candidate': 5 rows {score} nothing at id 'r3', nothing at id 'r4', nothing at",
        "column 'kind': 2 rows with no value, but the policy slices by it (for example nothing at",
        "column 'label': 4 rows with a label beside 'unsafe' and 'safe' ('unsure') (for example",
        "'unsure' at id 'r10', 'unsure' at id 'r12', 'unsure' at id 'r14')",
        "column 'id': 1 row with an id that another row has already (for example 'r30')",
    ):
        assert words in message


def test_what_is_there_is_looked_at_although_columns_are_missing() -> None:
    data = table(40).drop(columns=["kind", "baseline"])
    data.loc[3:7, "candidate"] = 1.5
    data.loc[31, "id"] = "r30"
    message = refused(policy(), data)
    for words in (
        "missing columns:\n  'baseline'\n  'kind'",
        "column 'candidate': 5 rows with no score between 0 and 1 (for example 1.5 at id 'r3',",
        "column 'id': 1 row with an id that another row has already (for example 'r30')",
    ):
        assert words in message


def test_values_of_mixed_types_are_counted() -> None:
    data = table(40).astype({"candidate": object, "label": object})
    data.loc[[4, 6], "candidate"] = "n/a"
    data.loc[9, "label"] = 1
    message = refused(policy(), data)
    assert "column 'candidate' mixes values of different types (38 float, 2 str; for" in message
    assert "'n/a' in row 4, 'n/a' in row 6" in message
    assert "column 'label' mixes values of different types (39 str, 1 int; for" in message


def test_numbers_written_as_text_are_read_in_a_frame_as_in_a_csv(tmp_path: Path) -> None:
    texts = table().assign(candidate=[str(value) for value in table()["candidate"]])
    assert prunegate.judge(policy(), texts) == prunegate.judge(policy(), table())
    data = table().astype({"candidate": object})
    data.loc[2, "candidate"] = "n/a"
    data.to_csv(tmp_path / "t.csv", index=False)
    message = refused(policy(), tmp_path / "t.csv")
    assert (
        "column 'candidate': 1 row with no score between 0 and 1 (for example 'n/a' at" in message
    )


def test_hostile_ids_are_shown_inert() -> None:
    message = refused(
        policy(),
        put("id", "\x1b[31m\u202e")(put("kind", "a")(table())).assign(
            id=["\x1b[31m\u202e"] * 2 + list("abcdef")
        ),
    )
    assert "\x1b" not in message
    assert "\u202e" not in message


def test_columns_can_be_named_in_the_policy() -> None:
    names = "data: {columns: {id: post, label: truth, baseline: old, candidate: new}}\n"
    old = {"id": "post", "label": "truth", "baseline": "old", "candidate": "new"}
    found = prunegate.judge(policy(rest=names), table().rename(columns=old))
    assert found.findings == prunegate.judge(policy(), table()).findings
