"""Rows for Great Expectations: batches of a table as frames, and what it answers about one.

The frame's columns are ``id`` and ``c0``, ``c1``, ...: no name of the data reaches the library. It
tells counts and ids of rows, never a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from prunegate.data.contract.expected_kinds import RowColumn, given_name
from prunegate.data.contract.great_expectations import answers_in_order, run_frame
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.table import Table
from prunegate.errors import InputError, UnsupportedError

if TYPE_CHECKING:
    import pandas as pd

ID = "id"
_EXAMPLES = 3
_EXACT = 2**53
_COUNTS = {"result_format": "BASIC", "exclude_unexpected_values": True}
_IDS = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "unexpected_index_column_names": [ID],
    "return_unexpected_index_query": False,
}


def batches_of(
    table: Table, id_column: str, columns: Sequence[RowColumn], most: int
) -> Iterator[pd.DataFrame]:
    """A table's rows in any order, at most so many at a time.

    Raises:
        InputError: a pattern is none of RE2.
        TableError: it cannot be read.
        UnsupportedError: it lies in Spark, whose rows would have to travel.
    """
    made = [_make(one, short=one.name in table.singles) for one in columns]
    cells = [nw.col(one.name).alias(given_name(place)) for place, one in enumerate(columns)]
    cells = [nw.col(id_column).alias(ID), *cells]
    with table.reading():
        reader = table.engine.share_of_rows(table.frame.select(*cells), ID, (0, 1))
        if reader is None:
            raise UnsupportedError(
                f"{table.name}: 'data: expect:' is judged on rows, which are not fetched from "
                "Spark; judge files without --engine spark, or remove it from the policy"
            )
        held: list[pa.RecordBatch] = []
        for part in reader:
            start = 0
            while start < part.num_rows:
                room = most - sum(one.num_rows for one in held)
                held.append(part.slice(start, room))
                start += held[-1].num_rows
                if sum(one.num_rows for one in held) == most:
                    yield _frame(held, made)
                    held = []
        if held:
            yield _frame(held, made)


def _require_pattern(regex: str) -> None:
    try:
        pc.match_substring_regex(pa.array([""]), pattern=regex)  # by RE2, as the engine does
    except pa.ArrowInvalid as error:
        raise InputError(
            f"data: expect: {shown(regex)} is no regular expression of RE2 (which has no "
            f"look-around and no back references): {str(error).splitlines()[0][:200]}"
        ) from error


def _make(column: RowColumn, *, short: bool) -> Callable[[pa.ChunkedArray], pa.ChunkedArray]:
    """How the library's column comes out of the engine's.

    Patterns are matched here and not in the engine, whose texts are in Unicode's NFC only as they
    leave it.
    """
    pattern = column.regex
    if pattern is None:
        return _named if short else _exact
    _require_pattern(pattern)
    return lambda found: pc.match_substring_regex(found.cast(pa.string()), pattern=pattern)


def _frame(
    parts: Sequence[pa.RecordBatch], made: Sequence[Callable[[pa.ChunkedArray], pa.ChunkedArray]]
) -> pd.DataFrame:
    table = pa.Table.from_batches(parts)
    exact = {ID: _exact(table[ID])}
    exact |= {given_name(n): make(table[given_name(n)]) for n, make in enumerate(made)}
    frame: pd.DataFrame = pa.table(exact).to_pandas(integer_object_nulls=True)
    return frame


def _named(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers of 32 bits as their shortest spelling names them: 0.1 is what a policy calls 0.1."""
    return column.cast(pa.float32()).cast(pa.string()).cast(pa.float64())


def _exact(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers with gaps as floats where those hold them exactly, else as they are."""
    if not pa.types.is_integer(column.type) or not column.null_count:
        return column
    if column.null_count == len(column):
        return column.cast(pa.float64())
    ends = pc.min_max(column)
    if max(abs(ends["min"].as_py()), abs(ends["max"].as_py())) > _EXACT:
        return column
    return column.cast(pa.float64())


def results_of(frame: pd.DataFrame, expectations: Sequence[Any]) -> list[Any]:
    """The library's results on a frame, in the order of the expectations' places.

    Raises:
        InternalError: one was dropped, came back twice or could not be evaluated.
    """
    results = run_frame(frame, expectations, _COUNTS)
    answers_in_order(results, len(expectations))
    return sorted(results, key=lambda one: int(one.expectation_config.meta["place"]))


def examples_in(frame: pd.DataFrame, expectations: Sequence[Any]) -> dict[int, tuple[str, ...]]:
    """Ids of the first rows of a frame that are not as expected, by the expectations' places."""
    found = {}
    for one in run_frame(frame, expectations, _IDS) if expectations else ():
        parts = one.result.get("unexpected_index_list") or []
        ids = [name for part in parts for name in part[ID]]
        place = int(one.expectation_config.meta["place"])
        found[place] = tuple(str(name) for name in ids[:_EXAMPLES])
    return found


def frame_of(rows: int) -> pd.DataFrame:
    """A frame of so many rows and nothing else: all that is asked of a table as such."""
    import numpy as np
    import pandas as pd

    return pd.DataFrame({ID: np.zeros(rows, dtype=np.int8)})
