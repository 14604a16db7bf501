"""Coded texts: columns of few distinct texts leave DuckDB as small numbers, with a dictionary.

A text takes five times as long to hand over as a number, and longer to move about afterwards. The
number is 16 bits of DuckDB's own hash, chosen so that no two of a column's texts share them; where
texts are stored as a dictionary, DuckDB hashes each of them once. What it stands for is an Arrow
dictionary array, whatever the numbers are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from prunegate.data.predictions.arrow_arrays import as_arrow, as_numpy
from prunegate.data.predictions.columns import quoted
from prunegate.errors import TableError

MOST_CODED = 64
"""Different texts of a column up to which it is coded: they are looked for in all rows once more,
which takes longer than it spares where a text is put together out of many columns."""
_SAMPLE = 20_000
"""Rows that are looked at before all are; fewer rows than that are handed over as they are."""
_BITS = 16
_LAST = (1 << _BITS) - 1


@dataclass(frozen=True, kw_only=True)
class _Code:
    """How a column's texts are numbered."""

    sql: str
    """A USMALLINT."""
    places: NDArray[np.int16]
    """Where in the dictionary the text of each number is; -1 where it stands for none."""
    dictionary: pa.Array


def rows_as_they_are(
    rows: Any, cells: Sequence[str], where: str | None = None
) -> pa.RecordBatchReader:
    """The rows of a relation, part by part; arguments as of ``rows_with_codes``."""
    chosen = rows if where is None else rows.filter(where)
    pairs = zip(rows.columns, cells, strict=True)
    handed = ", ".join(f"{cell} AS {quoted(name)}" for name, cell in pairs)
    return pa.RecordBatchReader.from_stream(chosen.project(handed))


def rows_with_codes(
    rows: Any, cells: Sequence[str], where: str | None = None
) -> pa.RecordBatchReader:
    """The rows of a relation, part by part; texts of which few are distinct as dictionary arrays.

    Args:
        rows: a relation.
        cells: SQL of what each of its columns is handed over as.
        where: SQL of a condition; None: all rows.
    """
    codes = _codes(rows, cells)
    handed = [
        codes[name].sql if name in codes else cell
        for name, cell in zip(rows.columns, cells, strict=True)
    ]
    found = rows_as_they_are(rows, handed, where)
    if not codes:
        return found
    coded = pa.dictionary(pa.int16(), pa.string())
    schema = pa.schema(
        [(kind.name, coded if kind.name in codes else kind.type) for kind in found.schema]
    )
    return pa.RecordBatchReader.from_batches(schema, _read(found, schema, codes))


def _read(
    found: pa.RecordBatchReader, schema: pa.Schema, codes: Mapping[str, _Code]
) -> Iterator[pa.RecordBatch]:
    for batch in found:
        columns = [
            _texts(codes[name], batch[name]) if name in codes else batch[name]
            for name in schema.names
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _texts(code: _Code, numbers: pa.Array) -> pa.DictionaryArray:
    places = code.places[as_numpy(numbers)]
    if bool((places < 0).any()):
        raise TableError("the table changed while it was read; give one that stays as it is")
    return pa.DictionaryArray.from_arrays(as_arrow(places), code.dictionary)


def _codes(rows: Any, cells: Sequence[str]) -> dict[str, _Code]:
    """The columns that are worth it."""
    kinds = zip(rows.columns, rows.types, cells, strict=True)
    texts = {name: cell for name, kind, cell in kinds if kind.id == "varchar"}
    if not texts:
        return {}
    distinct = ", ".join(f"count(DISTINCT {quoted(name)})" for name in texts)
    seen, *numbers = rows.limit(_SAMPLE).aggregate(f"count(*), {distinct}").fetchall()[0]
    if seen < _SAMPLE:
        return {}
    few = [name for name, found in zip(texts, numbers, strict=True) if found <= MOST_CODED]
    found = ((name, _code(rows, name, texts[name])) for name in few)
    return {name: code for name, code in found if code is not None}


def _code(rows: Any, name: str, cell: str) -> _Code | None:
    """How a column's texts are numbered; None: a value is missing, or they are too many."""
    values = rows.project(quoted(name)).distinct().limit(MOST_CODED + 1)
    told = values.project(f"{cell} AS text, hash({quoted(name)}) AS hash")
    found = pa.RecordBatchReader.from_stream(told).read_all().combine_chunks()
    texts, hashes = (pa.concat_arrays(found[part].chunks) for part in ("text", "hash"))
    shift = _shift(hashes.to_pylist())
    if len(texts) > MOST_CODED or texts.null_count or shift is None:
        return None
    places = np.full(1 << _BITS, -1, np.int16)
    places[as_numpy(hashes) >> np.uint64(shift) & np.uint64(_LAST)] = np.arange(len(texts))
    sql = f"CAST((hash({quoted(name)}) >> {shift}) & {_LAST} AS USMALLINT)"
    return _Code(sql=sql, places=places, dictionary=texts)


def _shift(hashes: Sequence[int]) -> int | None:
    """Where the bits begin that tell hashes apart."""
    shifts = range(64 - _BITS + 1)
    alone = (s for s in shifts if len({one >> s & _LAST for one in hashes}) == len(hashes))
    return next(alone, None)
