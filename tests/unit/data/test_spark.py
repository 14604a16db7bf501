"""Spark: the same table as DuckDB gives, whether Spark gets a frame or reads files itself."""

from __future__ import annotations

import datetime as dt
import gzip
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.depth import THOROUGH, times

from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.spark_files import SparkFiles
from prunegate.data.predictions.spark_session import spark_session
from prunegate.data.predictions.table import Table
from prunegate.data.predictions.uniqueness import duplicate_ids
from prunegate.errors import InputError, TableError

pytestmark = [
    pytest.mark.slow,
    # Spark says so whenever it gets an Arrow table; no pandas is involved here.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
]
few = settings(
    max_examples=times(2, thorough=12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def rows(table: Table) -> list[dict[str, Any]]:
    with table.reading():
        found = table.frame.collect().rows(named=True)
    return sorted(found, key=repr)


def same(left: Table, right: Table) -> None:
    assert repr(rows(left)) == repr(rows(right))  # repr: NaN is NaN
    assert dict(left.kinds) == dict(right.kinds)
    assert left.rows_hint == right.rows_hint


TYPED = {
    "whole": pa.array([1, -2, None], pa.int32()),
    "long": pa.array([2**60, 0, None], pa.int64()),
    "float": pa.array([0.7, float("nan"), None], pa.float32()),
    "double": pa.array([1.0, float("inf"), None], pa.float64()),
    "decimal": pa.array([Decimal("0.50"), Decimal("-2.00"), None], pa.decimal128(9, 2)),
    "flag": pa.array([True, False, None]),
    "text": pa.array(["1.0", "", None]),
    "day": pa.array([dt.date(2026, 1, 2), None, None]),
    "moment": pa.array([dt.datetime(2026, 1, 2, 3, 4, 5), None, None], pa.timestamp("us")),
    "odd ' name\n": pa.array(["x", "y", "z"]),
}


@pytest.mark.parametrize("as_text", [(), tuple(TYPED)], ids=["typed", "text"])
def test_every_type_is_handed_over_as_duckdb_hands_it_over(
    spark: Any, as_text: tuple[str, ...]
) -> None:
    table = pa.table(TYPED)
    frame = spark.createDataFrame(table)
    columns = list(TYPED)
    found = open_table(frame, columns, text_columns=as_text)
    same(found, open_table(table, columns, text_columns=as_text))
    assert (found.name, found.files) == ("pyspark DataFrame", ())


@given(
    values=st.lists(st.none() | st.floats(-1e16, 1e16) | st.integers(-9, 9).map(float), min_size=9)
)
@settings(few, max_examples=times(3, thorough=30))
def test_numbers_have_the_text_that_python_gives_them(spark: Any, values: list[Any]) -> None:
    values = [*values, 0.5, -0.0, 1e-4, 9.9e-5, 1e15, 123456789.125, float("nan"), float("-inf")]
    schema = pa.schema({"key": pa.float64()})
    frame = spark.createDataFrame(pa.table({"key": values}, schema=schema))
    found = rows(open_table(frame, ["key"], text_columns=["key"]))
    wanted = [
        None
        if value is None or value != value  # noqa: PLR0124  # NaN
        else str(int(value))
        if value == value // 1 and abs(value) < 1e15
        else repr(value)
        for value in values
    ]
    assert Counter(row["key"] for row in found) == Counter(wanted)


@pytest.mark.parametrize("text", [(), ("bad",)], ids=["typed", "as text"])
@pytest.mark.parametrize("value", [[1], {"a": 1}, b"x"], ids=["list", "struct", "bytes"])
def test_what_is_no_single_value_is_refused(spark: Any, value: Any, text: tuple[str, ...]) -> None:
    table = pa.table({"bad": [value]})
    words = "column 'bad' holds .* values; give text, numbers or booleans"
    for source in (table, spark.createDataFrame(table)):
        with pytest.raises(TableError, match=words):
            open_table(source, ["bad"], text_columns=text)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["id", "ID"], "columns that cannot be told apart: 'id' and 'ID'"),
        (["other"], "missing column:\n  'id'"),
        (["id", "a.b"], "rename the column"),
    ],
)
def test_columns_that_do_not_do_are_refused(spark: Any, columns: list[str], words: str) -> None:
    frame = spark.createDataFrame(pa.table([pa.array(["x"]) for _ in columns], names=columns))
    with pytest.raises(TableError) as caught:
        open_table(frame, ["id", *(column for column in columns if "." in column)])
    assert words in str(caught.value)


def test_a_collation_does_not_merge_keys(spark: Any) -> None:
    frame = spark.sql("SELECT k COLLATE UTF8_LCASE AS k FROM VALUES ('a'), ('A') AS t(k)")
    table = open_table(frame, ["k"])
    assert table.frame.unique().collect().rows() in ([("a",), ("A",)], [("A",), ("a",)])


@given(values=st.lists(st.none() | st.sampled_from("abcde"), min_size=1, max_size=9))
@few
def test_ids_are_counted_as_by_hand(spark: Any, values: list[Any]) -> None:
    frame = spark.createDataFrame(pa.table({"id": pa.array(values, pa.string())}))
    found = duplicate_ids(open_table(frame, ["id"]), "id")
    seen = Counter(value for value in values if value is not None)
    assert (found.rows, found.missing) == (len(values), values.count(None))
    assert found.surplus == seen.total() - len(seen)
    assert list(found.examples) == sorted(value for value, n in seen.items() if n > 1)[:5]


def test_an_error_while_counting_is_one_line(spark: Any, capfd: pytest.CaptureFixture[str]) -> None:
    frame = spark.range(5).selectExpr("id", "if(id = 3, raise_error('boom\nmore'), 'x') AS label")
    with pytest.raises(TableError) as caught:
        rows(open_table(frame, ["id", "label"]))
    assert str(caught.value) == (
        "pyspark DataFrame: Spark cannot read it (boom); correct the table or the query behind it."
    )
    assert not any(capfd.readouterr())


def csv(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def both(spark: Any, path: Path, columns: list[str], numeric: list[str]) -> None:
    found = open_table(
        SparkFiles(session=spark, paths=(str(path),)), columns, numeric_columns=numeric
    )
    same(found, open_table(path, columns, numeric_columns=numeric))
    assert found.files == (path,)


NUMBERS = {
    "whole": ["1", "0"],
    "padded": ["01", " 2\t"],
    "fraction": ["0.5", "1"],
    "power": ["1e-3", ".5", "5.", "+1E2"],
    "long": ["9007199254740993", "1"],
    "too long": ["12345678901234567890", "1"],
    "NA": ["1", "NA"],
    "underscore": ["1_000", "2"],
    "hexadecimal": ["0x10", "2"],
    "Java's double": ["1d", "2f"],
    "special": ["nan", "-inf", "Infinity", "1"],
    "all missing": ["", ""],
    "some missing": ["1", ""],
}


def test_a_csv_column_is_a_number_for_spark_when_it_is_one_for_duckdb(
    spark: Any, tmp_path: Path
) -> None:
    """All the columns in one table: rows that a column does not fill repeat its first cell."""
    width = max(map(len, NUMBERS.values()))
    columns = {name: (cells * width)[:width] for name, cells in NUMBERS.items()}
    pd.DataFrame({"id": [f"{i:02}" for i in range(width)], **columns}).to_csv(
        tmp_path / "t.csv", index=False
    )
    both(spark, tmp_path / "t.csv", ["id", *columns], list(columns))


def test_flags_of_a_csv_are_texts_for_spark(spark: Any, tmp_path: Path) -> None:
    """DuckDB reads booleans there; the one spelling of a value is not known to Spark."""
    path = tmp_path / "t.csv"
    path.write_text("id,flag\n1,True\n2,False\n", encoding="utf-8")
    files = SparkFiles(session=spark, paths=(str(path),))
    assert open_table(files, ["id", "flag"], numeric_columns=["flag"]).kinds["flag"] == "text"
    assert open_table(path, ["id", "flag"], numeric_columns=["flag"]).kinds["flag"] == "boolean"


DIALECTS = {
    "plain": "id,text\n1,a\n2,b\n",
    "quotes": 'id,text\r\n1,"a"",;\tb"\r\n2,\r\n3,""\r\n4," x "\r\n5,q""uo\r\n',
    "semicolon": "id;text\n1;a,b\n",
    "tab": "id\ttext\n1\t;,\n",
    "byte order mark": "\ufeffid,text\n1,a\n",
    "index column": ",id,text\n0,1,a\n",
    "lines in a cell": 'id,text\n1,"a\r\nb\n\nc"\n2,x\n',
    "blank line": "id,text\n1,a\n\n2,b\n",
    "no last line end": "id,text\n1,a",
    "odd names": 'id,text,"a.b","c ` d"\n1,x,2,3\n',
    "characters": "id,text\n1,#é\U0001f600\u202e\\\n2,\\N\n",
    "all of a comma": '\ufeffid,text,"a.b","c ` d"\r\n1,"a"",;\tb",x,#é\U0001f600\u202e\\\r\n'
    '2,,,\\N\r\n3,"","",""\r\n\r\n4," x ","a\r\nb\n\nc",\r\n5,q""uo,y,z',
}
DAILY = ("all of a comma", "semicolon", "tab", "index column")
"""The others, each by itself, are for the night: the first of these has all of them."""


@pytest.mark.parametrize("case", DIALECTS if THOROUGH else DAILY)
def test_csv_is_read_as_duckdb_reads_it(spark: Any, tmp_path: Path, case: str) -> None:
    both(spark, csv(tmp_path, DIALECTS[case]), ["id", "text"], [])


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufffd"), min_size=1)


@given(values=st.lists(cells, min_size=1, max_size=20))
@few
def test_any_text_survives_a_csv(spark: Any, tmp_path: Path, values: list[str]) -> None:
    quoted = ['"' + value.replace('"', '""') + '"' for value in values]
    path = csv(tmp_path, "id,n\n" + "".join(f"{cell},1\n" for cell in quoted))
    found = rows(open_table(SparkFiles(session=spark, paths=(str(path),)), ["id"]))
    assert sorted(row["id"] for row in found) == sorted(values)


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "a cell too many": ("id,text\n1,a\n2,b,c\n", "give every row a cell per column"),
    "a cell too few": ("id,text\n1,a\n2\n", "give every row a cell per column"),
    "open quote": ('id,text\n1,a\n2,"b\n3,c\n', "an odd number of quotes"),
    "open quote before others": ('id,text\n"1,a\n2,b\n', "an odd number of quotes"),
    "text behind a quote": ('id,text\n1,a\n2,"b"c\n3,d\n', "close every quote"),
    "latin-1": ("id,text\n1,é\n".encode("latin-1"), "not UTF-8 text"),
    "clashing columns": ("id,text,Id\n1,a,2\n", "'id' and 'Id'"),
    "missing column": ("id,other\n1,a\n", "missing column:\n  'text'"),
    "no rows": ("id,text\n", "there are no rows"),
    "empty first line": (",\n1,a\n", "the first line is empty"),
    "empty": ("", "first line is empty"),
}
ALIKE = ("a cell too few", "open quote before others", "empty")
"""Refused where another of the cases is, in the same way: for the night."""


@pytest.mark.parametrize("case", [case for case in REFUSED if THOROUGH or case not in ALIKE])
def test_a_bad_csv_is_refused(spark: Any, tmp_path: Path, case: str) -> None:
    content, words = REFUSED[case]
    path = tmp_path / "t.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(TableError) as caught:
        open_table(SparkFiles(session=spark, paths=(str(path),)), ["id", "text"])
    message = str(caught.value)
    assert words in message
    assert "java" not in message.lower()
    with pytest.raises(TableError):
        open_table(path, ["id", "text"])


def test_paths_globs_and_folders_are_one_table(spark: Any, tmp_path: Path) -> None:
    folder = tmp_path / "a folder [1]"
    folder.mkdir()
    for part in range(3):
        pd.DataFrame({"id": [str(part)]}).to_parquet(folder / f"part-{part}.parquet")
    (folder / "_SUCCESS").touch()
    expected = sorted(folder.glob("*.parquet"))
    glob = str(tmp_path / "a*" / "part-*.parquet")
    for paths in ((str(folder),), (glob,), tuple(map(str, expected))):
        found = open_table(SparkFiles(session=spark, paths=paths), ["id"])
        assert [row["id"] for row in rows(found)] == ["0", "1", "2"]
        assert list(found.files) == expected


def test_packed_csv_files_are_read(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"id,text\n1,a\n"))
    found = open_table(SparkFiles(session=spark, paths=(str(path),)), ["text"])
    assert rows(found) == [{"text": "a"}]


def _folder(*names: str) -> Callable[[Path], tuple[str, ...]]:
    def make(folder: Path) -> tuple[str, ...]:
        for name in names:
            csv(folder, "id,text\n1,a\n" if "other" not in name else "id,texts\n1,a\n", name)
        return (str(folder),)

    return make


BAD_FILES: dict[str, tuple[Callable[[Path], tuple[str, ...]], str]] = {
    "nothing there": (lambda folder: (str(folder / "no" / "*.csv"),), "check the path"),
    "empty folder": (_folder(), "no files there"),
    "unknown kind": (_folder("t.json"), "tables of kind '.json'"),
    "two formats": (_folder("t.csv", "u.parquet"), "different formats (csv, parquet)"),
    "no Parquet": (_folder("t.parquet"), "is not a Parquet file"),
    "other columns": (_folder("t.csv", "other.csv"), "its columns differ"),
    "unknown file system": (lambda _: ("nosuch://x/t.csv",), "Spark cannot read it"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_files_that_do_not_do_are_refused(spark: Any, tmp_path: Path, case: str) -> None:
    make, words = BAD_FILES[case]
    source = SparkFiles(session=spark, paths=make(tmp_path))
    with pytest.raises(TableError) as caught:
        open_table(source, ["id"])
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_files_elsewhere_have_no_local_path(spark: Any, tmp_path: Path) -> None:
    """Hadoop's raw local file system stands for a remote one: another scheme, the same files."""
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    hadoop.set("fs.elsewhere.impl", "org.apache.hadoop.fs.viewfs.ViewFileSystem")
    hadoop.set("fs.viewfs.mounttable.elsewhere.link./data", tmp_path.as_uri())
    csv(tmp_path, "id,text\n1,a\n")
    found = open_table(
        SparkFiles(session=spark, paths=("viewfs://elsewhere/data/t.csv",)), ["text"]
    )
    assert rows(found) == [{"text": "a"}]
    assert found.files == ()
    assert found.name == "viewfs://elsewhere/data/t.csv"


def test_a_session_of_our_own_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of Java, which is started once: whoever is asked for a session notes its end."""
    started = type("Started", (), {"stopped": 0, "stop": lambda self: vars(self).update(stopped=1)})
    monkeypatch.setattr("pyspark.sql.SparkSession.getActiveSession", lambda: None)
    monkeypatch.setattr("pyspark.sql.SparkSession.Builder.getOrCreate", lambda _: started())
    with spark_session() as one:
        assert not one.stopped
    assert one.stopped
    with pytest.raises(InputError), spark_session() as other:
        raise InputError("in between")
    assert other.stopped
