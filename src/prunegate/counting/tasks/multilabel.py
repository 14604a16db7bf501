"""The multilabel task: any number of several labels a row, each decided by itself."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import narwhals as nw

from prunegate.counting.class_columns import beside_column, names_column
from prunegate.counting.column_reading import value_expression
from prunegate.counting.label_set_reading import MODELS, PARTED, LabelSetReading, flag, wrong
from prunegate.counting.label_sets import LabelSets
from prunegate.counting.loss_change import CHANGE
from prunegate.counting.tasks.task_counting import RowAnswers, TaskCounting
from prunegate.data.predictions.table import Table
from prunegate.metrics.task_traits import TRAITS
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role


class MultilabelTask(TaskCounting):
    """Sets of labels; a change of loss is 1 where a row was right as a whole and is no more."""

    traits: ClassVar = TRAITS["multilabel"]
    reads: ClassVar = LabelSetReading
    none: ClassVar = LabelSets()

    def label_columns(self, policy: Policy) -> tuple[str, ...]:
        return self._columns(policy, "label")

    def model_columns(self, policy: Policy, role: Role) -> tuple[str, ...]:
        return self._columns(policy, role)

    def _columns(self, policy: Policy, role: str) -> tuple[str, ...]:
        own = (policy.label_column(role, label) for label in policy.task.labels)
        return (*own, names_column(policy, role), beside_column(policy, role))

    def label_values(self, policy: Policy, table: Table) -> list[nw.Expr]:
        """The set as a text of 1 and 0, by the labels' names, in whatever order they are listed."""
        reading, names = LabelSetReading(policy=policy, table=table), policy.task.labels
        return [_joined([reading.decision("label", names[place]) for place in _by_name(policy)])]

    def answer_values(self, policy: Policy, table: Table, role: Role) -> list[nw.Expr]:
        """A column for each label, by its name: as texts they would take minutes at scale."""
        reading, names = LabelSetReading(policy=policy, table=table), policy.task.labels
        ordered = [names[place] for place in _by_name(policy)]
        if policy.task.threshold is None:
            return [reading.decision(role, name) for name in ordered]
        return [value_expression(table, policy.label_column(role, name)) for name in ordered]

    def with_change(self, policy: Policy, table: Table) -> nw.LazyFrame[Any]:
        before, after = (nw.col(wrong(role)) > 0 for role in MODELS)
        lost = nw.when(after & ~before).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
        gained = nw.when(before & ~after).then(nw.lit(1.0)).otherwise(nw.lit(0.0))
        return self.reading(policy, table).frame().with_columns((lost - gained).alias(CHANGE))

    @property
    def parted(self) -> nw.Expr:
        return nw.col(PARTED) > 0

    def distance(self, policy: Policy) -> nw.Expr:
        """By the labels that are decided differently: most first."""
        del policy
        return nw.col(PARTED)

    def answers(self, policy: Policy, row: Mapping[str, Any]) -> RowAnswers:
        before, after = (row[wrong(role)] for role in MODELS)
        label, baseline, candidate = (
            _named(policy, row, role) for role in ("label", "baseline", "candidate")
        )
        return RowAnswers(
            label=label, baseline=baseline, candidate=candidate, lost=bool(after > before)
        )

    def parted_answers(self, policy: Policy, row: Mapping[str, Any]) -> Sequence[RowAnswers]:
        """Once for each label that the models decide differently."""
        found = []
        for place, label in enumerate(policy.task.labels):
            truth, before, after = (int(row[flag(r, place)]) for r in ("label", *MODELS))
            if before != after:
                scored = policy.task.threshold is not None
                answers = [
                    float(row[policy.label_column(role, label)]) if scored else float(decided)
                    for role, decided in zip(MODELS, (before, after), strict=True)
                ]
                found.append(
                    RowAnswers(
                        label=label if truth else f"not {label}",
                        baseline=answers[0],
                        candidate=answers[1],
                        lost=before == truth,
                        class_label=label,
                    )
                )
        return found


NO_LABEL = "none"
"""What a set without labels is called for people."""


def _named(policy: Policy, row: Mapping[str, Any], role: str) -> str:
    """The labels that one answer has."""
    names = policy.task.labels
    return ", ".join(n for i, n in enumerate(names) if row[flag(role, i)] == 1) or NO_LABEL


def _by_name(policy: Policy) -> list[int]:
    names = policy.task.labels
    return sorted(range(len(names)), key=names.__getitem__)


def _joined(values: Sequence[nw.Expr]) -> nw.Expr:
    return nw.concat_str([value.cast(nw.String) for value in values])
