"""Decisions: from a table's labels and scores to three yes/no columns, refusing what is neither.

The label column holds the policy's positive label and one other; scores lie in [0, 1] and become
positive at the threshold; without a threshold both models' columns hold labels. A row that cannot
be read so (empty, NaN, out of range, a third label) makes the whole table bad input: a gate that
drops rows it does not like can be made to say anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate.data.tables import Table
from prunegate.errors import TableError
from prunegate.policy.model import Policy

LABEL, BASELINE, CANDIDATE = "__label", "__baseline", "__candidate"
"""Names of the derived columns: 1 positive, 0 negative, null unreadable."""
OTHER, DIFFERS = "__other", "__differs"
"""The label where it is not the positive one; 1 where the two models' values differ."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the columns of one table are read under one policy."""

    policy: Policy
    table: Table

    @property
    def positive(self) -> Any:
        """The positive label, as the label column spells it.

        Raises:
            TableError: the column's type cannot hold the policy's positive label.
        """
        column, positive = self.policy.data.columns.label, self.policy.task.positive
        numeric = self.table.kinds[column] != "text"
        if numeric == isinstance(positive, str):
            kind = "numbers" if numeric else "text"
            raise TableError(
                f"column '{column}' holds {kind}, but the policy's positive label is "
                f"{positive!r}; write it in the policy as the table does"
            )
        return float(positive) if numeric else positive  # type: ignore[arg-type]  # not None by the policy's schema

    def frame(self) -> nw.LazyFrame[Any]:
        """The table with the derived columns beside its own."""
        columns = self.policy.data.columns
        label = self._value(columns.label)
        derived = [
            _as_flag(label == self.positive, ~label.is_null()).alias(LABEL),
            nw.when(label != self.positive).then(label).alias(OTHER),
            self._decision(columns.baseline).alias(BASELINE),
            self._decision(columns.candidate).alias(CANDIDATE),
            _as_flag(
                self._value(columns.baseline) != self._value(columns.candidate), nw.lit(True)
            ).alias(DIFFERS),
        ]
        return self.table.frame.with_columns(*derived)

    def _value(self, column: str) -> nw.Expr:
        """Text as it is, numbers and booleans as 64-bit floats; NaN and empty text as null."""
        value = nw.col(column)
        if self.table.kinds[column] == "text":
            return nw.when(value != "").then(value)
        number = value.cast(nw.Float64)
        return nw.when(~number.is_nan()).then(number)

    def _decision(self, column: str) -> nw.Expr:
        threshold = self.policy.task.threshold
        value = self._value(column)
        if threshold is None:
            return _as_flag(value == self._positive_in(column), ~value.is_null())
        if self.table.kinds[column] != "number":
            raise TableError(
                f"column '{column}' does not hold numbers throughout; with a threshold in the "
                "policy it must hold scores between 0 and 1"
            )
        return _as_flag(value >= threshold, (value >= 0) & (value <= 1))

    def _positive_in(self, column: str) -> Any:
        label = self.policy.data.columns.label
        if (self.table.kinds[column] == "text") != (self.table.kinds[label] == "text"):
            raise TableError(
                f"columns '{label}' and '{column}' hold different kinds of values; without a "
                "threshold in the policy both hold labels"
            )
        return self.positive


def _as_flag(condition: nw.Expr, readable: nw.Expr) -> nw.Expr:
    return nw.when(readable).then(nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)))
