"""Decisions: a binary task's labels and scores as three yes/no columns.

The label column holds the policy's positive label and one other; scores lie in [0, 1] and become
positive at the threshold; without a threshold both models' columns hold labels.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw
import numpy as np

from prunegate.counting.column_reading import (
    BASELINE,
    CANDIDATE,
    DIFFERS,
    LABEL,
    NUMERIC,
    ColumnCheck,
    N,
    Reading,
    flag_expression,
    number,
    outside,
    text,
    texts_for_numbers,
    value_expression,
)
from prunegate.counting.labellable import unlabelled_hint
from prunegate.counting.near_threshold import compared
from prunegate.counting.problems import examples
from prunegate.counting.tallies import JointCounts, Tally
from prunegate.counting.two_labels import HIGHEST, LOWEST, known_decisions, two_labels
from prunegate.data.predictions.spelled import canonical
from prunegate.policy.task import Role

VALUE = "prunegate__value"
"""The label itself, null where there is none."""
_YES_NO = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, kw_only=True)
class Decisions(Reading):
    """Yes/no decisions."""

    cells: ClassVar[tuple[str, ...]] = (LABEL, BASELINE, CANDIDATE)
    every_label: ClassVar[bool] = True
    """Whether every row has a label."""

    @property
    def positive(self) -> Any:
        """The positive label, as the label column spells it; None: it cannot hold it."""
        positive: Any = self.policy.task.positive
        kind = self.table.kinds[self.policy.columns.label]
        if kind == "text":
            return positive if isinstance(positive, str) else None
        if not isinstance(positive, str):
            return float(positive)
        if kind == "boolean":  # "True" as the file spells it
            return _YES_NO.get(canonical(positive, "boolean") or "")
        number = canonical(positive, "number")
        return None if number is None else float(number)

    def derived(self) -> Mapping[str, nw.Expr]:
        columns = self.policy.columns
        label = self.value(columns.label)
        return {
            LABEL: self._is_positive(label),
            VALUE: label,
            BASELINE: self._decision(columns.baseline, "baseline"),
            CANDIDATE: self._decision(columns.candidate, "candidate"),
            DIFFERS: self._differs(columns.baseline, columns.candidate),
        }

    def of_values(self) -> Sequence[ColumnCheck]:
        columns = self.policy.columns
        label = self.value(columns.label).is_null()
        return (
            ColumnCheck(
                column=columns.label,
                words="no label",
                broken=label,
                empty=self._flag(LABEL),
                hint=unlabelled_hint(self.policy),
            ),
            self._check(columns.baseline, BASELINE),
            self._check(columns.candidate, CANDIDATE),
        )

    def _flag(self, name: str) -> str | None:
        """A derived column that is null just where its own column cannot be read."""
        usable = self.positive is not None and (name == LABEL or self._decided(name))
        return name if usable else None

    def _decided(self, name: str) -> bool:
        columns = self.policy.columns
        column = columns.baseline if name == BASELINE else columns.candidate
        if self.policy.task.threshold is None:
            return self._alike(column)
        return self.table.kinds[column] == "number"

    def thresholds(self) -> Mapping[str, float]:
        columns, task = self.policy.columns, self.policy.task
        roles: tuple[tuple[str, Role], ...] = (
            (columns.baseline, "baseline"),
            (columns.candidate, "candidate"),
        )
        found = {column: task.threshold_of(role) for column, role in roles}
        return compared(self.table, found)

    def aggregates(self) -> Mapping[str, nw.Expr]:
        return {LOWEST: nw.col(VALUE).min(), HIGHEST: nw.col(VALUE).max()}

    def second_look(self, lines: Sequence[Mapping[str, Any]], failed: Set[str]) -> list[str]:
        columns = self.policy.columns
        pair = (columns.baseline, columns.candidate)
        if self.positive is None:
            return [self._wrong_kind()]
        if self.policy.task.threshold is not None:
            return [*self._two_labels(lines), *texts_for_numbers(self, pair, failed)]
        unlike = [column for column in pair if not self._alike(column)]
        if unlike:
            return [self._unlike(column) for column in unlike]
        return [*self._two_labels(lines), *known_decisions(self, lines)]

    def _two_labels(self, lines: Sequence[Mapping[str, Any]]) -> list[str]:
        return two_labels(self, lines, every=self.every_label)

    def _wrong_kind(self) -> str:
        column = self.policy.columns.label
        kind = "text" if self.table.kinds[column] == "text" else "numbers"
        found = examples(self, _is_word(column), column) if kind == "text" else ()
        some = f" (for example {', '.join(found)})" if found else ""
        leave_out = ", or name labels to leave out under 'task: ignore'" if found else ""
        return (
            f"column '{column}' holds {kind}{some}, but the policy's positive label is "
            f"{self.policy.task.positive!r}; write it in the policy as the table does{leave_out}"
        )

    def _unlike(self, column: str) -> str:
        return (
            f"columns '{self.policy.columns.label}' and '{column}' hold different kinds of "
            "values; without a threshold in the policy both hold labels"
        )

    def cell(self, row: Mapping[str, Any], suffix: str = "") -> int:
        label, baseline, candidate = (int(row[name + suffix]) for name in self.cells)
        return 4 * label + 2 * baseline + candidate

    def tally(self, row: Mapping[str, Any]) -> Tally:
        cells = [0] * 8
        cells[self.cell(row)] = int(row[N])
        return JointCounts(cells=tuple(cells))

    def value(self, column: str) -> nw.Expr:
        """Text as it is, numbers and booleans as 64-bit floats; NaN and empty text as null."""
        return value_expression(self.table, column)

    def _differs(self, one: str, other: str) -> nw.Expr:
        if self.table.kinds[one] != self.table.kinds[other]:
            return nw.lit(1)
        return flag_expression(self.value(one) != self.value(other), nw.lit(value=True))

    def _decision(self, column: str, role: Role) -> nw.Expr:
        threshold = self.policy.task.threshold_of(role)
        if threshold is None:
            return self._is_positive(self.value(column), column)
        if column in self.table.singles:
            threshold = threshold_of_singles(threshold)
        value = self._score(column)
        return flag_expression(value >= threshold, (value >= 0) & (value <= 1))

    def _check(self, column: str, name: str) -> ColumnCheck:
        empty = self._flag(name)
        if self.policy.task.threshold is None:
            broken = self.value(column).is_null()
            return ColumnCheck(column=column, words="no label", broken=broken, empty=empty)
        value = self._score(column)
        inside = (value >= 0) & (value <= 1)
        words = "no score between 0 and 1"
        broken = outside(self, column, inside)
        return ColumnCheck(column=column, words=words, broken=broken, empty=empty, share=True)

    def _score(self, column: str) -> nw.Expr:
        scored = self.table.kinds[column] == "number"
        return number(column) if scored else nw.lit(None).cast(nw.Float64)

    def _is_positive(self, value: nw.Expr, column: str | None = None) -> nw.Expr:
        if self.positive is None or (column is not None and not self._alike(column)):
            return nw.lit(None).cast(nw.Int32)
        return flag_expression(value == self.positive, ~value.is_null())

    def _alike(self, column: str) -> bool:
        """Whether a column of decisions holds the same kind of values as the labels."""
        kinds = self.table.kinds
        label = self.policy.columns.label
        return (kinds[column] == "text") == (kinds[label] == "text")


def _is_word(column: str) -> nw.Expr:
    """True for a text that is neither empty nor a number."""
    return ~text(column).fill_null("0").str.contains(NUMERIC)


def threshold_of_singles(threshold: float) -> float:
    """The threshold among 32-bit floats at which a column decides as its decimals would.

    0.7 as such a float is less than 0.7, and a file of text holds 0.7 for it: it is reached.

    >>> threshold_of_singles(0.7) < 0.7
    True
    """
    single = np.float32(threshold)
    reached = float(str(single)) >= threshold
    return float(single if reached else np.nextafter(single, np.float32(2)))
