"""Loss change: by how much the candidate is worse than the baseline on each row.

One expression per kind of task (``tasks/``), computed in the engine. Above 0 the candidate lost,
below 0 it gained, 0 is no change; null is a row that cannot be read, which makes the table bad
input. Where rows are right or wrong a change is -1, 0 or 1.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

from prunegate.data.predictions.table import Table
from prunegate.errors import TableError

CHANGE = "prunegate__change"
"""Name of the derived column: float64, or null."""


def wrong_now_less_before(label: str, baseline: str, candidate: str) -> nw.Expr:
    """1 lost, -1 gained, 0 otherwise; null where any of the three columns is."""
    before, after = (nw.col(name) != nw.col(label) for name in (baseline, candidate))
    lost, gained = after & ~before, before & ~after
    readable = ~(nw.col(label).is_null() | nw.col(baseline).is_null() | nw.col(candidate).is_null())
    change = (
        nw.when(lost)
        .then(nw.lit(1.0))
        .otherwise(nw.when(gained).then(nw.lit(-1.0)).otherwise(nw.lit(0.0)))
    )
    return nw.when(readable).then(change).alias(CHANGE)


def with_difference(table: Table, one: str, other: str) -> nw.LazyFrame[Any]:
    """The table with ``one - other`` as its change, two columns of numbers.

    Raises:
        TableError: a column does not hold numbers throughout.
    """
    change = _number(table, one) - _number(table, other)
    return table.frame.with_columns(nw.when(change.is_finite()).then(change).alias(CHANGE))


def _number(table: Table, column: str) -> nw.Expr:
    if table.kinds[column] != "number":
        raise TableError(f"column '{column}' does not hold numbers throughout; correct the table")
    return nw.col(column).cast(nw.Float64)
