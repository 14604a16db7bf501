"""Counts table: joint counts that somebody else has made -> a tally per slice.

A frame with the slicing columns, ``label``, ``baseline``, ``candidate`` (each 1 or 0; labels where
there are several classes) and ``n``, and the group column where the policy names one. Rows may
repeat and are summed; rows with n = 0 are legal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import BASELINE, CANDIDATE, LABEL, Reading
from prunegate.counting.decisions import Decisions
from prunegate.counting.grouping import with_groups
from prunegate.counting.labels import Labels
from prunegate.counting.slices import KeyTexts, Piece, SliceCounts, slice_counts
from prunegate.counting.tallies import JointCounts, LabelCounts, Tally
from prunegate.data.predictions.open_table import open_table
from prunegate.errors import TableError, UnsupportedError
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy

DECISIONS = ("label", "baseline", "candidate")
ROWS = "n"
_MOST_ROWS = 10**12
"""Of one line; sums over all lines stay whole numbers in every engine."""


def read_counts(policy: Policy, frame: Any) -> tuple[SliceCounts, ...]:
    """The tally of every slice, from a frame that narwhals can read.

    Raises:
        TableError: not a frame, a missing column, a decision that is not 1 or 0, an ``n`` that is
            not a whole number from 0 up, an empty group, or no rows at all.
        UnsupportedError: a task of numbers, whose rows no joint counts can stand for.
    """
    if policy.task.kind not in ("binary", "multiclass"):
        raise UnsupportedError(
            f"a {policy.task.kind} task has no joint counts; give the predictions themselves"
        )
    table = _eager(frame)
    group = () if policy.group is None else (policy.group,)
    wanted = (*policy.keys, *DECISIONS, ROWS, *group)
    _require_columns(policy, table, wanted)
    texts = KeyTexts(keys=policy.keys)
    slices = slice_counts(policy, _pieces(policy, texts, table))
    if policy.group is None:
        return slices
    _require_groups(policy.group, table)
    kind = _GROUPED[policy.task.kind]
    table = table.filter(nw.col(ROWS) > 0)  # a group that no row is of is none
    opened = open_table(
        table.select(*dict.fromkeys(wanted)),
        tuple(dict.fromkeys(wanted)),
        text_columns=(*policy.keys, policy.group, *(DECISIONS if kind is _LabelCounts else ())),
    )
    return with_groups(kind(policy=policy, table=opened), texts, slices)


def _eager(frame: Any) -> nw.DataFrame[Any]:
    try:
        native = nw.from_native(frame)
    except TypeError as error:
        raise TableError(
            "counts must be a data frame (pandas, Polars, Arrow, DuckDB), not a "
            f"{type(frame).__name__}"
        ) from error
    return native.collect() if isinstance(native, nw.LazyFrame) else native


def _require_columns(policy: Policy, table: nw.DataFrame[Any], wanted: tuple[str, ...]) -> None:
    missing = [name for name in dict.fromkeys(wanted) if name not in table.columns]
    if missing:
        raise TableError(
            f"the counts lack the column(s) {', '.join(missing)}; they need the slicing columns, "
            "label, baseline, candidate (1 or 0) and n"
        )
    taken = [key for key in policy.keys if key in (*DECISIONS, ROWS)]
    if taken:
        raise TableError(
            f"the counts' column {taken[0]!r} cannot be a slicing key as well; rename the key"
        )


def _require_groups(group: str, table: nw.DataFrame[Any]) -> None:
    empty = sum(value is None or value != value or value == "" for value in table[group].to_list())  # noqa: PLR0124  # NaN differs from itself
    if empty:
        raise TableError(f"the counts' column {group!r} has {empty:,} rows without a value")


def _pieces(policy: Policy, texts: KeyTexts, table: nw.DataFrame[Any]) -> Iterator[Piece]:
    columns = {name: table[name].to_list() for name in (*policy.keys, *DECISIONS, ROWS)}
    tally = _joint if policy.task.kind == "binary" else _labelled
    for index in range(len(table)):
        yield Piece(
            values=texts.of([columns[key][index] for key in policy.keys]),
            tally=tally(columns, index),
        )


def _joint(columns: Mapping[str, list[Any]], index: int) -> Tally:
    label, baseline, candidate = (_flag(columns, name, index) for name in DECISIONS)
    cells = [0] * 8
    cells[4 * label + 2 * baseline + candidate] = _whole(columns[ROWS][index], index)
    return JointCounts(cells=tuple(cells))


def _labelled(columns: Mapping[str, list[Any]], index: int) -> Tally:
    label, baseline, candidate = (_label(columns, name, index) for name in DECISIONS)
    n = _whole(columns[ROWS][index], index)
    return LabelCounts(cells={(label, baseline, candidate): n} if n else {})


def _label(columns: Mapping[str, list[Any]], name: str, index: int) -> str:
    value = columns[name][index]
    if value is None or value != value or value == "":  # NaN differs from itself  # noqa: PLR0124  # NaN differs from itself
        raise TableError(f"counts row {index}: {name} has no label")
    return value_text(value)


def _flag(columns: Mapping[str, list[Any]], name: str, index: int) -> int:
    value = columns[name][index]
    if value in (0, 1) and not isinstance(value, str):
        return int(value)
    raise TableError(f"counts row {index}: {name} is {value!r}; it must be 1 or 0")


def _whole(value: Any, index: int) -> int:
    # Decimal: the sum of an integer column in DuckDB
    number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    if number and 0 <= value <= _MOST_ROWS and value == int(value):
        return int(value)
    raise TableError(
        f"counts row {index}: n is {value!r}; it must be a whole number from 0 to {_MOST_ROWS:,}"
    )


@dataclass(frozen=True, kw_only=True)
class _JointCounts(Decisions):
    """Decisions that are 1 or 0 already, a line for many rows."""

    def derived(self) -> Mapping[str, nw.Expr]:
        pairs = zip((LABEL, BASELINE, CANDIDATE), DECISIONS, strict=True)
        return {name: nw.col(column).cast(nw.Int64) for name, column in pairs}

    def rows(self) -> nw.Expr:
        return nw.col(ROWS).cast(nw.Int64).sum()


@dataclass(frozen=True, kw_only=True)
class _LabelCounts(Labels):
    """Labels, a line for many rows."""

    def derived(self) -> Mapping[str, nw.Expr]:
        pairs = zip((LABEL, BASELINE, CANDIDATE), DECISIONS, strict=True)
        return {name: nw.col(column) for name, column in pairs}

    def rows(self) -> nw.Expr:
        return nw.col(ROWS).cast(nw.Int64).sum()


_GROUPED: dict[str, type[Reading]] = {"binary": _JointCounts, "multiclass": _LabelCounts}
