"""JSON lines: one object a line; the needed keys' values as the texts that a CSV would hold.

``true``, ``1.0`` and ``"1.0"`` become texts like a CSV's cells, so that one table gets one reading
in either format; ``null``, an empty text and an absent key are missing. Lists and objects stay
JSON, for columns of class probabilities alone.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from prunegate.data.predictions.columns import escape_glob, match_columns, quoted, sql_text
from prunegate.data.predictions.table import not_one_value, require_rows
from prunegate.data.predictions.table_files import PACKED, TableFiles
from prunegate.errors import TableError

_HEAD = 64
_NESTED = ("OBJECT", "ARRAY")
_REFUSED = "prunegate: nested value in column "


def load_json_lines(
    connection: Any,
    files: TableFiles,
    wanted: Sequence[str],
    into: str,
    nested: Collection[str] = (),
) -> Any:
    """Load the wanted keys of JSON lines into a DuckDB table ``into`` of text.

    Args:
        connection: reaches the files.
        files: of JSON lines.
        wanted: keys.
        into: the table's name.
        nested: of these, the ones whose lists and objects are meant; they stay JSON.

    Raises:
        TableError: clashing or missing keys, or lists and objects where one value is needed.
        duckdb.Error: lines that are no JSON objects (see ``engine.duckdb_errors``).
    """
    found = match_columns(wanted, keys_of_lines(connection, files), files.name)
    columns = ", ".join(f"{sql_text(spelt)}: 'JSON'" for spelt in dict.fromkeys(found.values()))
    source = _reads(files, f"records='true', columns={{{columns}}}")
    cells = ", ".join(
        f"{quoted(spelt) if name in nested else _text(quoted(spelt), place)} AS {quoted(name)}"
        for place, (name, spelt) in enumerate(found.items())
    )
    try:
        connection.execute(f"CREATE OR REPLACE TABLE {into} AS SELECT {cells} FROM {source}")  # noqa: S608  # quoted literals and identifiers only
    except duckdb.Error as error:
        if place := re.search(f"{_REFUSED}([0-9]+)", str(error)):
            raise not_one_value(files.name, list(found)[int(place[1])], "nested") from error
        raise
    return connection.table(into)


def keys_of_lines(connection: Any, files: TableFiles) -> list[str]:
    """Return the keys of JSON lines, in the order in which they come up.

    Raises:
        TableError: there are no lines, or what is there are none.
    """
    for path in files.paths:
        _require_objects(path)
    source = _reads(files, "records='auto', maximum_depth=1")
    query = f"SELECT * FROM {source} LIMIT 0"  # noqa: S608  # quoted literals only
    keys = list(connection.sql(query).columns)
    if keys == ["json"]:  # the engine's word for a file of nothing, or a key of that name
        some = connection.sql(f"SELECT 1 FROM {source} LIMIT 1").fetchall()  # noqa: S608  # as above
        require_rows(len(some), files.name)
    return keys


def _require_objects(path: Path) -> None:
    """Refuse what other writers of JSON begin a file with."""
    try:
        with pa.input_stream(str(path), compression=PACKED.get(path.suffix.lower())) as stream:
            head = stream.read(_HEAD)
    except OSError:
        return  # the engine says what is wrong with the packing
    if head.startswith(codecs.BOM_UTF8):
        raise TableError(f"{path}: begins with a byte order mark; save it as UTF-8 without one.")
    if head.lstrip().startswith(b"["):
        raise TableError(
            f"{path}: holds a JSON list; write each of its objects on a line of its own."
        )


def _reads(files: TableFiles, how: str) -> str:
    paths = ", ".join(sql_text(escape_glob(str(path))) for path in files.paths)
    return (
        f"read_json([{paths}], format='newline_delimited', "
        f"compression='{files.packing or 'none'}', hive_partitioning=false, {how})"
    )


def _text(cell: str, place: int) -> str:
    """A value as a text; a list or object stops the reading, so that the file is read once."""
    kinds = ", ".join(map(sql_text, _NESTED))
    refused = f"error({sql_text(f'{_REFUSED}{place}')})"
    value = f"nullif({cell} ->> '$', '')"
    return f"CASE WHEN json_type({cell}) IN ({kinds}) THEN {refused} ELSE {value} END"
