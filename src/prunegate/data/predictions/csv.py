"""CSV: parsed once, every cell as the text it is, needed columns only.

``NA``, ``None`` and ``01`` stay what they are; an empty cell is missing. What the texts spell is
read later, as in every table (``spelled.py``). The delimiter is a comma, semicolon, tab or bar: the
first under which the header holds the columns needed. Nothing else is guessed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from prunegate.data.predictions.columns import (
    DELIMITERS,
    escape_glob,
    match_columns,
    quoted,
    sql_text,
)
from prunegate.data.predictions.table_files import PACKED, TableFiles
from prunegate.errors import TableError


def load_csv(connection: Any, files: TableFiles, wanted: Sequence[str], into: str) -> Any:
    """Load the wanted columns of CSV files of one header into a DuckDB table ``into`` of text.

    Raises:
        TableError: no header, clashing or missing columns, or files with different headers.
        duckdb.Error: ragged rows, open quotes, text not in UTF-8 (see ``engine.duckdb_errors``).
    """
    paths = files.paths
    delimiter, header = _header(paths[0], wanted)
    found = match_columns(wanted, header, files.name)
    for path in paths[1:]:
        if not _begins_with(path, delimiter, header):
            raise TableError(
                f"{path}: its columns differ from those of {paths[0]}; give files with the same "
                "columns in the same order."
            )
    places = {name: header.index(found[name]) for name in wanted}
    connection.execute(_load_sql(files, places, delimiter, len(header), into))
    return connection.table(into)


def header_of(path: Path, wanted: Sequence[str]) -> list[str]:
    """Return the column names of a CSV file; the delimiter is found by the wanted ones.

    Raises:
        TableError: no header, or not UTF-8.
    """
    return _header(path, wanted)[1]


def _header(path: Path, wanted: Sequence[str]) -> tuple[str, list[str]]:
    """Return the delimiter and the header's cells."""
    headers, refused = {}, []
    for delimiter in DELIMITERS:
        try:
            header = _records(path, delimiter)
        except csv.Error as error:  # quoted names may be none of this delimiter's
            refused.append(error)
            continue
        if set(wanted) <= set(header):
            return delimiter, header
        headers[delimiter] = header
    if not headers:
        reason = refused[0]
        raise TableError(f"{path}: the header cannot be read ({reason}); write it again.")
    return max(headers.items(), key=lambda item: len(item[1]))


def _begins_with(path: Path, delimiter: str, header: list[str]) -> bool:
    """Whether a file has this header."""
    try:
        return _records(path, delimiter) == header
    except csv.Error:
        return False


def _records(path: Path, delimiter: str) -> list[str]:
    """Return the cells of the first record.

    Raises:
        csv.Error: its quotes do not fit the delimiter.
    """
    try:
        with _unpacked(path) as file:
            header = next(csv.reader(file, delimiter=delimiter, strict=True), [])
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not UTF-8 text; {_remedy(path)}.") from error
    except OSError as error:
        raise TableError(f"{path}: cannot be unpacked ({error}); pack it again.") from error
    if any("\0" in name for name in header):  # UTF-16 without a mark
        raise TableError(f"{path}: not UTF-8 text; {_remedy(path)}.")
    if re.fullmatch("sep=.?", delimiter.join(header).strip(), re.IGNORECASE):
        raise TableError(
            f"{path}: the first line is a spreadsheet's 'sep='; remove it, so that the file begins "
            "with the column names."
        )
    if not any(header):
        raise TableError(f"{path}: the first line is empty; it has to hold the column names.")
    return header


_BEGINS = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}


def _remedy(path: Path) -> str:
    """What to do with a file that holds no text: it may be packed, and not called so."""
    with path.open("rb") as file:
        head = file.read(4)
    for begins, ending in _BEGINS.items():
        if head.startswith(begins):
            return f"it is packed, so name it {path.name}{ending}"
    return "save the table with that encoding"


def _unpacked(path: Path) -> io.TextIOWrapper:
    """The file's text, from its start."""
    packing = PACKED.get(path.suffix.lower())
    if packing is None:
        return path.open(encoding="utf-8-sig", newline="")
    stream = pa.input_stream(str(path), compression=packing)
    return io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")


def _load_sql(
    found: TableFiles, places: Mapping[str, int], delimiter: str, width: int, into: str
) -> str:
    cells = ", ".join(f"c{place} AS {quoted(name)}" for name, place in places.items())
    columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(width))
    files = ", ".join(sql_text(escape_glob(str(path))) for path in found.paths)
    return (
        f"CREATE OR REPLACE TABLE {into} AS SELECT {cells} FROM read_csv([{files}], "  # noqa: S608  # quoted literals and identifiers only
        f"compression='{found.packing or 'none'}', auto_detect=false, header=true, "
        f"delim={sql_text(delimiter)}, quote='\"', escape='\"', "
        f"columns={{{columns}}}, nullstr='', strict_mode=true, null_padding=false, "
        "ignore_errors=false, hive_partitioning=false)"
    )
