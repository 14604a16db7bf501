"""Counts table: joint counts that somebody else has made -> joint counts per slice.

A frame with the slicing columns, ``label``, ``baseline``, ``candidate`` (each 1 or 0) and ``n``.
Rows may repeat and are summed; rows with n = 0 are legal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import narwhals as nw

from prunegate.errors import TableError
from prunegate.evaluation.count import require_supported
from prunegate.evaluation.key_texts import KeyTexts
from prunegate.evaluation.slices import CellRow, SliceCounts, slice_counts
from prunegate.policy.model import Policy

DECISIONS = ("label", "baseline", "candidate")


def read_counts(policy: Policy, frame: Any) -> tuple[SliceCounts, ...]:
    """Joint counts of every slice, from a frame that narwhals can read.

    Raises:
        TableError: not a frame, a missing column, a decision that is not 1 or 0, an ``n`` that is
            not a whole number from 0 up, or no rows at all.
    """
    require_supported(policy)
    table = _eager(frame)
    missing = [c for c in (*policy.keys, *DECISIONS, "n") if c not in table.columns]
    if missing:
        raise TableError(
            f"the counts lack the column(s) {', '.join(missing)}; they need the slicing columns, "
            "label, baseline, candidate (1 or 0) and n"
        )
    return slice_counts(policy, _cell_rows(policy, table))


def _eager(frame: Any) -> nw.DataFrame[Any]:
    try:
        native = nw.from_native(frame)
    except TypeError as error:
        raise TableError(
            "counts must be a data frame (pandas, Polars, Arrow, DuckDB), not a "
            f"{type(frame).__name__}"
        ) from error
    return native.collect() if isinstance(native, nw.LazyFrame) else native


def _cell_rows(policy: Policy, table: nw.DataFrame[Any]) -> Iterator[CellRow]:
    texts = KeyTexts(keys=policy.keys)
    columns = {name: table[name].to_list() for name in (*policy.keys, *DECISIONS, "n")}
    for index in range(len(table)):
        label, baseline, candidate = (_flag(columns, name, index) for name in DECISIONS)
        yield CellRow(
            values=texts.of([columns[key][index] for key in policy.keys]),
            cell=4 * label + 2 * baseline + candidate,
            n=_whole(columns["n"][index], index),
        )


def _flag(columns: dict[str, list[Any]], name: str, index: int) -> int:
    value = columns[name][index]
    if value in (0, 1) and not isinstance(value, str):
        return int(value)
    raise TableError(f"counts row {index}: {name} is {value!r}; it must be 1 or 0")


def _whole(value: Any, index: int) -> int:
    # Decimal: the sum of an integer column in DuckDB
    number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    if number and math.isfinite(value) and value >= 0 and value == int(value):
        return int(value)
    raise TableError(f"counts row {index}: n is {value!r}; it must be a whole number from 0 up")
