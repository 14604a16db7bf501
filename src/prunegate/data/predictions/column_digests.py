"""Digests of a table's columns, whatever its order of rows, its format or its files.

Rows are put in an order that follows from their ids alone; then each column, that of the ids too,
is hashed (sha256) from end to end: a number as a 64-bit float, a text as its length and its UTF-8
bytes. So two tables have the same digests just where the same ids have the same values. Sums of
row hashes would need no order, but whoever may choose some values can make such sums meet.

The order is by a cheap number made of each id, and by the ids where two numbers meet: sorting ten
million texts takes half a minute, sorting numbers a second. A larger table is taken in shares, and
a share some columns at once, which are put in order and hashed a stretch of the order at a time.
One reading deals its rows out to all stretches; where they are more than memory should hold, the
last ones are let go and read again. The digests are the same.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from prunegate.data.predictions.table import Table
from prunegate.errors import TableError

ROWS_AT_ONCE = 10_000_000
"""Rows up to which a table is one share. Part of what a digest means: never to be changed."""
_AT_ONCE = 2
"""Columns that are put in order and hashed side by side."""
_COLUMNS = 5
"""Columns besides the ids that are in memory together; each takes some thirty bytes a row."""
_ROWS = 3_400_000
"""Rows of a stretch, about: as many are put in order at once."""
_HELD, _HELD_JOINED = 600 * 2**20, 200 * 2**20
"""Bytes of rows up to which stretches wait in memory for their turn; fewer where the engine holds
the rows of joined files besides."""
_GATHERED = 1 << 16
"""Rows that are put in order and hashed at once: what fits in a cache, and is not asked of the
system anew for each column."""
_SAMPLE = 10_000
"""Rows that tell whether a column's texts repeat."""
_NUMBERS = 1 << 64
"""An id's number is below it."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def column_digests(
    table: Table, frame: nw.LazyFrame[Any], by: str, *, rows_at_once: int = ROWS_AT_ONCE
) -> dict[str, str] | None:
    """sha256 of every column of a frame over ``table``, in hexadecimal, by name.

    Args:
        table: what computes the frame.
        frame: texts and numbers, none missing.
        by: the column of ids, unique texts.
        rows_at_once: rows of a share, about; other shares give other digests.

    None where the engine would have to send every row for it (Spark).

    Raises:
        TableError: a value is missing, or the table cannot be read.
    """
    shares = max(1, math.ceil(table.rows_hint / rows_at_once))
    names = [name for name in frame.collect_schema().names() if name != by]
    hashers = {name: _Hasher() for name in (by, *names)}
    stretches = max(1, math.ceil(min(table.rows_hint, rows_at_once) / _ROWS))
    for share, first in itertools.product(range(shares), range(0, max(1, len(names)), _COLUMNS)):
        part = frame.select(by, *names[first : first + _COLUMNS])
        read = partial(table.engine.share_of_rows, part, by, (share, shares))
        place = 0
        while place < stretches:
            with table.reading():
                rows = read()
                if rows is None:
                    return None
                held = _HELD_JOINED if table.roles else _HELD
                with _reused_memory():
                    dealt = _dealt(rows, by, range(place, stretches), stretches, held)
            while dealt:
                found, numbers = dealt.popleft().whole(rows.schema)
                with _reused_memory():
                    _update(hashers, found, numbers, by, table.name, with_ids=first == 0)
                place += 1
    return {name: hasher.digest() for name, hasher in hashers.items()}


@contextmanager
def _reused_memory() -> Iterator[None]:
    """Arrow asks the C library for memory, which hands on what the last batch gave back.

    Its own pool returns that to the system, and so many pages asked for anew cost a third of all.
    """
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


class _Stretch:
    """Rows of a stretch of the order, as they come, with the numbers of their ids."""

    def __init__(self) -> None:
        self.held = 0
        self._batches: list[pa.RecordBatch] = []
        self._numbers: list[NDArray[np.uint64]] = []

    def add(self, rows: pa.RecordBatch, numbers: NDArray[np.uint64]) -> int:
        """Keep some rows; returns how many bytes they take."""
        self._batches.append(rows)
        self._numbers.append(numbers)
        more = rows.nbytes + numbers.nbytes
        self.held += more
        return int(more)

    def whole(self, schema: pa.Schema) -> tuple[pa.Table, NDArray[np.uint64]]:
        """All of them."""
        numbers = np.concatenate([np.empty(0, np.uint64), *self._numbers])
        return pa.Table.from_batches(self._batches, schema), numbers


def _dealt(
    rows: pa.RecordBatchReader, by: str, wanted: range, stretches: int, most: int
) -> deque[_Stretch]:
    """The first of the stretches that are wanted, at least one; as many as memory should hold.

    Args:
        rows: all of a share.
        by: the column of ids.
        wanted: the places of stretches.
        stretches: into how many the order is cut.
        most: bytes that are held.
    """
    edges = np.array([place * _NUMBERS // stretches for place in range(1, stretches)], np.uint64)
    dealt, held = deque(_Stretch() for _ in wanted), 0
    for batch in rows:
        ids = batch[by].cast(pa.large_string())
        _require_ids(ids)
        numbers = _numbers(*_parts(ids))
        places = np.searchsorted(edges, numbers, side="right")
        by_place = np.argsort(places.astype(np.uint16), kind="stable")  # numpy counts such, fast
        ends = np.searchsorted(places, range(stretches + 1), sorter=by_place)
        for place, stretch in zip(wanted, dealt, strict=False):
            rows_of = by_place[ends[place] : ends[place + 1]]
            held += stretch.add(batch.take(pa.array(rows_of)), numbers[rows_of])
        while held > most and len(dealt) > 1:
            held -= dealt.pop().held
    return dealt


def _require_ids(ids: pa.Array) -> None:
    if ids.null_count:
        raise TableError(f"{ids.null_count:,} rows have no id; fill them in.")


def _update(
    hashers: Mapping[str, _Hasher],
    found: pa.Table,
    numbers: NDArray[np.uint64],
    by: str,
    name: str,
    *,
    with_ids: bool,
) -> None:
    """Hash some columns of a stretch, in the order of its ids, whose numbers are given."""
    ids = _whole(found[by])
    order = _order(ids, numbers)
    columns = {column: found[column] for column in found.column_names if column != by}
    if with_ids:
        columns[by] = ids
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        work = [
            pool.submit(hashers[column].update, values, order, name)
            for column, values in columns.items()
        ]
    for done in work:
        done.result()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece; texts with offsets that may pass 2 GiB."""
    if pa.types.is_string(column.type):
        column = column.cast(pa.large_string())
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


def _order(ids: pa.Array, numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The one order of these rows."""
    order = np.argsort(numbers)
    ordered = numbers[order]
    if bool((ordered[1:] == ordered[:-1]).any()):
        both = pa.table({"number": numbers, "id": ids})
        keys = [("number", "ascending"), ("id", "ascending")]
        return np.asarray(pc.sort_indices(both, sort_keys=keys)).astype(np.int64)
    return order


def _parts(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Where each text begins and the last one ends, and the bytes of all."""
    _, offsets, content = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return ends, np.frombuffer(content or b"", dtype=np.uint8)


def _numbers(ends: NDArray[np.int64], content: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A 64-bit number of each text, eight of its bytes at a time; only the order rests on it."""
    padded = np.concatenate([content, np.zeros(8, np.uint8)])
    words = np.lib.stride_tricks.as_strided(
        padded[:8].view("<u8"), shape=(len(padded) - 7,), strides=(1,), writeable=False
    )
    starts, sizes = ends[:-1], np.diff(ends)
    numbers = sizes.astype(np.uint64)
    for at in range(0, int(sizes.max(initial=0)), 8):
        live = np.flatnonzero(sizes > at)
        word = words[starts[live] + at].astype(np.uint64)
        beyond = np.maximum(0, at + 8 - sizes[live]).astype(np.uint64) * np.uint64(8)
        word = (word << beyond) >> beyond  # the next text's bytes
        mixed = (numbers[live] ^ word) * _MIX
        numbers[live] = mixed ^ (mixed >> _SHIFT)
    return numbers


def _pieces(order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """An order, so many rows at a time."""
    return (order[first : first + _GATHERED] for first in range(0, len(order), _GATHERED))


def _taken(texts: pa.Array, order: NDArray[np.int64]) -> Iterator[pa.Array]:
    """Texts in an order; where few are distinct, their numbers are what is moved about."""
    sample = texts[:_SAMPLE]
    if pc.count_distinct(sample).as_py() > len(sample) // 2:
        return (texts.take(pa.array(some)) for some in _pieces(order))
    coded = texts.dictionary_encode()
    codes = coded.indices.to_numpy()
    return (coded.dictionary.take(pa.array(codes[some])) for some in _pieces(order))


class _Hasher:
    """A column's digest so far; where one share ends and the next begins does not show."""

    def __init__(self) -> None:
        self._rows = 0
        self._sizes, self._values = hashlib.sha256(), hashlib.sha256()

    def update(
        self, given: pa.Array | pa.ChunkedArray, order: NDArray[np.int64], name: str
    ) -> None:
        column = _whole(given) if isinstance(given, pa.ChunkedArray) else given
        if column.null_count:
            raise TableError(f"{name}: {column.null_count:,} rows lack a value; fill them in.")
        self._rows += len(column)
        if pa.types.is_large_string(column.type):
            for texts in _taken(column, order):
                ends, content = _parts(texts)
                self._sizes.update(np.diff(ends).astype("<i8", copy=False).data)
                self._values.update(content[ends[0] : ends[-1]].data)
        else:
            values = column.cast(pa.float64()).to_numpy()
            for some in _pieces(order):
                numbers = values[some] + 0.0  # -0 and 0 are one number
                self._values.update(numbers.astype("<f8", copy=False).data)

    def digest(self) -> str:
        parts = self._sizes.digest() + self._values.digest()
        return hashlib.sha256(b"%d " % self._rows + parts).hexdigest()
