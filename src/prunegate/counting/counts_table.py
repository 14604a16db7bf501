"""Counts table: joint counts that somebody else has made -> a tally per slice.

A frame with the slicing columns, ``label``, ``baseline``, ``candidate`` (each 1 or 0; labels where
there are several classes) and ``n``, and the group column where the policy names one. Rows may
repeat and are summed; rows with n = 0 are legal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import narwhals as nw

from prunegate.counting.grouping import with_groups
from prunegate.counting.production_counts import with_production
from prunegate.counting.slices import KeyTexts, Piece, SliceCounts, slice_counts
from prunegate.counting.tasks.every import task_of
from prunegate.counting.tasks.joint_lines import (
    DECISIONS,
    ROWS,
    refuse_weights_of_counts,
    whole_of,
)
from prunegate.data.predictions.open_table import open_table
from prunegate.errors import TableError
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import require_decisions_do

_NO_SCORES = "joint counts hold decisions; give the predictions themselves (gate --predictions)"
_SHOWN = 20
"""Lines of a table that are named, of those that are wrong."""


def read_counts(policy: Policy, frame: Any) -> tuple[SliceCounts, ...]:
    """The tally of every slice, from a frame that narwhals can read.

    Raises:
        TableError: not a frame, a missing column, decisions that are not 1 or 0 and ``n`` that
            are no whole numbers from 0 up, listed by row, an empty group, or no rows at all.
        UnsupportedError: a task of numbers, whose rows no joint counts can stand for.
    """
    task = task_of(policy)
    if task.reads_counts is None:
        raise task.no_counts()
    require_decisions_do(policy, _NO_SCORES)
    refuse_weights_of_counts(policy)
    table = _eager(frame)
    group = () if policy.group is None else (policy.group,)
    wanted = (*policy.keys, *DECISIONS, ROWS, *group)
    _require_columns(policy, table, wanted)
    _require_whole(policy, table)
    texts = KeyTexts(keys=policy.keys)
    slices = slice_counts(policy, _pieces(policy, texts, table))
    if policy.group is None:
        return with_production(policy, slices)
    _require_groups(policy.group, table)
    table = table.filter(nw.col(ROWS) > 0)  # a group that no row is of is none
    opened = open_table(
        table.select(*dict.fromkeys(wanted)),
        tuple(dict.fromkeys(wanted)),
        text_columns=(*policy.keys, policy.group, *(DECISIONS if task.as_text else ())),
    )
    return with_groups(task.reading_of_counts(policy, opened), texts, slices)


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


def wrong_lines(policy: Policy, lines: Iterable[tuple[int, Mapping[str, Any]]]) -> list[str]:
    """What is wrong with lines of joint counts, each with its place, from 1 after the header."""
    found = []
    for place, line in lines:
        if odd := ", ".join(_odd(policy, line)):
            found.append(f"row {place:,}: {odd}")
    more = [f"and {len(found) - _SHOWN:,} more rows"] if len(found) > _SHOWN else []
    return found[:_SHOWN] + more


def _odd(policy: Policy, line: Mapping[str, Any]) -> Iterator[str]:
    reads = (
        partial(task_of(policy).line, [line[name] for name in DECISIONS], 0),
        partial(whole_of, line[ROWS]),
    )
    for read in reads:
        try:
            read()
        except TableError as error:
            yield str(error)


def _require_whole(policy: Policy, table: nw.DataFrame[Any]) -> None:
    lines = table.select(*DECISIONS, ROWS).rows(named=True)
    if odd := wrong_lines(policy, enumerate(lines, start=1)):
        listed = "".join(f"\n  {one}" for one in odd)
        raise TableError(f"the counts cannot be judged:{listed}")


def _pieces(policy: Policy, texts: KeyTexts, table: nw.DataFrame[Any]) -> Iterator[Piece]:
    columns = {name: table[name].to_list() for name in (*policy.keys, *DECISIONS, ROWS)}
    task = task_of(policy)
    for index in range(len(table)):
        values = [columns[name][index] for name in DECISIONS]
        yield Piece(
            values=texts.of([columns[key][index] for key in policy.keys]),
            tally=task.line(values, whole_of(columns[ROWS][index])),
        )
