"""Tables: every source gives the same columns, and nothing but the columns asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.data.predictions.engine import connect
from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.table import Table
from prunegate.errors import TableError

pytestmark = pytest.mark.slow

COLUMNS = ("id", "label", "baseline", "channel")


def rows(table: Table) -> dict[str, list[Any]]:
    with table.reading():
        frame = table.frame.sort(next(iter(table.kinds)), nulls_last=True).collect()
    return {name: frame[name].to_list() for name in frame.columns}


def example() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unused": [[1], [2], [3]],
            "id": ["01", "2", "NA"],
            "label": [1, 0, 1],
            "baseline": [0.5, 0.25, 1.0],
            "channel": ["ugc", "None", "a,b"],
        }
    )


EXPECTED = {
    "id": ["01", "2", "NA"],
    "label": [1, 0, 1],
    "baseline": [0.5, 0.25, 1.0],
    "channel": ["ugc", "None", "a,b"],
}


def as_file(kind: str, folder: Path) -> Path:
    frame, path = example(), folder / f"table.{kind}"
    if kind == "csv":
        frame.drop(columns="unused").to_csv(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    elif kind == "feather":
        pyarrow.feather.write_feather(frame, path)
    else:
        table = pa.Table.from_pandas(frame)
        with pa.ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table)
    return path


def as_frame(kind: str) -> Any:
    frame = example()
    if kind == "polars":
        return pl.from_pandas(frame)
    if kind == "polars-lazy":
        return pl.from_pandas(frame).lazy()
    if kind == "arrow":
        return pa.Table.from_pandas(frame)
    return frame if kind == "pandas" else duckdb.connect().from_arrow(pa.Table.from_pandas(frame))


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather", "arrow"])
def test_every_file_format_gives_the_same_table(kind: str, tmp_path: Path) -> None:
    table = open_table(as_file(kind, tmp_path), COLUMNS, numeric_columns=("label", "baseline"))
    assert rows(table) == EXPECTED
    assert table.rows_hint == 3
    assert [path.name for path in table.files] == [f"table.{kind}"]


@pytest.mark.parametrize("kind", ["pandas", "polars", "polars-lazy", "arrow", "duckdb"])
def test_every_frame_gives_the_same_table(kind: str) -> None:
    table = open_table(as_frame(kind), COLUMNS)
    assert rows(table) == EXPECTED
    assert table.files == ()
    assert dict(table.kinds) == {
        "id": "text",
        "label": "number",
        "baseline": "number",
        "channel": "text",
    }


def test_only_the_columns_asked_for_are_read() -> None:
    assert open_table(example(), ["id", "id"]).frame.collect_schema().names() == ["id"]


def test_pandas_types_are_understood() -> None:
    frame = pd.DataFrame(
        {
            "category": pd.Categorical(["a", "b", "a"]),
            "string": pd.array(["a", None, "c"], dtype="string"),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "arrow": pd.array([1.5, 2.5, None], dtype="double[pyarrow]"),
            "flag": [True, False, True],
            "object": pd.Series(["x", "y", None], dtype=object),
            "day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]),
        }
    )
    table = open_table(frame, list(frame.columns))
    assert list(table.kinds.values()) == [
        "text",
        "text",
        "number",
        "number",
        "boolean",
        "text",
        "text",
    ]
    assert rows(open_table(frame, ["nullable"])) == {"nullable": [1, 3, None]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_a_score_that_is_no_number_stays_visible(make: Any) -> None:
    found = rows(open_table(make({"score": np.array([0.5, np.nan])}), ["score"]))["score"]
    assert sum(value is None or np.isnan(value) for value in found) == 1


def test_float32_scores_compare_as_the_numbers_they_are() -> None:
    table = open_table(pa.table({"score": pa.array([0.7], pa.float32())}), ["score"])
    assert rows(table)["score"] == [float(np.float32(0.7))]


def test_text_columns_are_text_whatever_the_source_holds() -> None:
    frame = pd.DataFrame({"key": [1.0, 2.5, np.nan], "flag": [True, False, True]})
    table = open_table(frame, ["key", "flag"], text_columns=["key", "flag"])
    found = table.frame.collect()
    assert sorted(found["key"].to_list(), key=str) == ["1", "2.5", None]
    assert set(found["flag"].to_list()) == {"true", "false"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "0"], [0, 1]),
        (["01", "2"], [1, 2]),
        (["0.5", "1"], [0.5, 1.0]),
        (["1e-3", ".5"], [0.001, 0.5]),
        (["9007199254740993", "1"], [1, 9007199254740993]),
        (["1", "NA"], ["1", "NA"]),
        (["1_000", "2"], ["1_000", "2"]),
        (["0x10", "2"], ["0x10", "2"]),
        (["True", "False"], [False, True]),
        (["True", "false", "no"], ["True", "false", "no"]),
        (["True", "true"], ["True", "true"]),
    ],
)
def test_a_csv_column_is_numeric_only_if_all_of_it_is(
    cells: list[str], expected: list[Any], tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("label,id\n" + "".join(f"{cell},x\n" for cell in cells))
    assert rows(open_table(path, ["label"], numeric_columns=["label"])) == {"label": expected}


def test_csv_text_is_never_made_a_number_unasked(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id\n01\n2\n")
    assert rows(open_table(path, ["id"])) == {"id": ["01", "2"]}


def test_quoted_names_are_names_under_their_own_delimiter(tmp_path: Path) -> None:
    """As pyarrow and R write them: under a semicolon the quotes would be out of place."""
    path = tmp_path / "t.csv"
    path.write_text('"id","p, q"\n"a",0.5\n')
    table = open_table(path, ("id", "p, q"), numeric_columns=("p, q",))
    with table.reading():
        assert table.frame.collect().rows() == [("a", 0.5)]
    path.write_text('"id"x,"p"\n"a",0.5\n')
    with pytest.raises(TableError, match="the header cannot be read"):
        open_table(path, ("id",))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_csv_dialects(delimiter: str, end: str, bom: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = [["id", "text"], ["1", '"a"",;\tb"'], ["2", ""]]
    path.write_text(bom + "".join(delimiter.join(cells) + end for cells in lines), newline="")
    assert rows(open_table(path, ["id", "text"])) == {"id": ["1", "2"], "text": ['a",;\tb', None]}


def test_periods_and_sparse_values_of_pandas_are_what_a_file_of_them_holds(tmp_path: Path) -> None:
    months = pd.PeriodIndex(["2026-01", "2025-12", None], freq="M")
    scores = pd.arrays.SparseArray([0.0, 0.5, 0.0])
    frame = pd.DataFrame({"id": list("abc"), "month": months, "score": scores})
    frame.to_csv(tmp_path / "t.csv", index=False)
    wanted = ["id", "month", "score"]
    found = rows(open_table(frame, wanted))
    assert found == rows(open_table(tmp_path / "t.csv", wanted, numeric_columns=["score"]))
    assert found["month"] == ["2026-01", "2025-12", None]


def test_a_file_without_rows_or_packed_unseen_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("\n")  # as pandas writes no rows
    with pytest.raises(TableError, match="there are no rows"):
        open_table(tmp_path / "t.jsonl", ["id"])
    example().to_csv(tmp_path / "t.csv", compression="gzip")
    with pytest.raises(TableError, match=r"it is packed, so name it t\.csv\.gz"):
        open_table(tmp_path / "t.csv", ["id"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_names_in_quotes_have_any_delimiter(delimiter: str, tmp_path: Path) -> None:
    """As pyarrow writes them, hence ``predict``."""
    path = tmp_path / "t.csv"
    path.write_text(f'"id"{delimiter}"score"\n"1"{delimiter}0.5\n')
    assert rows(open_table(path, ["id", "score"])) == {"id": ["1"], "score": ["0.5"]}
    path.write_text('"id"x,"score"\n1,2\n')
    with pytest.raises(TableError, match="the header cannot be read"):
        open_table(path, ["id", "score"])


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)


@given(values=st.lists(cells, min_size=1, max_size=5))
@settings(
    max_examples=times(16, thorough=100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_text_survives_a_csv(values: list[str], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    quoted = ['"' + value.replace('"', '""') + '"' for value in values]
    path.write_text(
        "id,n\n" + "".join(f"{cell},1\n" for cell in quoted), newline="", encoding="utf-8"
    )
    assert sorted(rows(open_table(path, ["id"]))["id"]) == sorted(values)


@given(name=cells)
@settings(max_examples=30, deadline=None)
def test_any_column_name_is_safe(name: str) -> None:
    table = open_table(pa.table({name: ["x"]}), [name])
    assert table.frame.collect()[name].to_list() == ["x"]


def test_several_files_and_globs_are_one_table(tmp_path: Path) -> None:
    for part in range(3):
        pd.DataFrame({"id": [str(part)]}).to_parquet(tmp_path / f"part-{part}.parquet")
    expected = {"id": ["0", "1", "2"]}
    assert rows(open_table(str(tmp_path / "part-*.parquet"), ["id"])) == expected
    assert rows(open_table(sorted(tmp_path.iterdir()), ["id"])) == expected


def test_several_csv_files_become_numbers_together(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("label\n1\n")
    (tmp_path / "b.csv").write_text("label\nyes\n")
    table = open_table(str(tmp_path / "*.csv"), ["label"], numeric_columns=["label"])
    assert rows(table) == {"label": ["1", "yes"]}


def test_a_partition_folder_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "channel=ugc"
    folder.mkdir()
    pd.DataFrame({"id": ["1"]}).to_parquet(folder / "t.parquet")
    with pytest.raises(TableError, match="missing column"):
        open_table(folder / "t.parquet", ["id", "channel"])


def test_an_engine_that_is_stopped_while_it_opens_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def stopped(**_: object) -> None:
        seen.append(len(list(tmp_path.iterdir())))
        raise KeyboardInterrupt

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(duckdb, "connect", stopped)
    with pytest.raises(KeyboardInterrupt):
        connect()
    assert seen == [1]
    assert not list(tmp_path.iterdir())


def test_a_decomposed_name_is_found_by_its_composed_form() -> None:
    table = open_table(pa.table({"e\u0301t\u00e9": ["x"]}), ["\u00e9t\u00e9"])
    assert rows(table) == {"\u00e9t\u00e9": ["x"]}


def test_nothing_is_said_at_exit(tmp_path: Path) -> None:
    path = as_file("parquet", tmp_path)
    program = (
        "from prunegate.data.predictions.open_table import open_table\n"
        f"table = open_table({str(path)!r}, ['id'])\n"
        "table.frame.collect()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.slow
def test_a_million_rows_are_counted_without_being_loaded(tmp_path: Path) -> None:
    path = tmp_path / "big.parquet"
    duckdb.sql(
        "SELECT i AS id, i % 2 AS label, (i % 100) / 100 AS baseline, i % 7 AS channel "
        "FROM range(1_000_000) t(i)"
    ).write_parquet(str(path))
    table = open_table(path, COLUMNS)
    counts = table.frame.group_by("channel", "label").agg(n=nw.len()).collect()
    assert table.rows_hint == sum(counts["n"].to_list()) == 1_000_000
    assert len(counts) == 14


def test_the_engine_reaches_nothing_but_the_tables_own_files(tmp_path: Path) -> None:
    own, other = tmp_path / "own[1]*.parquet", tmp_path / "other.parquet"
    for path in (own, other):
        pd.DataFrame({"a": [1, 2]}).to_parquet(path)
    engine = cast("Any", open_table(own, ["a"]).engine)
    for query in (f"FROM '{other}'", f"COPY (SELECT 1) TO '{tmp_path}/new.csv'"):
        with pytest.raises(duckdb.PermissionException):
            engine.connection.execute(query)
    for change in ("SET enable_external_access = true", "SET threads = 1", "INSTALL httpfs"):
        with pytest.raises(duckdb.Error):
            engine.connection.execute(change)
    assert not (tmp_path / "new.csv").exists()


def test_no_progress_bar_is_printed_where_a_verdict_belongs() -> None:
    # python -c has no main file, which DuckDB takes for somebody at the keyboard
    code = (
        "from prunegate.data.predictions.engine import connect\n"
        "found = connect().execute(\"SELECT current_setting('enable_progress_bar')\")\n"
        "print(*found.fetchone())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
