"""Texts that leave the engine as numbers: the same rows as texts that leave it as they are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.data.predictions import coded_texts
from prunegate.data.predictions.coded_texts import MOST_CODED, rows_with_codes
from prunegate.errors import TableError

TEXTS = st.sampled_from(["a", "é", "é", "b" * 30, " ", "\x00", "ÿ", "𝔘", ""])
ROWS = st.lists(st.tuples(TEXTS, st.none() | TEXTS, st.integers(0, 9)), min_size=1, max_size=30)


def read(rows: pd.DataFrame, where: str | None = None) -> pa.Table:
    with duckdb.connect(config={"threads": 1}) as connection:
        relation = connection.from_df(rows)
        cells = ["nfc_normalize(one)", "nfc_normalize(other)", "number"]
        return rows_with_codes(relation, cells, where).read_all()


def as_texts(found: pa.Table) -> Counter[tuple[object, ...]]:
    return Counter(zip(*(column.to_pylist() for column in found.columns), strict=True))


@settings(max_examples=times(10, thorough=200), deadline=None)
@given(ROWS, st.sampled_from([None, "number < 5"]))
def test_codes_stand_for_the_very_texts(
    rows: list[tuple[str, str | None, int]], where: str | None
) -> None:
    frame = pd.DataFrame(rows, columns=["one", "other", "number"]).astype({"other": object})
    plain = read(frame, where)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coded_texts, "_SAMPLE", 1)
        coded = read(frame, where)
    assert pa.types.is_dictionary(coded["one"].type)
    complete = not any(row[1] is None for row in rows)
    assert pa.types.is_dictionary(coded["other"].type) == complete
    assert as_texts(coded) == as_texts(plain)


@pytest.mark.parametrize("texts", [MOST_CODED, MOST_CODED + 1])
def test_many_different_texts_are_handed_over_as_they_are(
    texts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coded_texts, "_SAMPLE", MOST_CODED)
    frame = pd.DataFrame({"one": [f"text {i}" for i in range(texts)]}).assign(other="x", number=1)
    found = read(frame)
    assert pa.types.is_dictionary(found["one"].type) == (texts <= MOST_CODED)
    both = pa.concat_tables([found, found]).unify_dictionaries().combine_chunks()  # as parts are
    assert Counter(both["one"].to_pylist()) == Counter([*frame["one"], *frame["one"]])


def test_a_text_that_was_not_there_before_means_that_the_table_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(coded_texts, "_SAMPLE", 1)
    numbered: Any = coded_texts._code

    def of_an_earlier_state(rows: Any, name: str, cell: str) -> Any:
        return numbered(rows.filter("one <> 'b'"), name, cell)

    monkeypatch.setattr(coded_texts, "_code", of_an_earlier_state)
    with pytest.raises(TableError, match="changed while it was read"):
        read(pd.DataFrame({"one": ["a", "b", "a"], "other": "x", "number": 1}))
