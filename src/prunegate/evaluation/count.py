"""Count: a predictions table -> joint counts per slice, by one GROUP BY inside the engine.

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
from prunegate.errors import TableError, UnsupportedError
from prunegate.evaluation.decisions import BASELINE, CANDIDATE, DIFFERS, LABEL, OTHER, Reading
from prunegate.evaluation.key_texts import KeyTexts
from prunegate.evaluation.slices import CellRow, SliceCounts, slice_counts
from prunegate.policy.model import Policy

_N, _LOW, _HIGH = "__n", "__other_low", "__other_high"
EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The joint counts of a table and what was noticed while counting."""

    slices: tuple[SliceCounts, ...]
    rows: int
    warnings: tuple[str, ...]


def needed_columns(policy: Policy) -> tuple[str, ...]:
    """Columns that judging reads, each once; ids are read apart, for uniqueness alone."""
    columns = policy.data.columns
    return tuple(dict.fromkeys((columns.label, columns.baseline, columns.candidate, *policy.keys)))


def open_predictions(policy: Policy, source: Any, *, with_ids: bool = False) -> Table:
    """Open a predictions table with just the columns that judging needs.

    Args:
        policy: the policy; its ``data: columns:`` maps the names.
        source: a path, a glob, several paths, or a pandas, Polars, Arrow or DuckDB frame.
        with_ids: also the id column.

    Raises:
        TableError: it cannot be read, is empty, or lacks a column.
    """
    columns = policy.data.columns
    ids = (columns.id,) if with_ids else ()
    return open_table(
        source,
        (*ids, *needed_columns(policy)),
        text_columns=(*ids, *policy.keys),
        numeric_columns=(columns.label, columns.baseline, columns.candidate),
    )


def require_supported(policy: Policy) -> None:
    """Refuse, by name, what this version does not judge.

    Raises:
        UnsupportedError: another task kind than binary, or a group column.
    """
    if policy.task.kind != "binary":
        raise UnsupportedError(
            f"task kind '{policy.task.kind}' is not judged by this version; it judges: binary"
        )
    if policy.group is not None:
        raise UnsupportedError(
            "'group' (rows that depend on each other) is not judged by this version; judging such "
            "rows as independent would be too sure, so nothing was judged"
        )


def count(policy: Policy, table: Table) -> Counted:
    """Joint counts of every slice of the policy.

    Raises:
        TableError: rows that cannot be read, more than two labels, no positive label, no rows, an
            empty slicing value, or slicing values that only differ by Unicode normalisation.
    """
    require_supported(policy)
    reading = Reading(policy=policy, table=table)
    groups = _grouped(reading)
    _require_readable(reading, groups)
    _require_two_labels(reading, groups)
    rows = sum(group[_N] for group in groups)
    return Counted(
        slices=slice_counts(policy, _cell_rows(policy, groups)),
        rows=rows,
        warnings=_identical(groups, rows),
    )


def _grouped(reading: Reading) -> list[dict[str, Any]]:
    keys = [*reading.policy.keys, LABEL, BASELINE, CANDIDATE]
    counted = (
        reading.frame()
        .group_by(*keys)
        .agg(
            nw.len().alias(_N),
            nw.col(OTHER).min().alias(_LOW),
            nw.col(OTHER).max().alias(_HIGH),
            nw.col(DIFFERS).sum().alias(DIFFERS),
        )
    )
    with reading.table.reading():
        return counted.collect().rows(named=True)


def _require_readable(reading: Reading, groups: list[dict[str, Any]]) -> None:
    columns = reading.policy.data.columns
    names = {LABEL: columns.label, BASELINE: columns.baseline, CANDIDATE: columns.candidate}
    problems = []
    for flag, column in names.items():
        broken = sum(group[_N] for group in groups if group[flag] is None)
        if broken:
            problems.append(_describe(reading, flag, column, broken))
    if problems:
        raise TableError("; ".join(problems) + ". Correct these rows; none may be left out")


def _describe(reading: Reading, flag: str, column: str, broken: int) -> str:
    found = reading.frame().filter(nw.col(flag).is_null()).select(nw.col(column)).head(EXAMPLES)
    with reading.table.reading():
        values = sorted({repr(row[0]) for row in found.collect().rows()})
    scores = flag != LABEL and reading.policy.task.threshold is not None
    what = "no score between 0 and 1" if scores else "no label"
    noun = "row" if broken == 1 else "rows"
    return f"column '{column}': {broken:,} {noun} with {what} (for example {', '.join(values)})"


def _require_two_labels(reading: Reading, groups: list[dict[str, Any]]) -> None:
    column, positive = reading.policy.data.columns.label, reading.policy.task.positive
    others = {g[end] for g in groups for end in (_LOW, _HIGH) if g[end] is not None}
    if len(others) > 1:
        some = ", ".join(sorted(repr(other) for other in others)[:EXAMPLES])
        raise TableError(
            f"column '{column}' holds more than one label beside {positive!r} (for example "
            f"{some}); a binary task has two labels"
        )
    if groups and not any(group[LABEL] for group in groups):
        raise TableError(
            f"no row of column '{column}' has the positive label {positive!r} (found: "
            f"{', '.join(repr(other) for other in others)}); correct 'task: positive' or the table"
        )
    _require_known_decisions(reading, others)


def _require_known_decisions(reading: Reading, others: set[Any]) -> None:
    """Without a threshold the models' columns hold labels: the positive one or the other one."""
    if reading.policy.task.threshold is not None:
        return
    columns = reading.policy.data.columns
    known = {reading.positive, *others}
    pair = (columns.baseline, columns.candidate)
    extra = {column: _labels(reading, column, len(known)) - known for column in pair}
    every = set().union(*extra.values())
    # A table without negatives does not show how their label is spelled: then one may be new.
    if every and (others or len(every) > 1):
        column = next(column for column, found in extra.items() if found)
        some = ", ".join(sorted(repr(value) for value in every)[:EXAMPLES])
        raise TableError(
            f"column '{column}' holds labels that column '{columns.label}' does not "
            f"({some}); if it holds scores, give 'task: threshold' in the policy"
        )


def _labels(reading: Reading, column: str, known: int) -> set[Any]:
    """Different values of a column, a few more than are known."""
    found = reading.table.frame.select(nw.col(column)).unique().head(known + EXAMPLES)
    with reading.table.reading():
        return {_comparable(row[0]) for row in found.collect().rows()}


def _comparable(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


def _cell_rows(policy: Policy, groups: list[dict[str, Any]]) -> Iterator[CellRow]:
    texts = KeyTexts(keys=policy.keys)
    for group in groups:
        cell = 4 * group[LABEL] + 2 * group[BASELINE] + group[CANDIDATE]
        values = texts.of([group[key] for key in policy.keys])
        yield CellRow(values=values, cell=cell, n=group[_N])


def _identical(groups: list[dict[str, Any]], rows: int) -> tuple[str, ...]:
    return () if any(group[DIFFERS] for group in groups) else (identical(rows),)


def identical(rows: int) -> str:
    """The warning about two models that cannot be told apart."""
    return (
        f"Baseline and candidate agree exactly on all {rows:,} rows: is the candidate really the "
        "compressed model?"
    )
