"""Hostile tables: each is refused with one message that says what to do, and nothing is guessed."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from tests.depth import times

from prunegate.audit.prediction_metadata import read_notes
from prunegate.data.predictions.open_table import open_table
from prunegate.errors import TableError

pytestmark = pytest.mark.slow


def read(source: Any, columns: tuple[str, ...]) -> None:
    table = open_table(source, columns)
    with table.reading():
        table.frame.collect()


def refused(source: Any, *columns: str) -> str:
    """The message; opening and reading must raise nothing but a TableError."""
    with pytest.raises(TableError) as caught:
        read(source, columns or ("id",))
    assert caught.value.exit_code == 2
    assert len(str(caught.value)) < 2000
    return str(caught.value)


CSV = {
    "ragged: short": (b"id,label\n1,2\n3\n", "line 3: expected 2 columns, found 1"),
    "ragged: long": (b"id,label\n1,2\n3,4,5\n", "line 3: expected 2 columns, found 3"),
    "ragged: only the id is read": (b"id,a,b\n1,2,3\n4,5\n", "expected 3 columns, found 2"),
    "open quote": (b'id,label\n1,"2\n', "quoted cell does not end"),
    "two kinds of line ends": (
        b"id,label\r\n" + b"1,2\r\n" * 50 + b"3,4\n5,6\n",
        "lines end in different ways",
    ),
    "not utf-8": (b"id,label\n\xff,2\n", "not UTF-8"),
    "not utf-8 header": (b"id,\xff\n1,2\n", "not UTF-8"),
    "utf-16": ("id,label\n1,2\n".encode("utf-16"), "not UTF-8"),
    "doubled column": (b"id,id\n1,2\n", "cannot be told apart: 'id' and 'id'"),
    "case clash": (b"id,ID\n1,2\n", "'id' and 'ID'"),
    "nfc clash": ("id,\u00e9,e\u0301\n1,2,3\n".encode(), "cannot be told apart"),
    "other case": (b"ID\n1\n", "did you mean 'ID'?"),
    "near name": (b"idd,label\n1,2\n", "did you mean 'idd'?"),
    "missing": (b"label\n1\n", "missing column:\n  'id'"),
    "no rows": (b"id,label\n", "no rows"),
    "empty": (b"", "empty"),
    "blank header": (b"\nid\n1\n", "first line is empty"),
    "a program": (b"\x7fELF\x02\x01\x01\x00" + bytes(64), "not UTF-8 text"),
}


@pytest.mark.parametrize("case", CSV)
def test_malformed_csv(case: str, tmp_path: Path) -> None:
    content, words = CSV[case]
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert words in refused(path)


def test_hostile_column_names_are_shown_inert(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\u202eevil\x1b[31m\nx\n", encoding="utf-8")
    message = refused(path)
    assert "\u202e" not in message
    assert "\x1b" not in message


def test_sql_in_names_and_values_is_data(tmp_path: Path) -> None:
    name = 'x"; DROP TABLE rows_of_csv; --'
    folder = tmp_path / "o'clock; --"
    folder.mkdir()
    path = folder / "it's [1]*?.csv"
    (folder / "it's 1abc.csv").write_text("not,meant\n")
    path.write_text(f'"{name.replace(chr(34), chr(34) * 2)}"\n\'; DROP TABLE rows_of_csv; --\n')
    found = open_table(path, [name], numeric_columns=[name]).frame.collect()
    assert found[name].to_list() == ["'; DROP TABLE rows_of_csv; --"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_existing_name_is_meant_literally(suffix: str, tmp_path: Path) -> None:
    for name in ("a[1]", "a1", "a*", "ab"):
        frame = pd.DataFrame({"id": [name]})
        path = tmp_path / f"{name}.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    for name in ("a[1]", "a*"):
        found = open_table(str(tmp_path / f"{name}.{suffix}"), ["id"]).frame.collect()
        assert found["id"].to_list() == [name]


@pytest.mark.parametrize(
    "address", ["https://example.com/t.parquet", "s3://bucket/t.parquet", "file:///etc/t.csv"]
)
def test_addresses_are_never_fetched(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "socket", no_network)
    assert "addresses are not read" in refused(address)


def test_things_that_are_no_files(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "not a regular file" in refused(pipe)
    assert "not a regular file" in refused("/dev/zero")
    assert "cannot be read" in refused(tmp_path / "link.csv")
    assert "a folder" in refused(tmp_path / "folder.csv")
    assert "no such file" in refused(tmp_path / "none.csv")
    assert "no file matches" in refused(str(tmp_path / "none-*.csv"))
    assert "NUL" in refused("a\x00b.csv")
    assert "no table was given" in refused([])


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id\n1\n")
    path.chmod(0)
    assert "permission denied" in refused(path)


def test_unknown_and_mixed_formats(tmp_path: Path) -> None:
    for name in ("t.xlsx", "t.csv", "t.parquet", "t.csv.gz", "t.parquet.gz", "t.gz"):
        (tmp_path / name).write_bytes(b"id\n1\n")
    assert "unknown kind of table '.xlsx'" in refused(tmp_path / "t.xlsx")
    assert "unknown kind of table '.gz'" in refused(tmp_path / "t.gz")
    assert "unknown kind of table '.parquet.gz'" in refused(tmp_path / "t.parquet.gz")
    assert "cannot be unpacked" in refused(tmp_path / "t.csv.gz")
    assert "different formats" in refused([tmp_path / "t.csv", tmp_path / "t.parquet"])
    assert "not a whole Parquet file" in refused(tmp_path / "t.parquet")


def test_a_file_given_twice_would_count_double(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id\n1\n")
    (tmp_path / "again.csv").symlink_to(path)
    assert "given twice" in refused(str(tmp_path / "*.csv"))


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_truncated_parquet_file(share: float, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"id": np.arange(1000)}).to_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "not a whole Parquet file" in refused(path)


def test_damage_inside_a_parquet_file_is_found_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"id": [f"row {i}" for i in range(5000)]}).to_parquet(path)
    content = bytearray(path.read_bytes())
    content[20:400] = bytes(380)
    path.write_bytes(content)
    assert "t.parquet" in refused(path)


@pytest.mark.parametrize(
    "content", [b"ARROW1\x00\x00 and no more", b"\xff\xff\xff\xff\x10", b"junk"]
)
def test_a_truncated_arrow_file(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.arrow"
    path.write_bytes(content)
    assert "not a whole Arrow file" in refused(path)


def test_a_truncated_arrow_stream(tmp_path: Path) -> None:
    path = tmp_path / "t.arrow"
    table = pa.table({"id": list(range(5000))})
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)
    path.write_bytes(path.read_bytes()[:3000])
    refused(path)


@pytest.mark.parametrize(
    "other",
    [{"id": [0.7], "label": [1]}, {"id": [1]}, {"id": [1], "label": [1], "more": [1]}],
    ids=["type", "fewer", "more"],
)
def test_files_of_one_table_have_to_agree(other: dict[str, list[Any]], tmp_path: Path) -> None:
    pd.DataFrame({"id": [1], "label": [1]}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame(other).to_parquet(tmp_path / "b.parquet")
    assert "differs" in refused(str(tmp_path / "*.parquet"))


def test_csv_files_of_one_table_have_to_agree(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,label\n1,0\n")
    (tmp_path / "b.csv").write_text("label,id\n0,2\n")
    assert "columns differ" in refused(str(tmp_path / "*.csv"))


@pytest.mark.parametrize(
    "values", [[1, "a"], ["a", 1], [True, "x"], [1, True], [b"x", "y"], [{"a": 1}, 2]]
)
def test_object_columns_of_mixed_types(values: list[Any]) -> None:
    frame = pd.DataFrame({"id": pd.Series(values, dtype=object)})
    message = refused(frame)
    assert "mixes values" in message or "holds" in message


@pytest.mark.parametrize(
    "values", [[[1], [2]], [{"a": 1}, {"a": 2}], [b"a", b"b"]], ids=["list", "struct", "bytes"]
)
def test_nested_and_binary_columns(values: list[Any]) -> None:
    assert "one value per row" in refused(pa.table({"id": values}))


def test_clashing_and_missing_columns_of_frames() -> None:
    assert "told apart" in refused(pd.DataFrame([[1, 2]], columns=["id", "id"]))
    assert "told apart" in refused(pa.table([[1], [2]], names=["id", "Id"]))
    assert "missing column" in refused(pl.DataFrame({"x": [1]}))
    assert "no rows" in refused(pd.DataFrame({"id": []}))
    assert "no rows" in refused(pl.LazyFrame({"id": []}))


@pytest.mark.parametrize("source", [None, 3, {"id": [1]}, [1, 2], np.zeros((2, 2)), b"t.csv"])
def test_things_that_are_no_table(source: Any) -> None:
    assert "is not a table" in refused(source)


def test_polars_objects_and_queries_that_fail(tmp_path: Path) -> None:
    assert "one value per row" in refused(pl.DataFrame({"id": [object()]}))
    broken = pl.LazyFrame({"id": ["x"]}).with_columns(pl.col("id").cast(pl.Int64))
    assert "cannot be computed" in refused(broken)


def test_a_clash_in_a_parquet_schema(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pa.table([[1], [2]], names=["id", "ID"]), path)
    assert "told apart" in refused(path)


def test_no_byte_of_a_parquet_footer_can_break_more_than_its_file(tmp_path: Path) -> None:
    """A table, or one clear error, never another one; names that are no UTF-8 among the damage."""
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pa.table({"id": [1, 2], "key": ["a", "b"]}), path)
    whole = path.read_bytes()
    begin = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    step = times(40, thorough=1)
    for place in (whole.rindex(b"key"), *range(begin, len(whole), step)):
        for damage in (0xC3, whole[place] ^ 0x01):
            path.write_bytes(whole[:place] + bytes([damage]) + whole[place + 1 :])
            with contextlib.suppress(TableError):
                read(path, ("id",))
            read_notes(path)
