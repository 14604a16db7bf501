"""Labelled rows: whom a step sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.data.labelled.rows import LabelledRows, is_positive, select_rows
from prunegate.errors import TableError
from prunegate.policy.schema import Policy


def make(splits: list[str], keys: list[str] | None = None, labels: Any = None) -> LabelledRows:
    count = len(splits)
    return LabelledRows(
        name="t.csv",
        folder=Path("images"),
        ids=tuple(map(str, range(count))),
        images=tuple(f"{n}.png" for n in range(count)),
        labels=tuple(labels or ["safe"] * count),
        splits=tuple(splits),
        columns={"key": tuple(keys or ["a"] * count)},
    )


def policy(positive: Any) -> Policy:
    return Policy.model_validate(
        {
            "prunegate": 1,
            "name": "p",
            "task": {"kind": "binary", "positive": positive},
            "rules": [{"metric": "recall", "at_least": 0.5}],
        }
    )


@given(
    splits=st.lists(st.sampled_from(["train", "gate"]), min_size=1, max_size=40),
    limit=st.integers(1, 50),
    seed=st.integers(0, 5),
)
@settings(max_examples=times(24, thorough=120), deadline=None)
def test_a_draw_is_a_subset_of_the_split_and_repeats(
    splits: list[str], limit: int, seed: int
) -> None:
    rows = make([*splits, "gate"])
    every = select_rows(rows, "gate")
    drawn = select_rows(rows, "gate", limit=limit, seed=seed)
    assert [rows.splits[place] for place in every] == ["gate"] * rows.splits.count("gate")
    assert len(drawn) == min(limit, len(every))
    assert set(drawn) <= set(every)
    assert list(drawn) == sorted(set(drawn))
    assert np.array_equal(drawn, select_rows(rows, "gate", limit=limit, seed=seed))


def test_where_takes_one_or_several_values_as_text() -> None:
    rows = make(["train"] * 4, ["a", "1", "true", "b"])
    assert list(select_rows(rows, "train", {"key": ("a", "b")})) == [0, 3]
    assert list(select_rows(rows, "train", {"key": 1.0})) == [1]
    assert list(select_rows(rows, "train", {"key": True})) == [2]


def test_nothing_found_is_an_error() -> None:
    rows = make(["train"])
    with pytest.raises(TableError, match="split 'gate' has no rows"):
        select_rows(rows, "gate")
    with pytest.raises(TableError, match="column 'none' is not there"):
        select_rows(rows, "train", {"none": 1})


@pytest.mark.parametrize(
    ("positive", "labels", "expected"),
    [
        ("unsafe", ["unsafe", "safe", None], [True, False, False]),
        (1, [1, 1.0, True, 0, "1"], [True, True, True, False, False]),
        (True, [1, 1.0, True, 0, "True"], [True, True, True, False, False]),
        ("1", [1, "1"], [False, True]),
    ],
)
def test_numbers_and_booleans_compare_as_numbers_and_text_as_text(
    positive: Any, labels: list[Any], expected: list[bool]
) -> None:
    assert is_positive(make(["gate"] * len(labels), labels=labels), policy(positive)).tolist() == (
        expected
    )


def test_paths_are_made_once(tmp_path: Path) -> None:
    """Asking for one path after the other must not make them all anew each time."""
    rows = LabelledRows(
        name="t",
        folder=tmp_path,
        ids=("a", "b"),
        images=("a.png", "b.png"),
        labels=(0, 1),
        splits=("gate", "gate"),
        columns={},
    )
    assert rows.paths == (tmp_path / "a.png", tmp_path / "b.png")
    assert rows.paths is rows.paths
