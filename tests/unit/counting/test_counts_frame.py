"""Joint counts from somebody else: summed, checked, and judged like the rows they count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

import prunegate
from prunegate.errors import InputError, TableError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy


def policy(slicing: str = "slices: [{by: k}]\n") -> Policy:
    rules = "rules: [{metric: accuracy, slices: all, at_least: 0.1, evidence: point}]\n"
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    return parse_policy(head + slicing + rules)


def frame(**change: Any) -> pd.DataFrame:
    base = {"k": ["a", "b"], "label": [1, 0], "baseline": [1, 0], "candidate": [1, 1], "n": [3, 2]}
    return pd.DataFrame(base | change)


CELL = st.tuples(st.sampled_from("ab"), *[st.integers(0, 1)] * 3, st.integers(0, 9))


@pytest.mark.slow
@given(rows=st.lists(CELL, min_size=1, max_size=30))
@settings(max_examples=times(16, thorough=100))
def test_rows_may_repeat_and_be_zero_and_overall_is_their_sum(rows: list[Any]) -> None:
    columns = ["k", "label", "baseline", "candidate", "n"]
    expected: dict[str, list[int]] = {"overall": [0] * 8}
    for k, label, baseline, candidate, n in rows:
        for name in ("overall", *([f"k={k}"] if n else [])):
            cells = expected.setdefault(name, [0] * 8)
            cells[4 * label + 2 * baseline + candidate] += n
    counts = pd.DataFrame(rows, columns=columns)
    if not counts["n"].sum():
        with pytest.raises(TableError, match="no rows to judge"):
            prunegate.judge_counts(policy(), counts)
        return
    verdict = prunegate.judge_counts(policy(), counts)
    assert {s.name: list(s.cells) for s in verdict.slices} == expected


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": [2, 0]}, "row 1: label is 2; it must be 1 or 0"),
        ({"baseline": [1, None]}, "row 2: baseline is empty"),
        (
            {"candidate": [3.0, 7.0], "n": [-3.0, 1.5]},
            (
                "row 1: candidate is 3; it must be 1 or 0, n is -3; it must be a whole number from "
                "0 to 1,000,000,000,000\n  row 2: candidate is 7; it must be 1 or 0, n is 1.5"
            ),
        ),
        ({"candidate": ["1", "0"]}, "candidate is '1'; it must be 1 or 0"),
        ({"n": [-1, 2]}, "n is -1; it must be a whole number"),
        ({"n": [1.5, 2.0]}, "n is 1.5"),
        ({"n": [np.nan, 2.0]}, "n is empty"),
        ({"n": [np.inf, 2.0]}, "n is inf"),
        ({"n": [True, True]}, "n is True"),
        ({"n": ["3", "2"]}, "n is '3'"),
        ({"n": [0, 0]}, "there are no rows to judge"),
    ],
)
def test_wrong_values_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(TableError) as caught:
        prunegate.judge_counts(policy(), frame(**change))
    assert words in str(caught.value)


@pytest.mark.parametrize("column", ["k", "label", "baseline", "candidate", "n"])
def test_every_column_is_needed(column: str) -> None:
    with pytest.raises(TableError, match=f"lack the column.s. {column}"):
        prunegate.judge_counts(policy(), frame().drop(columns=column))


@pytest.mark.parametrize("thing", [None, 3, {"n": [1]}, "counts.csv", [1, 2]])
def test_what_is_no_frame_is_refused(thing: Any) -> None:
    with pytest.raises(InputError, match="must be a data frame"):
        prunegate.judge_counts(policy(), thing)


def test_flags_floats_and_decimals_count_like_integers() -> None:
    expected = prunegate.judge_counts(policy(), frame())
    flags = frame(label=[True, False], baseline=[1.0, 0.0], n=[3.0, 2.0])
    assert prunegate.judge_counts(policy(), flags) == expected
    assert prunegate.judge_counts(policy(), frame(n=[Decimal(3), Decimal(2)])) == expected
    assert prunegate.judge_counts(policy(), pl.from_pandas(frame()).lazy()) == expected


def test_the_sum_of_a_duckdb_query_counts() -> None:
    with duckdb.connect() as connection:
        counts = connection.sql(
            "SELECT k, label, baseline, candidate, sum(n) AS n FROM (VALUES "
            "('a', 1, 1, 1, 1), ('a', 1, 1, 1, 2), ('b', 0, 0, 1, 2)) "
            "t(k, label, baseline, candidate, n) GROUP BY ALL"
        )
        assert prunegate.judge_counts(policy(), counts) == prunegate.judge_counts(policy(), frame())


def test_identical_decisions_are_judged_with_a_warning() -> None:
    same = prunegate.judge_counts(policy(), frame(candidate=[1, 0]))
    assert same.outcome == "approve"
    assert "agree exactly on all 5 rows" in same.warnings[0]
    other = prunegate.judge_counts(policy(), frame())
    assert not any("agree exactly" in warning for warning in other.warnings)
