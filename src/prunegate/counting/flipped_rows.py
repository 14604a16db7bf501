"""Flips: rows on which the two models part, for people to look at.

They illustrate a verdict and never decide it. Of decisions and labels these are the rows that
exactly one model gets right; of scores and log-likelihoods the rows that changed most. The clearest
come first, a few per slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import LABEL
from prunegate.counting.tasks.every import task_of
from prunegate.counting.tasks.task_counting import RowAnswers, TaskCounting
from prunegate.data.predictions.table import Table
from prunegate.policy.naming import slice_name, value_text
from prunegate.policy.schema import Policy

PER_SLICE = 4


@dataclass(frozen=True, kw_only=True)
class FlippedRow(RowAnswers):
    """One row on which the two models part."""

    id: str
    slices: tuple[str, ...]


def flipped_rows(policy: Policy, table: Table, per_slice: int = PER_SLICE) -> list[FlippedRow]:
    """The clearest flips of each value of the first slicing key: lost ones, then gained ones.

    Args:
        policy: the policy.
        table: a readable predictions table that also holds the id column.
        per_slice: how many lost and how many gained rows each slice shows.
    """
    keys = next((spec.keys for spec in policy.slices if spec.keys), ())
    task = task_of(policy)
    chosen: dict[tuple[object, ...], list[FlippedRow]] = {}
    for row in _disagreements(policy, table):
        for answers in task.parted_answers(policy, row):
            group = (*(row[key] for key in keys), answers.class_label or "", answers.lost)
            if len(chosen.setdefault(group, [])) < per_slice:
                found = FlippedRow(
                    id=str(row[policy.columns.id]), slices=_slices(policy, row), **vars(answers)
                )
                chosen[group].append(found)
    return [flip for group in sorted(chosen, key=_order) for flip in chosen[group]]


def _order(group: tuple[object, ...]) -> tuple[bool, tuple[str, ...]]:
    """Lost before gained, then by slice."""
    return not group[-1], tuple(str(value) for value in group[:-1])


def _disagreements(policy: Policy, table: Table) -> list[dict[str, Any]]:
    task = task_of(policy)
    gap = "prunegate__gap"
    found = (
        task.reading(policy, table)
        .frame()
        .filter(task.parted & _labelled(task))
        .with_columns(task.distance(policy).alias(gap))
        .sort(gap, policy.columns.id, descending=[True, False])
        .head(_SCANNED)
    )
    with table.reading():
        return found.collect().rows(named=True)


_SCANNED = 5_000
"""Disagreements looked at, the clearest first; a slice without one among them shows none."""


def _labelled(task: TaskCounting) -> nw.Expr:
    """Rows without a label are no examples: nobody knows which of the two models is right."""
    return (
        ~nw.col(LABEL).is_null()
        if task.traits.decided and not task.traits.sets
        else nw.lit(value=True)
    )


def _slices(policy: Policy, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        slice_name(spec.keys, [value_text(row[key]) for key in spec.keys])
        for spec in policy.slices
        if spec.keys
    )
