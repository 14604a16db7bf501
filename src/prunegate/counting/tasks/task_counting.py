"""Task counting: all that counting has to know of one kind of task, in one object.

How its columns are read and checked, what its rows sum up to, by how much a row's loss changed, and
how a row is shown on which the two models part. Whoever counts, digests, looks for slices or picks
examples asks the object (``every.py``) and never compares names. What holds below the policy, too,
is in its traits (``metrics/task_traits.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.column_reading import Reading, number, value_expression
from prunegate.counting.tallies import Tally
from prunegate.data.predictions.table import Table
from prunegate.errors import UnsupportedError
from prunegate.metrics.task_traits import TaskTraits
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role


@dataclass(frozen=True, kw_only=True)
class RowAnswers:
    """What both models say of one row, for people."""

    label: str
    """Empty where the task has no labels."""
    baseline: float | str
    """The score (or 0/1 decision), or the label that the model chose."""
    candidate: float | str
    lost: bool
    """The candidate is the one that is wrong, or worse."""
    class_label: str | None = None
    """The one of several labels that it is about; None: the whole row."""


class TaskCounting(ABC):
    """How the rows of one kind of task are counted; stateless."""

    traits: ClassVar[TaskTraits]
    reads: ClassVar[type[Reading]]
    """How the columns of predictions are understood."""
    reads_counts: ClassVar[type[Reading] | None] = None
    """How lines of joint counts are understood; None: no such counts can stand for the rows."""
    none: ClassVar[Tally]
    """The tally of no rows."""
    as_text: ClassVar[bool] = False
    """Whether labels and answers are compared as texts, however the table spells them."""

    def reading(self, policy: Policy, table: Table) -> Reading:
        """How a predictions table is read under a policy."""
        return self.reads(policy=policy, table=table)

    def reading_of_counts(self, policy: Policy, table: Table) -> Reading:
        """How a table of joint counts is read; raises ``UnsupportedError`` as ``line`` does."""
        if self.reads_counts is None:
            raise self.no_counts()
        return self.reads_counts(policy=policy, table=table)

    def line(self, values: Sequence[Any], rows: int) -> Tally:
        """A line of joint counts: label, baseline and candidate, and how many rows have these.

        Raises:
            UnsupportedError: no joint counts can stand for rows of such a task.
            TableError: values that are none of the task's, all of them.
        """
        del values, rows
        raise self.no_counts()

    def no_counts(self) -> UnsupportedError:
        """Why joint counts cannot be judged."""
        return UnsupportedError(
            f"a {self.traits.name} task has no joint counts; give the predictions themselves"
        )

    def label_columns(self, policy: Policy) -> tuple[str, ...]:
        """The columns that say what is right, or how much a row weighs."""
        return (policy.columns.label,)

    def model_columns(self, policy: Policy, role: Role) -> tuple[str, ...]:
        """The columns that say what a model answers."""
        return (getattr(policy.columns, role),)

    def answer_values(self, policy: Policy, table: Table, role: Role) -> list[nw.Expr]:
        """What a model answers, as the table has it: what the digest of its answers is made of."""
        return [value_expression(table, getattr(policy.columns, role))]

    def label_values(self, policy: Policy, table: Table) -> list[nw.Expr]:
        """What is right, as the policy reads it: what a gate set's digest is made of.

        Raises:
            TableError: the table cannot hold it.
        """
        return [value_expression(table, column) for column in self.label_columns(policy)]

    def warnings(self, policy: Policy, overall: Tally) -> tuple[str, ...]:
        """What a reader should know of the rows as they were counted."""
        del policy, overall
        return ()

    @abstractmethod
    def with_change(self, policy: Policy, table: Table) -> nw.LazyFrame[Any]:
        """The table with the column ``CHANGE`` (``loss_change.py``) beside its own.

        Raises:
            TableError: a column does not hold what the task needs.
        """

    @property
    @abstractmethod
    def parted(self) -> nw.Expr:
        """True for rows on which the models part, worth showing; of the reading's columns."""

    def distance(self, policy: Policy) -> nw.Expr:
        """How far apart the models are on a row."""
        columns = policy.columns  # as floats: unsigned integers cannot go below zero
        return (number(columns.baseline) - number(columns.candidate)).abs()

    @abstractmethod
    def answers(self, policy: Policy, row: Mapping[str, Any]) -> RowAnswers:
        """One row of the reading's frame, for people."""

    def parted_answers(self, policy: Policy, row: Mapping[str, Any]) -> Sequence[RowAnswers]:
        """The same, once for each question on which the models part."""
        return (self.answers(policy, row),)
