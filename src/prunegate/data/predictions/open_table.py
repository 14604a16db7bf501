"""One door for every source of predictions.

Files and frames become one lazy table that holds only the columns needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import narwhals as nw

from prunegate.data.predictions.columns import quoted
from prunegate.data.predictions.duckdb_join import join_tables
from prunegate.data.predictions.engine import (
    MEMORY_LIMIT,
    MEMORY_LIMIT_JOINED,
    DuckDB,
    connect,
    duckdb_errors,
)
from prunegate.data.predictions.intervals_sql import interval_sql
from prunegate.data.predictions.left_out import leave_out
from prunegate.data.predictions.scan import named_files, names_of, scan_answers
from prunegate.data.predictions.scanned import Scanned
from prunegate.data.predictions.separate_tables import SeparateTables
from prunegate.data.predictions.spark_files import is_for_spark
from prunegate.data.predictions.table import Kind, Table, require_rows
from prunegate.data.predictions.table_files import TableFiles
from prunegate.data.predictions.true_class import true_class_sql
from prunegate.data.predictions.typed_columns import (
    TypedColumn,
    singles,
    typed_columns,
)
from prunegate.data.predictions.wanted import WantedColumns


def open_table(
    source: Any,
    columns: Sequence[str],
    *,
    text_columns: Sequence[str] = (),
    numeric_columns: Sequence[str] = (),
) -> Table:
    """Open a table of predictions.

    Args:
        source: A path, glob or list of paths (CSV, JSON lines, Parquet, Arrow), or a pandas,
            Polars, Arrow, DuckDB, Spark or narwhals frame, or ``SparkFiles``, or
            ``SeparateTables``.
        columns: Names of the columns needed; no other is read.
        text_columns: Of these, the ones to hand over as text whatever they are (1.0 becomes ``1``,
            true becomes ``true``, NaN is missing).
        numeric_columns: Of these, the ones whose texts become numbers (or booleans) if all of them
            spell such; every other text is handed over as it stands.

    Raises:
        TableError: the source cannot be read, is empty, or lacks a column; says what to do.
    """
    wanted = WantedColumns(
        names=tuple(dict.fromkeys(columns)),
        text=frozenset(text_columns),
        numeric=frozenset(numeric_columns),
    )
    return open_wanted(source, wanted)


def open_wanted(source: Any, wanted: WantedColumns) -> Table:
    """Open a table, with all that there is to say of its columns; otherwise as ``open_table``."""
    separate = source if isinstance(source, SeparateTables) else None
    if separate.any_for_spark if separate else is_for_spark(source):
        # Imports nothing of Spark itself; it is there already.
        from prunegate.data.predictions.spark import open_spark

        return open_spark(source, wanted)
    sources = [table.source for table in separate.tables] if separate else [source]
    files = [named_files(one) for one in sources]
    paths = (path for one in files if one for path in one.paths)
    connection = connect(paths, MEMORY_LIMIT_JOINED if separate else MEMORY_LIMIT)
    with duckdb_errors(_name(files)):
        scanned = (
            join_tables(connection, separate, files)
            if separate
            else scan_answers(connection, source, files[0], wanted.scanned, wanted.answers)
        )
        table = _table(connection, scanned, wanted, _roles(files, separate))
        names = [
            name
            for one, of in zip(sources, files, strict=True)
            for name in _every_name(connection, one, of, wanted.names)
        ]
        return replace(table, beside=tuple(n for n in dict.fromkeys(names) if n not in table.kinds))


def _every_name(
    connection: Any, source: Any, files: TableFiles | None, wanted: Sequence[str]
) -> list[str]:
    """The names of all columns of a source that could be opened."""
    if files is not None:
        return names_of(connection, source, files, wanted)
    frame = nw.from_native(nw.to_native(source, pass_through=True))
    return [str(name) for name in frame.collect_schema().names()]


def _name(files: Sequence[TableFiles | None]) -> str:
    return " + ".join(one.name if one else "the frame" for one in files)


def _roles(
    files: Sequence[TableFiles | None], separate: SeparateTables | None
) -> dict[Path, str | None]:
    """The files, and what each gives where they were joined."""
    roles = [table.role for table in separate.tables] if separate else [None]
    return {path: role for one, role in zip(files, roles, strict=True) if one for path in one.paths}


def _table(
    connection: Any, scanned: Scanned, wanted: WantedColumns, roles: Mapping[Path, str | None]
) -> Table:
    parts = leave_out(connection, scanned, wanted.left_out)
    scanned = parts.kept
    typed, edges = _with_intervals(scanned, typed_columns(scanned, wanted), wanted)
    left_out = None if parts.rows is None else _cells_of(parts.rows, wanted, typed)
    scanned, typed = _parsed(connection, scanned, typed)
    cells = {name: typed[name].sql for name in wanted.names}
    cells |= {
        name: true_class_sql(scanned, found, typed[found.label].sql)
        for name, found in wanted.of_true.items()
    }
    named = (f"{sql} AS {quoted(name)}" for name, sql in cells.items())
    relation = scanned.relation.project(", ".join(named))
    rows = int(relation.aggregate("count(*)").fetchall()[0][0])
    require_rows(rows, scanned.name)
    kinds: dict[str, Kind] = {name: typed[name].kind for name in wanted.names}
    kinds |= dict.fromkeys(wanted.of_true, "number")
    return Table(
        name=scanned.name,
        frame=nw.from_native(relation),
        kinds=kinds,
        rows_hint=rows,
        files=tuple(roles),
        engine=DuckDB(connection=connection, stored=scanned.relation),
        roles=tuple(role for role in roles.values() if role is not None),
        singles=frozenset(n for n in singles(scanned.types) if kinds.get(n) == "number"),
        ignored=parts.counts,
        left_out=left_out,
        listed=scanned.classes,
        edges=edges,
    )


def _cells_of(
    rows: Any, wanted: WantedColumns, typed: Mapping[str, TypedColumn]
) -> nw.LazyFrame[Any]:
    """Rows as the columns asked for are handed over."""
    cells = ", ".join(f"{typed[name].sql} AS {quoted(name)}" for name in wanted.names)
    found: nw.LazyFrame[Any] = nw.from_native(rows.project(cells))
    return found


def _with_intervals(
    scanned: Scanned, typed: Mapping[str, TypedColumn], wanted: WantedColumns
) -> tuple[dict[str, TypedColumn], dict[str, tuple[float, ...]]]:
    found, edges = dict(typed), {}
    for column, intervals in wanted.intervals.items():
        sql, between = interval_sql(scanned, column, intervals)
        found[column] = TypedColumn(sql=sql, kind="text")
        if between:
            edges[column] = between
    return found, edges


def _parsed(
    connection: Any, scanned: Scanned, typed: Mapping[str, TypedColumn]
) -> tuple[Scanned, dict[str, TypedColumn]]:
    """A loaded table whose texts are parsed once, and not at every question."""
    found = dict(typed)
    if scanned.loaded is None:
        return scanned, found
    for name, column in typed.items():
        if column.parsed:
            connection.execute(
                f"ALTER TABLE {scanned.loaded} ALTER {quoted(name)} TYPE {column.parsed} "
                f"USING {column.sql}"
            )
            found[name] = replace(column, sql=quoted(name))
    columns = ", ".join(map(quoted, scanned.relation.columns))
    relation = connection.table(scanned.loaded).project(columns)
    return replace(scanned, relation=relation), found
