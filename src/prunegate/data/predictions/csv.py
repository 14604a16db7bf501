"""CSV: parsed once, every cell as the text it is, needed columns only.

``NA``, ``None`` and ``01`` stay what they are; an empty cell is missing. Only a column that is
asked for as a number becomes one, and only if all of it is numbers. The delimiter is the comma,
else the semicolon, else the tab: the first under which the header holds the columns needed. Nothing
else is guessed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prunegate.data.predictions.columns import escape_glob, match_columns, quoted
from prunegate.errors import TableError

_DELIMITERS = (",", ";", "\t")
_TABLE = "rows_of_csv"


def load_csv(connection: Any, paths: Sequence[Path], wanted: Sequence[str], name: str) -> Any:
    """Load the wanted columns of CSV files of one header into a DuckDB table of text.

    Raises:
        TableError: no header, clashing or missing columns, or files with different headers.
        duckdb.Error: ragged rows, open quotes, text not in UTF-8 (see ``engine.duckdb_errors``).
    """
    delimiter, header = _header(paths[0], wanted)
    found = match_columns(wanted, header, name)
    for path in paths[1:]:
        if _records(path, delimiter) != header:
            raise TableError(
                f"{path}: its columns differ from those of {paths[0]}; give files with the same "
                "columns in the same order."
            )
    places = {name: header.index(found[name]) for name in wanted}
    connection.execute(_load_sql(paths, places, delimiter, len(header)))
    return connection.table(_TABLE)


def make_numbers(connection: Any, columns: Sequence[str]) -> Any:
    """Turn the columns that hold nothing but numbers into BIGINT or DOUBLE; return the table."""
    for column in columns:
        if kind := _number_type(connection, quoted(column)):
            connection.execute(f"ALTER TABLE {_TABLE} ALTER {quoted(column)} TYPE {kind}")
    return connection.table(_TABLE)


def _number_type(connection: Any, cell: str) -> str | None:
    """BIGINT, DOUBLE, or None where some cell is no number or all are missing.

    ``1_000`` is a number to DuckDB, not to us. BIGINT keeps long integer labels exact.
    """
    cells, others, fractions = connection.execute(
        f"SELECT count({cell}), "  # noqa: S608  # a quoted identifier, no value
        f"count(*) FILTER ({cell} IS NOT NULL AND (TRY_CAST({cell} AS DOUBLE) IS NULL"
        f" OR contains({cell}, '_'))), "
        rf"count(*) FILTER (NOT regexp_full_match({cell}, '\s*[+-]?\d{{1,18}}\s*')) FROM {_TABLE}"
    ).fetchall()[0]
    if cells == 0 or others:
        return None
    return "DOUBLE" if fractions else "BIGINT"


def header_of(path: Path, wanted: Sequence[str]) -> list[str]:
    """Return the column names of a CSV file; the delimiter is found by the wanted ones.

    Raises:
        TableError: no header, or not UTF-8.
    """
    return _header(path, wanted)[1]


def _header(path: Path, wanted: Sequence[str]) -> tuple[str, list[str]]:
    """Return the delimiter and the header's cells."""
    headers = {delimiter: _records(path, delimiter) for delimiter in _DELIMITERS}
    for delimiter, header in headers.items():
        if set(wanted) <= set(header):
            return delimiter, header
    return max(headers.items(), key=lambda item: len(item[1]))


def _records(path: Path, delimiter: str) -> list[str]:
    """Return the cells of the first record."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file, delimiter=delimiter, strict=True), [])
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not UTF-8 text; save the table with that encoding.") from error
    except csv.Error as error:
        raise TableError(f"{path}: the header cannot be read ({error}); write it again.") from error
    if not any(header):
        raise TableError(f"{path}: the first line is empty; it has to hold the column names.")
    return header


def _load_sql(paths: Sequence[Path], places: Mapping[str, int], delimiter: str, width: int) -> str:
    cells = ", ".join(f"c{place} AS {quoted(name)}" for name, place in places.items())
    columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(width))
    files = ", ".join(_literal(_escaped(path)) for path in paths)
    return (
        f"CREATE OR REPLACE TABLE {_TABLE} AS SELECT {cells} FROM read_csv([{files}], "  # noqa: S608  # quoted literals and identifiers only
        f"auto_detect=false, header=true, delim={_literal(delimiter)}, quote='\"', escape='\"', "
        f"columns={{{columns}}}, nullstr='', strict_mode=true, null_padding=false, "
        "ignore_errors=false, hive_partitioning=false)"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escaped(path: Path) -> str:
    return escape_glob(str(path))
