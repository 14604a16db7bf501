"""Digests of a table's columns, whatever its order of rows, its format or its files.

Rows are put in an order that follows from their ids alone; then each column, that of the ids too,
is hashed (sha256) from end to end: a number as a 64-bit float, a text as its length and its UTF-8
bytes. So two tables have the same digests just where the same ids have the same values. Sums of
row hashes would need no order, but whoever may choose some values can make such sums meet.

The order is by a cheap number made of each id, and by the ids where two numbers meet: sorting ten
million texts takes half a minute, sorting numbers a second. A larger table is taken in shares, and
a share some columns at once, which are put in order and hashed a stretch of the order at a time.
One reading deals its rows out to all stretches, batches side by side; where they are more than
memory should hold, the last ones are let go and read again. The digests are the same.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from prunegate.data.predictions.arrow_arrays import as_arrow, as_numpy
from prunegate.data.predictions.id_order import counted_out, id_numbers, order_of_ids, parts_of
from prunegate.data.predictions.table import Table
from prunegate.errors import TableError

ROWS_AT_ONCE = 10_000_000
"""Rows up to which a table is one share. Part of what a digest means: never to be changed."""
_AT_ONCE = 2
"""Columns that are put in order and hashed side by side."""
_COLUMNS = 5
"""Columns besides the ids that are in memory together; each takes up to thirty bytes a row."""
_ROWS = 700_000
"""Rows of a stretch, about: as many are put in order at once."""
_HELD, _HELD_JOINED = 600 * 2**20, 200 * 2**20
"""Bytes of rows up to which stretches wait in memory for their turn; fewer where the engine holds
the rows of joined files besides."""
_WAITING = 4
"""Batches that are dealt out, or wait for it, while the next ones are read."""
_GATHERED = 1 << 16
"""Rows that are put in order and hashed at once: what fits in a cache, and is not asked of the
system anew for each column."""
_SAMPLE = 10_000
"""Rows that tell whether a column's texts repeat."""
_REPEATED = 8
"""How often they do, on average, where their numbers are what is moved about."""


@dataclass(frozen=True, kw_only=True)
class ColumnDigests:
    """What the columns of a frame are called."""

    of: Mapping[str, str]
    """sha256 of each, in hexadecimal, by its name."""
    ids_differ: bool
    """Whether each row is known to have an id of its own; False: nobody knows."""


def column_digests(
    table: Table, frame: nw.LazyFrame[Any], by: str, *, rows_at_once: int = ROWS_AT_ONCE
) -> ColumnDigests | None:
    """The digest of every column of a frame over ``table``.

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
    hashers, differ = {name: _Hasher() for name in (by, *names)}, True
    stretches = _power_of_two(min(table.rows_hint, rows_at_once) / _ROWS)
    for share, first in itertools.product(range(shares), range(0, max(1, len(names)), _COLUMNS)):
        part = frame.select(by, *names[first : first + _COLUMNS])
        read = partial(table.engine.share_of_rows, part, by, (share, shares), coded=True)
        place = 0
        while place < stretches:
            with table.reading():
                rows = read()
                if rows is None:
                    return None
                held = _HELD_JOINED if table.roles else _HELD
                with _reused_memory():
                    wanted = range(place, stretches)
                    dealt = _dealt(rows, by, wanted, stretches, held, table.name)
            place += len(dealt)
            with _reused_memory():
                differ &= _update(hashers, dealt, stretches, by, with_ids=first == 0)
    found = {name: hasher.digest() for name, hasher in hashers.items()}
    return ColumnDigests(of=found, ids_differ=differ)


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

    def whole(self) -> tuple[dict[str, pa.Array], NDArray[np.uint64]]:
        """All columns of all rows, each in one piece, and the numbers."""
        if not self._batches:
            return {}, np.empty(0, np.uint64)
        found = pa.concat_tables(
            [pa.Table.from_batches([batch]) for batch in self._batches],
            promote_options="permissive",
        ).unify_dictionaries()
        columns = {name: _whole(found[name]) for name in found.column_names}
        return columns, np.concatenate(self._numbers)


def _dealt(
    rows: pa.RecordBatchReader, by: str, wanted: range, stretches: int, most: int, name: str
) -> deque[_Stretch]:
    """The first of the stretches that are wanted, at least one; as many as memory should hold.

    Args:
        rows: all of a share.
        by: the column of ids.
        wanted: the places of stretches.
        stretches: into how many the order is cut.
        most: bytes that are held.
        name: of the table.

    Raises:
        TableError: a value is missing.
    """
    dealt, held = deque(_Stretch() for _ in wanted), 0
    missing: Counter[str] = Counter()
    waiting: deque[Future[list[_Part]]] = deque()
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for batch, repeating in _batches(rows, by):
            missing.update({name: batch[name].null_count for name in batch.schema.names})
            part = partial(_parted, batch, by, repeating, stretches, wanted[: len(dealt)])
            waiting.append(pool.submit(part))
            if len(waiting) == _WAITING:
                held += _put(waiting.popleft().result(), dealt)
            while held > most and len(dealt) > 1:
                held -= dealt.pop().held
    for done in waiting:
        _put(done.result(), dealt)
    _require_whole(missing, by, name)
    return dealt


def _put(parts: Sequence[_Part], dealt: Iterable[_Stretch]) -> int:
    """Add rows to the stretches that are still wanted; returns how many bytes they take."""
    pairs = zip(parts, dealt, strict=False)
    return sum(stretch.add(rows, numbers) for (rows, numbers), stretch in pairs)


def _batches(
    rows: pa.RecordBatchReader, by: str
) -> Iterator[tuple[pa.RecordBatch, frozenset[str]]]:
    """The batches that have rows, each with the columns of texts of which few are distinct."""
    repeating: frozenset[str] | None = None
    for batch in rows:
        if len(batch):
            repeating = _repeating(batch, by) if repeating is None else repeating
            yield batch, repeating


def _require_whole(missing: Mapping[str, int], by: str, name: str) -> None:
    """Refuse a table in which a value is missing."""
    if missing[by]:
        raise TableError(f"{missing[by]:,} rows have no id; fill them in.")
    if most := max(missing.values(), default=0):
        raise TableError(f"{name}: {most:,} rows lack a value; fill them in.")


_Part = tuple[pa.RecordBatch, NDArray[np.uint64]]


def _repeating(batch: pa.RecordBatch, by: str) -> frozenset[str]:
    """The columns of texts of which few are distinct, as a sample has it."""
    samples = {name: batch[name][:_SAMPLE] for name in batch.schema.names if name != by}
    return frozenset(
        name
        for name, some in samples.items()
        if _is_text(some.type) and pc.count_distinct(some).as_py() <= len(some) // _REPEATED
    )


def _parted(
    batch: pa.RecordBatch, by: str, repeating: frozenset[str], stretches: int, wanted: range
) -> list[_Part]:
    """The rows of a batch by the stretch that they belong to, and the numbers of their ids."""
    ids = batch[by].cast(pa.large_string())
    numbers = id_numbers(*parts_of(ids))
    by_place, ends = counted_out(numbers, stretches)
    columns = {name: _small(batch[name], name in repeating) for name in batch.schema.names}
    small = pa.record_batch({**columns, by: ids})
    starts = (0, *ends)
    chosen = [by_place[starts[place] : ends[place]] for place in wanted]
    return [(small.take(as_arrow(rows)), numbers[rows]) for rows in chosen]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _small(column: pa.Array, repeating: bool) -> pa.Array:
    """A column in little memory: texts that repeat by number, numbers in 32 bits where these do."""
    if pa.types.is_dictionary(column.type):
        return column
    if _is_text(column.type):
        return column.dictionary_encode() if repeating else column
    numbers = as_numpy(column.cast(pa.float64()))
    with np.errstate(over="ignore"):
        small = numbers.astype(np.float32)
    return as_arrow(small if bool((small == numbers).all()) else numbers)


def _power_of_two(least: float) -> int:
    """The lowest that is no lower."""
    return 1 << max(0, math.ceil(math.log2(max(1.0, least))))


def _update(
    hashers: Mapping[str, _Hasher],
    dealt: deque[_Stretch],
    stretches: int,
    by: str,
    *,
    with_ids: bool,
) -> bool:
    """Hash some columns of stretches, each in the order of its ids; whether all these differ."""
    work: list[Future[None]] = []
    differ = True
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        while dealt:
            columns, numbers = dealt.popleft().whole()
            if not columns:
                continue
            rows, ends = counted_out(numbers, _power_of_two(len(numbers) / _GATHERED), stretches)
            near = columns[by].take(as_arrow(rows))
            order, apart = order_of_ids(near, numbers[rows], ends)
            differ &= apart
            columns[by] = near
            for done in work:  # of the stretch before: a column is hashed from end to end
                done.result()
            work = [
                pool.submit(hashers[column].update, values, rows, order)
                for column, values in columns.items()
                if column != by
            ]
            if with_ids:
                work.append(pool.submit(hashers[by].update, near, None, order))
    for done in work:
        done.result()
    return differ


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece; texts with offsets that may pass 2 GiB."""
    if pa.types.is_string(column.type):
        column = column.cast(pa.large_string())
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


def _pieces(order: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """An order, so many rows at a time."""
    return (order[first : first + _GATHERED] for first in range(0, len(order), _GATHERED))


class _Hasher:
    """A column's digest so far; where one share ends and the next begins does not show."""

    def __init__(self) -> None:
        self._rows = 0
        self._sizes, self._values = hashlib.sha256(), hashlib.sha256()

    def update(
        self,
        column: pa.Array,
        rows: NDArray[np.int64] | None,
        order: NDArray[np.int64],
    ) -> None:
        """Hash more of the column.

        Args:
            column: its values.
            rows: a first order, after which the values of a piece are near each other; None: they
                are already.
            order: the order after that.
        """
        self._rows += len(column)
        near = column if rows is None else column.take(as_arrow(rows))
        if pa.types.is_dictionary(column.type):
            codes, texts = as_numpy(near.indices), near.dictionary.cast(pa.large_string())
            for some in _pieces(order):
                self._update_texts(texts.take(as_arrow(codes[some])))
        elif _is_text(column.type):
            for some in _pieces(order):
                self._update_texts(near.take(as_arrow(some)))
        else:
            values = as_numpy(near)
            for some in _pieces(order):
                numbers = values[some].astype("<f8") + 0.0  # -0 and 0 are one number
                self._values.update(numbers.data)

    def _update_texts(self, texts: pa.Array) -> None:
        ends, content = parts_of(texts)
        self._sizes.update(np.diff(ends).astype("<i8", copy=False).data)
        self._values.update(content[ends[0] : ends[-1]].data)

    def digest(self) -> str:
        parts = self._sizes.digest() + self._values.digest()
        return hashlib.sha256(b"%d " % self._rows + parts).hexdigest()
