"""Keys of numbers and times, put into intervals; and keys with too many values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.counting.files_of_others import as_csv, frame, policy, refused

import prunegate
from prunegate.counting.count import open_predictions
from prunegate.data.predictions.many_values import MOST
from prunegate.errors import PolicyError
from prunegate.verdict.finding import Verdict

pytestmark = pytest.mark.slow


def names(verdict: Verdict) -> list[str]:
    return [one.name for one in verdict.slices]


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
