"""Frames from Python as relations: pandas, Polars (also lazy), Arrow, DuckDB, narwhals over these.

Only the needed columns leave the frame. What it holds is taken as typed: a pandas object column of
mixed types is refused, because its numbers would silently become text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import pyarrow as pa
from narwhals import dependencies

from prunegate.data.predictions.columns import match_columns, shown
from prunegate.data.predictions.parquet_arrow import kept_columns, without_halves
from prunegate.errors import TableError

_EXAMPLES = 3


def scan_frame(connection: Any, source: Any, wanted: Sequence[str]) -> tuple[Any, str]:
    """Return the wanted columns of a frame as a DuckDB relation, and what to call the frame.

    A DuckDB relation stays on its own connection.

    Raises:
        TableError: not a frame, or its columns are missing, clashing or of mixed types.
    """
    frame = nw.to_native(source, pass_through=True)
    name = f"{type(frame).__module__.split('.')[0]} {type(frame).__name__}"
    if dependencies.is_duckdb_relation(frame):
        return kept_columns(frame, match_columns(wanted, frame.columns, name)), name
    table, found = _arrow(frame, wanted, name)
    return kept_columns(connection.from_arrow(without_halves(table)), found), name


def names_of_frame(source: Any) -> list[str]:
    """Return the column names of a frame; of pandas, those of its index too.

    Raises:
        TableError: not a frame.
    """
    frame = nw.to_native(source, pass_through=True)
    if dependencies.is_pandas_dataframe(frame):
        return [str(column) for column in _with_index(frame).columns]
    if dependencies.is_polars_dataframe(frame) or dependencies.is_polars_lazyframe(frame):
        return list(frame.lazy().collect_schema().names())
    if dependencies.is_pyarrow_table(frame):
        return list(frame.column_names)
    raise _no_table(frame)


def _no_table(frame: Any) -> TableError:
    return TableError(
        f"a {type(frame).__module__.split('.')[0]} {type(frame).__name__} is not a table that can "
        "be read; give a path, or a pandas, Polars, Arrow, DuckDB or Spark frame (from other "
        "engines: write Parquet files)."
    )


def _with_index(frame: Any) -> Any:
    """A pandas frame whose named index levels are columns, as a file that it is written to has."""
    levels = [name for name in frame.index.names if name is not None]
    if not levels or set(levels) & set(frame.columns):
        return frame
    return frame.reset_index(level=levels)


def _arrow(frame: Any, wanted: Sequence[str], name: str) -> tuple[pa.Table, dict[str, str]]:
    if dependencies.is_pandas_dataframe(frame):
        frame = _with_index(frame)
        found = match_columns(wanted, [str(column) for column in frame.columns], name)
        return _from_pandas(frame[list(dict.fromkeys(found.values()))], name), found
    if dependencies.is_polars_dataframe(frame) or dependencies.is_polars_lazyframe(frame):
        return _from_polars(frame.lazy(), wanted, name)
    if dependencies.is_pyarrow_table(frame):
        found = match_columns(wanted, frame.column_names, name)
        return frame.select(list(found.values())), found
    raise _no_table(frame)


def _from_pandas(frame: Any, name: str) -> pa.Table:
    columns, mixed = {}, []
    for column in frame.columns:
        try:
            columns[column] = pa.Array.from_pandas(_plain(frame[column]))
        except (pa.ArrowException, TypeError, ValueError):
            mixed.append(_mixture(frame[column], column))
    if mixed:
        raise TableError(
            f"{name}: {'; '.join(mixed)}. Convert each to one type (for example "
            "frame[column].astype(str))."
        )
    return pa.table(columns)


def _plain(values: Any) -> Any:
    """Periods as the texts that a file would hold (2026-01), and sparse values one a row."""
    kind = str(values.dtype)
    if kind.startswith("period"):
        return values.astype(str).where(values.notna(), None)
    return values.sparse.to_dense() if kind.startswith("Sparse") else values


def _mixture(values: Any, column: str) -> str:
    """How many values of a column are of which type, with examples of the rarer ones."""
    kinds = values.dropna().map(lambda value: type(value).__name__)
    counts = kinds.value_counts()
    said = ", ".join(f"{n:,} {kind}" for kind, n in counts.items())
    rare = values[kinds[kinds == counts.index[-1]].index[:_EXAMPLES]]
    some = ", ".join(f"{shown(value)} in row {row}" for row, value in rare.items())
    return f"column {shown(column)} mixes values of different types ({said}; for example {some})"


def _from_polars(frame: Any, wanted: Sequence[str], name: str) -> tuple[pa.Table, dict[str, str]]:
    failure = dependencies.get_polars().exceptions.PolarsError
    try:
        found = match_columns(wanted, frame.collect_schema().names(), name)
        return frame.select(list(found.values())).collect().to_arrow(), found
    except failure as error:
        first = str(error).partition("\n")[0]
        raise TableError(f"{name}: cannot be computed ({first}); correct the query.") from error
