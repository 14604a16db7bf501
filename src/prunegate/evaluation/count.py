"""Count: a predictions table -> a tally per slice, by one GROUP BY inside the engine.

The table is read once, only its needed columns, and no row is ever materialised in Python: the
engine returns one line per combination of slicing values, label and decisions. The same pass finds
out whether every row could be read; only when some could not is the table asked for examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate.data.tables import Table, open_table
from prunegate.data.uniqueness import duplicate_ids
from prunegate.evaluation.decisions import Decisions
from prunegate.evaluation.grouping import with_groups
from prunegate.evaluation.key_texts import KeyTexts
from prunegate.evaluation.labels import Labels
from prunegate.evaluation.problems import of_check, of_ids, require_none
from prunegate.evaluation.reading import DIFFERS, N, Reading
from prunegate.evaluation.slices import Piece, SliceCounts, slice_counts
from prunegate.evaluation.values import ERROR, Values, quantities_of
from prunegate.policy.model import Policy

Rows = list[dict[str, Any]]
READINGS: dict[str, type[Reading]] = {
    "binary": Decisions,
    "multiclass": Labels,
    "score": Values,
    "language": Values,
}
"""How the columns are understood, by task kind."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The tally of every slice and what was noticed while counting."""

    slices: tuple[SliceCounts, ...]
    rows: int
    warnings: tuple[str, ...]


def needed_columns(policy: Policy) -> tuple[str, ...]:
    """Columns that judging reads, each once; ids are read apart, for uniqueness alone."""
    columns = policy.data.columns
    group = () if policy.group is None else (policy.group,)
    return tuple(
        dict.fromkeys((*_labels(policy), columns.baseline, columns.candidate, *policy.keys, *group))
    )


def _labels(policy: Policy) -> tuple[str, ...]:
    """The column that says what is right (or, for language, how long the document is)."""
    columns = policy.data.columns
    if policy.task.kind == "language":
        return (columns.tokens,)
    if policy.task.kind == "score" and ERROR not in quantities_of(policy):
        return ()
    return (columns.label,)


def open_predictions(policy: Policy, source: Any, *, with_ids: bool = False) -> Table:
    """Open a predictions table with just the columns that judging needs.

    Args:
        policy: the policy; its ``data: columns:`` maps the names.
        source: a path, a glob, several paths, or a pandas, Polars, Arrow, DuckDB or Spark frame.
        with_ids: also the id column.

    Raises:
        TableError: it cannot be read, is empty, or lacks a column.
    """
    columns = policy.data.columns
    values = (*_labels(policy), columns.baseline, columns.candidate)
    ids = (columns.id,) if with_ids else ()
    group = () if policy.group is None else (policy.group,)
    labels = values if policy.task.kind == "multiclass" else ()
    return open_table(
        source,
        (*ids, *needed_columns(policy)),
        text_columns=(*ids, *policy.keys, *group, *labels),
        numeric_columns=values,
    )


def reading_of(policy: Policy, table: Table) -> Reading:
    """How the table is read under the policy."""
    return READINGS[policy.task.kind](policy=policy, table=table)


def count(policy: Policy, table: Table) -> Counted:
    """The tally of every slice of the policy; ids are checked where the table has them.

    Raises:
        TableError: listing everything that keeps the table from being judged: rows that cannot be
            read, labels that the task does not have, repeated ids, empty slicing values.
    """
    reading = reading_of(policy, table)
    lines = _grouped(reading)
    require_none(table.name, _problems(reading, lines))
    texts = KeyTexts(keys=policy.keys)
    slices = slice_counts(policy, _pieces(reading, texts, lines))
    rows = slices[0].rows
    return Counted(
        slices=with_groups(reading, texts, slices),
        rows=rows,
        warnings=_identical(lines, rows),
    )


def _grouped(reading: Reading) -> Rows:
    broken = {
        _broken(place): check.broken.cast(nw.Int32).sum()
        for place, check in enumerate(reading.checks())
    }
    summed = {N: reading.rows(), DIFFERS: nw.col(DIFFERS).max(), **reading.aggregates(), **broken}
    by = [*reading.policy.keys, *reading.cells]
    frame = reading.frame()
    if not by:  # a GROUP BY needs something to group by
        frame, by = frame.with_columns(nw.lit(0).alias("prunegate__all")), ["prunegate__all"]
    counted = frame.group_by(*by).agg(*(e.alias(name) for name, e in summed.items()))
    with reading.table.reading():
        return counted.collect().rows(named=True)


def _broken(place: int) -> str:
    return f"prunegate__broken_{place}"


def _problems(reading: Reading, lines: Rows) -> list[str]:
    problems, failed = [], set()
    for place, check in enumerate(reading.checks()):
        rows = sum(int(line[_broken(place)] or 0) for line in lines)
        if rows:
            problems.append(of_check(reading, check, rows))
            failed.add(check.column)
    problems += reading.second_look(lines, failed)
    column = reading.policy.data.columns.id
    if column in reading.table.kinds:
        problems += of_ids(column, duplicate_ids(reading.table, column))
    return problems


def _pieces(reading: Reading, texts: KeyTexts, lines: Rows) -> Iterator[Piece]:
    keys = reading.policy.keys
    for line in lines:
        yield Piece(values=texts.of([line[key] for key in keys]), tally=reading.tally(line))


def _identical(lines: Rows, rows: int) -> tuple[str, ...]:
    return () if any(line[DIFFERS] for line in lines) else (identical(rows),)


def identical(rows: int) -> str:
    """The warning about two models that cannot be told apart."""
    return (
        f"Baseline and candidate agree exactly on all {rows:,} rows: is the candidate really the "
        "compressed model?"
    )
