"""Tables: any source of predictions as one lazy frame that holds only the columns needed.

The one door for tables. Files and frames become a narwhals LazyFrame over a DuckDB relation whose
columns are text, number or boolean; Spark's become one over a Spark frame of the same meaning
(``spark.py``). What reads it (counting, uniqueness) stays lazy and bounded in memory. What a value
*means* (label, score, slice) is decided by the reader, not here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import narwhals as nw

from prunegate.data.columns import quoted, shown
from prunegate.data.csv_table import load_csv, make_numbers
from prunegate.data.engine import WHOLE_NUMBERS, DuckDB, Engine, connect, reading
from prunegate.data.files import TableFiles, find_files
from prunegate.data.frames import scan_frame
from prunegate.data.spark_files import is_for_spark
from prunegate.data.stored import scan_arrow, scan_parquet
from prunegate.errors import TableError

Kind = Literal["text", "number", "boolean"]

_NUMBERS = {*WHOLE_NUMBERS, "float", "double", "decimal"}
_INEXACT = {"float", "decimal"}
"""Compared as DOUBLE, so that ``score >= threshold`` means one thing for every source."""
_AS_TEXT = {
    *("varchar", "enum", "uuid", "date", "timestamp", "timestamp with time zone"),
    *("timestamp_s", "timestamp_ms", "timestamp_ns", "time", "null"),
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """An open table."""

    name: str
    """For messages: a path, or the kind of frame."""
    frame: nw.LazyFrame[Any]
    """The columns asked for, under the names asked for."""
    kinds: Mapping[str, Kind]
    """What each column holds."""
    rows_hint: int
    """How many rows there were when it was opened; at least one."""
    files: tuple[Path, ...] = ()
    """The files it is read from; empty for a frame."""
    engine: Engine
    """Computes ``frame``."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Wrap every collect in this: damage found while reading becomes a TableError."""
        with self.engine.reading(self.name):
            yield


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
        from prunegate.data.spark import open_spark

        return open_spark(source, wanted, frozenset(text_columns), frozenset(numeric_columns))
    files = _find(source)
    connection = connect()
    with reading(files.name if files else "the frame"):
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


def require_rows(rows: int, name: str) -> None:
    """Refuse an empty table.

    Raises:
        TableError: there are no rows.
    """
    if rows == 0:
        raise TableError(f"{name}: there are no rows; give a table with at least one row.")


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


def not_one_value(name: str, column: str, kind: str) -> TableError:
    """Return the refusal of a column of lists, structures, bytes and the like."""
    return TableError(
        f"{name}: column {shown(column)} holds {kind} values; give text, numbers or booleans, one "
        "value per row."
    )


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
