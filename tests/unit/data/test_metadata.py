"""Metadata: names from the header alone, and the columns that sort rows into a few kinds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from prunegate.data.predictions.metadata import MOST_VALUES, column_names, few_valued
from prunegate.errors import TableError

FRAME = pd.DataFrame(
    {
        "id": [f"r{n}" for n in range(60)],
        "two": ["a", "b"] * 30,
        "three": [1, 2, 3] * 20,
        "gaps": [None, "x"] * 30,
        "same": ["s"] * 60,
        "many": [n % (MOST_VALUES + 1) for n in range(60)],
        "twenty": [n % MOST_VALUES for n in range(60)],
    }
)
NAMES = tuple(FRAME.columns)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet", "t.arrow"])
def test_names_are_those_of_the_file_in_its_order(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix in (".csv", ".tsv"):
        FRAME.to_csv(path, index=False, sep=";" if path.suffix == ".csv" else "\t")
    elif path.suffix == ".parquet":
        FRAME.to_parquet(path)
    else:
        FRAME.to_feather(path)
    assert column_names(path, ("id", "two")) == NAMES


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no such file"):
        column_names(tmp_path / "none.csv", ("id",))


def test_columns_with_few_values_come_back_by_id_fewest_first() -> None:
    found = few_valued(FRAME, "id", NAMES[1:], most=9)
    assert list(found) == ["two", "gaps", "three", "twenty"]
    assert found["two"]["r1"] == "b"
    assert found["gaps"]["r0"] is None
    assert found["three"]["r3"] == "1"
    assert all(len(by_id) == 60 for by_id in found.values())
    assert list(few_valued(FRAME, "id", NAMES[1:], most=1)) == ["two"]
