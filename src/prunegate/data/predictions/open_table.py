"""One door for every source of predictions.

Files and frames become one lazy table that holds only the columns needed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, cast

import narwhals as nw

from prunegate.data.predictions.columns import quoted
from prunegate.data.predictions.csv import load_csv, make_numbers
from prunegate.data.predictions.engine import WHOLE_NUMBERS, DuckDB, connect, duckdb_errors
from prunegate.data.predictions.frames import scan_frame
from prunegate.data.predictions.parquet_arrow import scan_arrow, scan_parquet
from prunegate.data.predictions.spark_files import is_for_spark
from prunegate.data.predictions.table import Kind, Table, not_one_value, require_rows
from prunegate.data.predictions.table_files import TableFiles, find_files

_NUMBERS = {*WHOLE_NUMBERS, "float", "double", "decimal"}
_INEXACT = {"float", "decimal"}
"""Compared as DOUBLE, so that ``score >= threshold`` means one thing for every source."""
_AS_TEXT = {
    *("varchar", "enum", "uuid", "date", "timestamp", "timestamp with time zone"),
    *("timestamp_s", "timestamp_ms", "timestamp_ns", "time", "null"),
}


def open_table(
    source: Any,
    columns: Sequence[str],
    *,
    text_columns: Sequence[str] = (),
    numeric_columns: Sequence[str] = (),
) -> Table:
    """Open a table of predictions.

    Args:
        source: A path, glob or list of paths (CSV, Parquet, Arrow), or a pandas, Polars, Arrow,
            DuckDB, Spark or narwhals frame, or ``SparkFiles``.
        columns: Names of the columns needed; no other is read.
        text_columns: Of these, the ones to hand over as text whatever they are (1.0 becomes ``1``,
            true becomes ``true``, NaN is missing).
        numeric_columns: Of these, the ones that become numbers in a CSV if all their cells are;
            every other CSV column is text as it stands.

    Raises:
        TableError: the source cannot be read, is empty, or lacks a column; says what to do.
    """
    wanted = tuple(dict.fromkeys(columns))
    if is_for_spark(source):
        # Imports nothing of Spark itself; it is there already.
        from prunegate.data.predictions.spark import open_spark

        return open_spark(source, wanted, frozenset(text_columns), frozenset(numeric_columns))
    files = _find(source)
    connection = connect(files.paths if files else ())
    with duckdb_errors(files.name if files else "the frame"):
        relation, name = _scan(connection, source, files, wanted)
        if files and files.format == "csv":
            relation = make_numbers(connection, [c for c in wanted if c in numeric_columns])
        stored = relation
        relation, kinds = _typed(relation, name, frozenset(text_columns))
        rows = int(relation.aggregate("count(*)").fetchall()[0][0])
    require_rows(rows, name)
    return Table(
        name=name,
        frame=cast("nw.LazyFrame[Any]", nw.from_native(relation)),
        kinds=kinds,
        rows_hint=rows,
        files=files.paths if files else (),
        engine=DuckDB(connection=connection, stored=stored),
    )


def _find(source: Any) -> TableFiles | None:
    """Return the files that a source names; None for a frame."""
    is_list = isinstance(source, list | tuple) and all(
        isinstance(item, str | os.PathLike) for item in source
    )
    return find_files(source) if is_list or isinstance(source, str | os.PathLike) else None


def _scan(
    connection: Any, source: Any, files: TableFiles | None, wanted: Sequence[str]
) -> tuple[Any, str]:
    if files is None:
        return scan_frame(connection, source, wanted)
    scan = {"csv": load_csv, "parquet": scan_parquet, "arrow": scan_arrow}[files.format]
    return scan(connection, files.paths, wanted, files.name), files.name


def _typed(relation: Any, name: str, as_text: frozenset[str]) -> tuple[Any, dict[str, Kind]]:
    """Cast each column to what it is handed over as; refuse what is no single value."""
    kinds: dict[str, Kind] = {}
    cells = []
    for column, kind in zip(relation.columns, (t.id for t in relation.types), strict=True):
        found = _kind(kind, column, name)
        kinds[column] = "text" if column in as_text else found
        cells.append(f"{_cell(quoted(column), kind, kinds[column])} AS {quoted(column)}")
    return relation.project(", ".join(cells)), kinds


def _kind(kind: str, column: str, name: str) -> Kind:
    if kind == "boolean":
        return "boolean"
    if kind in _NUMBERS:
        return "number"
    if kind in _AS_TEXT:
        return "text"
    raise not_one_value(name, column, kind)


def _cell(cell: str, kind: str, wanted: Kind) -> str:
    if wanted == "number":
        return f"CAST({cell} AS DOUBLE)" if kind in _INEXACT else cell
    if wanted == "boolean" or kind == "varchar":
        return cell
    if kind not in {"float", "double", "decimal"}:
        return f"CAST({cell} AS VARCHAR)"
    number = f"CAST({cell} AS DOUBLE)"
    return (
        f"CASE WHEN isnan({number}) THEN NULL "
        f"WHEN {number} = trunc({number}) AND abs({number}) < 1e15 "
        f"THEN CAST(CAST({number} AS BIGINT) AS VARCHAR) ELSE CAST({number} AS VARCHAR) END"
    )
