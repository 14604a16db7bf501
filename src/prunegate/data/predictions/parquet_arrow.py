"""Parquet and Arrow files as lazy relations: nothing but the footers is read here.

Files of one table have to agree in their columns and types; an engine would cast the second file to
the first one's types, and 0.7 would quietly become 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from prunegate.data.predictions.columns import escape_glob, match_columns, quoted
from prunegate.errors import TableError


def scan_parquet(connection: Any, paths: Sequence[Path], wanted: Sequence[str], name: str) -> Any:
    """Return the wanted columns of Parquet files as a lazy relation.

    Raises:
        TableError: not whole Parquet files, files that disagree, clashing or missing columns.
    """
    schemas = [_parquet_schema(path) for path in paths]
    _refuse_different(paths, schemas)
    found = match_columns(wanted, schemas[0].names, name)
    if _has_halves(schemas[0], found):
        return kept_columns(connection.from_arrow(_halves_read(paths, found, "parquet")), found)
    relation = connection.read_parquet(
        [escape_glob(str(path)) for path in paths], hive_partitioning=False, union_by_name=False
    )
    return kept_columns(relation, found)


def scan_arrow(connection: Any, paths: Sequence[Path], wanted: Sequence[str], name: str) -> Any:
    """Return the wanted columns of Arrow IPC (Feather) files as a relation.

    The file format is scanned lazily; of a stream, the wanted columns are loaded.

    Raises:
        TableError: as ``scan_parquet``.
    """
    # Imports pandas: half a second that only these files have to pay.
    from pyarrow.dataset import dataset

    schemas = [_arrow_schema(path) for path in paths]
    _refuse_different(paths, [schema for schema, _ in schemas])
    found = match_columns(wanted, schemas[0][0].names, name)
    if any(is_stream for _, is_stream in schemas):
        tables = [_load_arrow(path, list(found.values())) for path in paths]
        whole = without_halves(pa.concat_tables(tables))
        return kept_columns(connection.from_arrow(whole), found)
    if _has_halves(schemas[0][0], found):
        return kept_columns(connection.from_arrow(_halves_read(paths, found, "ipc")), found)
    scanned = dataset([str(path) for path in paths], format="ipc")
    return kept_columns(connection.from_arrow(scanned), found)


def names_in(path: Path, kind: str) -> list[str]:
    """Return the column names of a Parquet or Arrow file.

    Raises:
        TableError: not a whole file of that kind.
    """
    schema = _parquet_schema(path) if kind == "parquet" else _arrow_schema(path)[0]
    return list(schema.names)


def kept_columns(relation: Any, found: dict[str, str]) -> Any:
    """Keep the columns of ``found`` (wanted name -> the table's spelling), renamed as wanted."""
    return relation.project(
        ", ".join(f"{quoted(spelt)} AS {quoted(name)}" for name, spelt in found.items())
    )


def without_halves(table: pa.Table) -> pa.Table:
    """A table whose 16-bit floats are 64-bit ones: the shortest decimals that mean them.

    No engine here knows 16 bits, and a text file would hold those decimals.
    """
    for place, field in enumerate(table.schema):
        if pa.types.is_float16(field.type):
            chunks = [_from_halves(chunk) for chunk in table.column(place).chunks]
            column = pa.chunked_array(chunks, type=pa.float64())
            table = table.set_column(place, field.name, column)
    return table


@cache
def _decimals() -> NDArray[np.float64]:
    """Every 16-bit float by its bits."""
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    return np.array([float(str(half)) for half in halves])


def _from_halves(chunk: pa.Array) -> pa.Array:
    bits = np.frombuffer(chunk.buffers()[1], dtype=np.uint16)[chunk.offset :][: len(chunk)]
    missing = np.asarray(chunk.is_null())
    return pa.array(_decimals()[bits], mask=missing)


def _has_halves(schema: pa.Schema, found: dict[str, str]) -> bool:
    return any(pa.types.is_float16(schema.field(name).type) for name in found.values())


def _halves_read(paths: Sequence[Path], found: dict[str, str], kind: str) -> pa.Table:
    from pyarrow.dataset import dataset

    scanned = dataset([str(path) for path in paths], format=kind)
    return without_halves(scanned.to_table(columns=list(dict.fromkeys(found.values()))))


def _parquet_schema(path: Path) -> pa.Schema:
    try:
        with path.open("rb") as file:
            return pyarrow.parquet.ParquetFile(file).schema_arrow
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise TableError(f"{path}: not a whole Parquet file; write the table again.") from error


def _arrow_schema(path: Path) -> tuple[pa.Schema, bool]:
    """Return the schema, and whether the file is a stream."""
    with path.open("rb") as file:
        try:
            reader = _open_arrow(file)
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise TableError(f"{path}: not a whole Arrow file; write the table again.") from error
        return reader.schema, isinstance(reader, pa.RecordBatchStreamReader)


def _open_arrow(file: BinaryIO) -> Any:
    magic = file.read(6)
    file.seek(0)
    return pa.ipc.open_file(file) if magic == b"ARROW1" else pa.ipc.open_stream(file)


def _load_arrow(path: Path, columns: list[str]) -> pa.Table:
    with path.open("rb") as file:
        return _open_arrow(file).read_all().select(columns)


def _refuse_different(paths: Sequence[Path], schemas: Sequence[pa.Schema]) -> None:
    first = _types(schemas[0])
    for path, schema in zip(paths[1:], schemas[1:], strict=True):
        other = _types(schema)
        differing = sorted(
            name for name in first.keys() | other.keys() if first.get(name) != other.get(name)
        )
        if differing:
            raise TableError(
                f"{path}: column {differing[0]!r} differs from {paths[0]} in being there or in its "
                "type; give files with the same columns and types."
            )


def _types(schema: pa.Schema) -> dict[str, str]:
    """Return the logical type per column: an encoding is no difference."""
    types = {}
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        types[field.name] = "string" if _is_text(kind) else str(kind)
    return types


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
