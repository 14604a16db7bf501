"""The binary task: yes or no, by a label and two scores (or decisions)."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.column_reading import BASELINE, CANDIDATE, LABEL, flag_expression
from prunegate.counting.decisions import Decisions
from prunegate.counting.loss_change import wrong_now_less_before
from prunegate.counting.tallies import JointCounts
from prunegate.counting.tasks.joint_lines import DecisionLines, decisions_of
from prunegate.counting.tasks.task_counting import RowAnswers, TaskCounting
from prunegate.data.predictions.table import Table
from prunegate.errors import TableError
from prunegate.metrics.task_traits import TRAITS
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy


class BinaryTask(TaskCounting):
    """Yes/no decisions; a change of loss is wrong now minus wrong before."""

    traits: ClassVar = TRAITS["binary"]
    reads: ClassVar = Decisions
    reads_counts: ClassVar = DecisionLines
    none: ClassVar = JointCounts()

    def line(self, values: Sequence[Any], rows: int) -> JointCounts:
        label, baseline, candidate = decisions_of(values)
        cells = [0] * 8
        cells[4 * label + 2 * baseline + candidate] = rows
        return JointCounts(cells=tuple(cells))

    def label_values(self, policy: Policy, table: Table) -> list[nw.Expr]:
        """Positive or not, however the table spells it.

        Raises:
            TableError: the column cannot hold the positive label.
        """
        reading = Decisions(policy=policy, table=table)
        if reading.positive is None:
            raise TableError(
                f"{table.name}: the label column cannot hold the positive label "
                f"{policy.task.positive!r}; write it in the policy as the table does"
            )
        label = reading.value(policy.columns.label)
        return [flag_expression(label == reading.positive, ~label.is_null())]

    def with_change(self, policy: Policy, table: Table) -> nw.LazyFrame[Any]:
        frame = self.reading(policy, table).frame()
        return frame.with_columns(wrong_now_less_before(LABEL, BASELINE, CANDIDATE))

    @property
    def parted(self) -> nw.Expr:
        return nw.col(BASELINE) != nw.col(CANDIDATE)

    def distance(self, policy: Policy) -> nw.Expr:
        """Of scores; decisions are as far apart as they can be."""
        return nw.lit(1.0) if policy.task.threshold is None else super().distance(policy)

    def answers(self, policy: Policy, row: Mapping[str, Any]) -> RowAnswers:
        columns = policy.columns
        scored = policy.task.threshold is not None
        return RowAnswers(
            label=value_text(row[columns.label]),
            baseline=float(row[columns.baseline] if scored else row[BASELINE]),
            candidate=float(row[columns.candidate] if scored else row[CANDIDATE]),
            lost=bool(row[BASELINE] == row[LABEL]),
        )
