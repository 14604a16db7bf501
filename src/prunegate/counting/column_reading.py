"""Reading: how the columns of a predictions table are understood under a policy.

One subclass per kind of task derives the columns that are counted or summed, says which rows
cannot be understood, and turns a line of the engine's answer into a tally. Everything is a
narwhals expression, so every engine counts alike. A row that cannot be understood makes the whole
table bad input: a gate that drops rows it does not like can be made to say anything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.tallies import Tally
from prunegate.counting.weighing import WEIGHT, Weighing, weighing_of
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.table import Table
from prunegate.policy.schema import Policy

LABEL, BASELINE, CANDIDATE = "prunegate__label", "prunegate__baseline", "prunegate__candidate"
"""Derived columns of decisions (1 or 0) and labels (texts); null: the row cannot be read."""
N, DIFFERS = "prunegate__n", "prunegate__differs"
"""Rows of a combination of values; derived column: 1 where the two models' values differ."""
EVERY = "prunegate__all"
"""Derived column: the same on every row."""


@dataclass(frozen=True, kw_only=True)
class ColumnCheck:
    """One way in which rows of a column can be unreadable."""

    column: str
    words: str
    """What such rows have, for people: completes ``3 rows with ...``."""
    broken: nw.Expr
    """True for such a row."""
    empty: str | None = None
    """The column of the answer that is empty just for such rows; None: they have to be counted."""
    share: bool = False
    """Whether numbers from 0 to 1 are asked for."""
    called: str | None = None
    """What the table calls the column, of one that is derived."""
    hint: str = ""
    """What to do, where the rows themselves say nothing of what was meant."""


@dataclass(frozen=True, kw_only=True)
class Reading(ABC):
    """How one table is read under one policy."""

    policy: Policy
    table: Table

    cells: ClassVar[tuple[str, ...]] = ()
    """Derived columns whose values tell the cells of a tally apart."""

    @abstractmethod
    def derived(self) -> Mapping[str, nw.Expr]:
        """The derived columns by name."""

    @abstractmethod
    def of_values(self) -> Sequence[ColumnCheck]:
        """What can be wrong with the labels and the models' columns."""

    @abstractmethod
    def aggregates(self) -> Mapping[str, nw.Expr]:
        """What is summed up per combination of slicing values and cells, beside the rows."""

    def cell(self, row: Mapping[str, Any], suffix: str = "") -> Hashable:
        """Which cell of a tally a line is about; ``suffix`` ends the columns' names."""
        return tuple(row[name + suffix] for name in self.cells)

    @abstractmethod
    def tally(self, row: Mapping[str, Any]) -> Tally:
        """One line of the engine's answer as a tally."""

    @property
    def positive(self) -> Any:
        """The positive label as the table's values have it; None: there is none."""
        return None

    def thresholds(self) -> Mapping[str, float]:
        """The threshold of every column of scores of 64 bits that is compared with one."""
        return {}

    def second_look(self, lines: Sequence[Mapping[str, Any]], failed: Set[str]) -> list[str]:
        """What is wrong with the table beyond single rows.

        Args:
            lines: the engine's answer, one line per combination of slicing values and cells.
            failed: columns with rows that cannot be read, about which enough is said.
        """
        del lines, failed
        return []

    def frame(self) -> nw.LazyFrame[Any]:
        """The table with the derived columns beside its own."""
        return self._with_derived

    @cached_property
    def _with_derived(self) -> nw.LazyFrame[Any]:
        columns = dict(self.derived())
        if self.weighing is not None:
            columns[WEIGHT] = self.weighing.derived
        return self.table.frame.with_columns(*(e.alias(name) for name, e in columns.items()))

    @cached_property
    def weighing(self) -> Weighing | None:
        """How the rows are weighed; None: all alike, or the table was opened without weights."""
        column = self.policy.weight
        weighed = column is not None and self.table.kinds.get(column) == "number"
        return weighing_of(self.table, str(column)) if weighed else None

    def grouped(self, sums: Mapping[str, nw.Expr]) -> nw.LazyFrame[Any]:
        """One line per combination of slicing values and cells: rows, what differs, aggregates.

        Args:
            sums: further sums over rows.
        """
        by, frame = [*self.policy.keys, *self.cells], self.frame()
        if not by:  # a GROUP BY needs something to group by
            frame, by = frame.with_columns(nw.lit(0).alias(EVERY)), [EVERY]
        summed = {N: self.rows(), DIFFERS: nw.col(DIFFERS).max(), **self.aggregates(), **sums}
        return frame.group_by(*by).agg(*(e.alias(name) for name, e in summed.items()))

    def rows(self) -> nw.Expr:
        """How many rows a group of the table's lines stands for."""
        return nw.len()

    def checks(self) -> tuple[ColumnCheck, ...]:
        """Everything that can be wrong with a row."""
        policy = self.policy
        empty = [
            ColumnCheck(
                column=key,
                words="no value, but the policy slices by it",
                broken=_is_empty(key),
                empty=key,
            )
            for key in policy.keys
        ]
        if policy.group is not None:
            empty.append(
                ColumnCheck(
                    column=policy.group,
                    words="no value, but the policy names it as the group",
                    broken=_is_empty(policy.group),
                )
            )
        return (*self.of_values(), *empty, *self._of_weights())

    def _of_weights(self) -> tuple[ColumnCheck, ...]:
        column = self.policy.weight
        if column is None or column not in self.table.kinds:
            return ()
        if self.weighing is None:
            broken = outside(self, column, nw.lit(None).cast(nw.Boolean))
            none = ColumnCheck(column=column, words="no number as its weight", broken=broken)
            return (none, *self._of_spelled_weights(column))
        return _checks_of(column, self.weighing)

    def _of_spelled_weights(self, column: str) -> tuple[ColumnCheck, ...]:
        """What is wrong with those texts that do spell a number."""
        there = column in self.table.frame.collect_schema().names()
        if self.table.kinds[column] != "text" or not there:
            return ()
        spelt = nw.when(~not_a_number(column)).then(nw.col(column)).cast(nw.Float64)
        checks = _checks_of(column, weighing_of(self.table, column, spelt))
        return checks[1:]  # no weight at all is no number, and told


def _checks_of(column: str, weighing: Weighing) -> tuple[ColumnCheck, ...]:
    return tuple(
        ColumnCheck(column=column, words=one.words, broken=one.broken) for one in weighing.unusable
    )


def _is_empty(column: str) -> nw.Expr:
    """Slicing keys and groups are read as text."""
    return nw.col(column).is_null() | (nw.col(column) == "")


def flag_expression(condition: nw.Expr, readable: nw.Expr) -> nw.Expr:
    """1 where the condition holds, 0 where not, null where the row cannot be read."""
    return nw.when(readable).then(nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)))


def number(column: str) -> nw.Expr:
    """A number or boolean as a 64-bit float; NaN as null."""
    value = nw.col(column).cast(nw.Float64)
    return nw.when(~value.is_nan()).then(value)


def text(column: str) -> nw.Expr:
    """A text; empty as null."""
    return nw.when(nw.col(column) != "").then(nw.col(column))


def value_expression(table: Table, column: str) -> nw.Expr:
    """A column's values as they are: texts, or 64-bit floats."""
    return text(column) if table.kinds[column] == "text" else number(column)


def outside(reading: Reading, column: str, inside: nw.Expr) -> nw.Expr:
    """True for a row of a column of numbers that is none, or lies outside."""
    kind = reading.table.kinds[column]
    if kind == "number":
        return ~inside.fill_null(value=False)
    if kind == "text":
        return not_a_number(column)
    value = nw.col(column)
    return value.is_null() | ~value.is_null()  # every row: a yes or no is no number


def texts_for_numbers(reading: Reading, columns: Sequence[str], failed: Set[str]) -> list[str]:
    """Columns of numbers written as text: whoever made the table converts them, nobody guesses."""
    return [
        f"column {shown(column)} holds text; convert it to numbers"
        for column in columns
        if reading.table.kinds[column] == "text" and column not in failed
    ]


NUMERIC = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"


def not_a_number(column: str) -> nw.Expr:
    """True where a text is no finite number."""
    return ~nw.col(column).str.contains(NUMERIC).fill_null(value=False)
