"""Uniqueness: exact, whichever way it is computed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.data.predictions import uniqueness
from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.uniqueness import duplicate_ids

ids = st.lists(st.none() | st.sampled_from("abcdefghij"), min_size=1, max_size=12)


@pytest.mark.slow
@pytest.mark.parametrize("hashed_rows", [0, 1000, 3], ids=["counted", "hashed", "in shares"])
@given(values=ids)
@settings(max_examples=25, deadline=None)
def test_it_agrees_with_counting_by_hand(hashed_rows: int, values: list[Any]) -> None:
    before, uniqueness.HASHED_ROWS = uniqueness.HASHED_ROWS, hashed_rows
    try:
        table = pa.table({"id": pa.array(values, pa.string())})
        found = duplicate_ids(open_table(table, ["id"]), "id")
    finally:
        uniqueness.HASHED_ROWS = before
    present = [value for value in values if value is not None]
    repeated = sorted(value for value, times in Counter(present).items() if times > 1)
    assert found.rows == len(values)
    assert found.missing == len(values) - len(present)
    assert found.surplus == len(present) - len(set(present))
    assert list(found.examples) == repeated[:5]
    assert found.unique == (not found.missing and not repeated)


def test_whole_numbers_and_text_are_ids() -> None:
    table = open_table(pa.table({"id": [1, 2, 2], "name": ["1", "01", "1.0"]}), ["id", "name"])
    assert duplicate_ids(table, "id").examples == ("2",)
    assert duplicate_ids(table, "name").unique


def test_whole_numbers_handed_over_as_text_are_the_same_ids() -> None:
    for values in ([3, -1, 2**62], [7, 7, 8]):
        table = open_table(pa.table({"id": values}), ["id"], text_columns=["id"])
        assert duplicate_ids(table, "id").unique == (len(set(values)) == 3)


def test_colliding_hashes_do_not_make_ids_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uniqueness, "_differ", lambda *_: False)
    assert duplicate_ids(open_table(pa.table({"id": ["a", "b"]}), ["id"]), "id").unique
