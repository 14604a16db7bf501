"""Partial counting: a predictions table with labels for some of its rows, counted by one GROUP BY.

Labels come from a list beside the table, from the table itself, or both; the two may not contradict
each other. Decisions are counted of every row.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import narwhals as nw
import pyarrow as pa

from prunegate.counting.column_reading import ColumnCheck, N, text
from prunegate.counting.count import columns_to_count, open_columns
from prunegate.counting.decisions import Decisions
from prunegate.counting.labels import Labels
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.partial_labels import PartialLabels
from prunegate.data.predictions.columns import quoted
from prunegate.data.predictions.engine import DuckDB
from prunegate.data.predictions.table import Table
from prunegate.errors import MissingColumnsError, TableError, UnsupportedError
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy

LISTED, CONTRADICTED = "prunegate__listed", "prunegate__contradicted"
"""Whether a row is on the list, and whether its label there is another than the table's own."""
UNSURE = "prunegate__unsure"
"""Whether somebody looked at a row and could not tell its label."""
_ID, _LABEL = "prunegate__listed_id", "prunegate__listed_label"
_DOUBTED = "prunegate__listed_unsure"


class PartialDecisions(Decisions):
    """Yes/no decisions of all rows, labels of some."""

    cells: ClassVar[tuple[str, ...]] = (*Decisions.cells, UNSURE)
    every_label: ClassVar[bool] = False

    def of_values(self) -> Sequence[ColumnCheck]:
        return super().of_values()[1:]  # without that of the label

    def tally(self, row: Mapping[str, Any]) -> PartialCounts:
        rows = int(row[N])
        label, baseline, candidate, looked_at = (row[name] for name in self.cells)
        decision = 2 * int(baseline) + int(candidate)
        decided, unsure, cells = [0] * 4, [0] * 4, [0] * 8
        decided[decision] = rows
        if label is not None:
            cells[4 * int(label) + decision] = rows
        elif looked_at:
            unsure[decision] = rows
        return PartialCounts(decided=tuple(decided), cells=tuple(cells), unsure=tuple(unsure))


class PartialLabelling(Labels):
    """Labels that two models give all rows; true labels of some."""

    cells: ClassVar[tuple[str, ...]] = (*Labels.cells, UNSURE)

    def of_values(self) -> Sequence[ColumnCheck]:
        """All but that every row has a label; one that it has must be one of the task's."""
        columns = self.policy.columns
        missing = text(columns.label).is_null()
        checks = super().of_values()[1:]  # without that of an empty label
        return [
            replace(check, broken=check.broken & ~missing)
            if check.column == columns.label
            else check
            for check in checks
        ]

    def tally(self, row: Mapping[str, Any]) -> PartialLabels:
        rows = int(row[N])
        label, baseline, candidate, looked_at = (row[name] for name in self.cells)
        pair = (value_text(baseline), value_text(candidate))
        cells = {} if label is None else {(value_text(label), *pair): rows}
        unsure = {pair: rows} if label is None and looked_at else {}
        return PartialLabels(decided={pair: rows}, cells=cells, unsure=unsure)


def partial_reading(policy: Policy, table: Table) -> PartialDecisions | PartialLabelling:
    """How a table with labels for some rows is read."""
    kind = PartialLabelling if policy.task.traits.classes else PartialDecisions
    return kind(policy=policy, table=table)


def open_unlabelled(policy: Policy, source: Any) -> Table:
    """A predictions table whose label column may be missing.

    Raises:
        TableError: as for ``open_predictions``.
    """
    columns = policy.columns
    wanted = dict.fromkeys((columns.id, *columns_to_count(policy)))
    try:
        return open_columns(policy, source, tuple(wanted))
    except MissingColumnsError as error:
        if list(error.missing) != [columns.label]:
            raise
    return open_columns(policy, source, tuple(name for name in wanted if name != columns.label))


def with_labels(
    policy: Policy, table: Table, listed: Mapping[str, Any], unsure: Collection[str] = ()
) -> Table:
    """The table with the labels of a list; its own ones count too.

    Args:
        policy: names the columns.
        table: from ``open_unlabelled``.
        listed: by id, the label (a text, or a number where the positive label is none); None: it
            has none there.
        unsure: ids of those that somebody looked at in vain.

    Raises:
        UnsupportedError: the table is Spark's.
        TableError: its own labels are of another kind than the policy's.
    """
    if not isinstance(table.engine, DuckDB):
        raise UnsupportedError(
            "labels for some rows are read with DuckDB; leave --engine spark out"
        )
    words = spelled_as_text(policy)
    columns = policy.columns
    own = _own(table, columns.label, text=words)
    rows: Any = table.frame.to_native()
    beside = table.engine.connection.from_arrow(_list_table(listed, unsure, text=words))
    joined = (
        rows.set_alias("t")
        .join(beside.set_alias("l"), f"t.{quoted(columns.id)} = l.{_ID}", how="left")
        .project(", ".join(_joined_cells(rows.columns, columns.label, own)))
    )
    return replace(
        table,
        frame=nw.from_native(joined),
        kinds={**table.kinds, columns.label: "text" if words else "number"},
        engine=DuckDB(connection=table.engine.connection),
    )


def _list_table(listed: Mapping[str, Any], unsure: Collection[str], *, text: bool) -> pa.Table:
    """The list as columns: an id, its label or NULL, and whether somebody could not tell it."""
    return pa.table(
        {
            _ID: pa.array(list(listed), pa.string()),
            _LABEL: pa.array(list(listed.values()), pa.string() if text else pa.float64()),
            _DOUBTED: pa.array([key in unsure for key in listed], pa.bool_()),
        }
    )


def _joined_cells(names: Sequence[str], label: str, own: str) -> list[str]:
    """The columns of rows (``t``) beside the list (``l``), in SQL.

    Args:
        names: columns of the table.
        label: that of its labels, which the list's come before.
        own: the table's own label, in SQL.
    """
    theirs = f"l.{_LABEL}"
    return [
        *(f"t.{quoted(name)}" for name in names if name != label),
        f"COALESCE({theirs}, {own}) AS {quoted(label)}",
        f"(l.{_ID} IS NOT NULL) AS {LISTED}",
        f"COALESCE({theirs} <> {own}, false) AS {CONTRADICTED}",
        f"COALESCE(l.{_DOUBTED} AND {own} IS NULL, false) AS {UNSURE}",
    ]


def spelled_as_text(policy: Policy) -> bool:
    """Whether labels are compared as they are spelled; else as numbers."""
    return policy.task.traits.classes or isinstance(policy.task.positive, str)


def _require_empty(table: Table, column: str) -> None:
    """Refuse labels of another kind than the policy's; a column without any is read as text."""
    rows: Any = table.frame.to_native()
    with table.reading():
        cell = f"CAST({quoted(column)} AS VARCHAR)"
        found = rows.filter(f"NULLIF({cell}, '') IS NOT NULL").limit(1).fetchall()
    if found:
        raise TableError(
            f"{table.name}: column '{column}' holds labels of another kind (text or numbers) than "
            "the policy's positive label; write it in the policy as the table does"
        )


def _own(table: Table, column: str, *, text: bool) -> str:
    """The table's own label in SQL, NULL where it has none."""
    kind = table.kinds.get(column)
    if kind is None:
        return f"CAST(NULL AS {'VARCHAR' if text else 'DOUBLE'})"
    cell = f"t.{quoted(column)}"
    if text != (kind == "text"):
        _require_empty(table, column)
        return f"CAST(NULL AS {'VARCHAR' if text else 'DOUBLE'})"
    if text:
        return f"NULLIF({cell}, '')"
    number = f"CAST({cell} AS DOUBLE)"
    return f"CASE WHEN isnan({number}) THEN NULL ELSE {number} END"
