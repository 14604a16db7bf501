"""Number tasks: each model gives each row one number, of which more, or less, is better."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.column_reading import DIFFERS
from prunegate.counting.loss_change import with_difference
from prunegate.counting.tasks.task_counting import RowAnswers, TaskCounting
from prunegate.data.predictions.table import Table
from prunegate.policy.schema import Policy


class NumberTask(TaskCounting):
    """How rows with one number of each model are counted."""

    more_is_better: ClassVar[bool]

    def with_change(self, policy: Policy, table: Table) -> nw.LazyFrame[Any]:
        before, after = policy.columns.baseline, policy.columns.candidate
        return with_difference(
            table, *((before, after) if self.more_is_better else (after, before))
        )

    @property
    def parted(self) -> nw.Expr:
        return nw.col(DIFFERS) == 1

    def answers(self, policy: Policy, row: Mapping[str, Any]) -> RowAnswers:
        columns = policy.columns
        before, after = float(row[columns.baseline]), float(row[columns.candidate])
        lost = after < before if self.more_is_better else after > before
        return RowAnswers(label="", baseline=before, candidate=after, lost=lost)
