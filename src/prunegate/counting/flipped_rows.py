"""Flips: rows on which the two models part, for people to look at.

They illustrate a verdict and never decide it. Of decisions and labels these are the rows that
exactly one model gets right; of scores and log-likelihoods the rows that changed most. The clearest
come first, a few per slice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import BASELINE, CANDIDATE, DIFFERS, LABEL, Reading, number
from prunegate.counting.count import reading_of
from prunegate.data.predictions.table import Table
from prunegate.policy.naming import slice_name, value_text
from prunegate.policy.schema import Policy

PER_SLICE = 4


@dataclass(frozen=True, kw_only=True)
class FlippedRow:
    """One row on which the two models part."""

    id: str
    slices: tuple[str, ...]
    label: str
    """Empty where the task has no labels."""
    baseline: float | str
    """The score (or 0/1 decision), or the label that the model chose."""
    candidate: float | str
    lost: bool
    """The candidate is the one that is wrong, or worse."""


def flipped_rows(policy: Policy, table: Table, per_slice: int = PER_SLICE) -> list[FlippedRow]:
    """The clearest flips of each value of the first slicing key: lost ones, then gained ones.

    Args:
        policy: the policy.
        table: a readable predictions table that also holds the id column.
        per_slice: how many lost and how many gained rows each slice shows.
    """
    keys = next((spec.keys for spec in policy.slices if spec.keys), ())
    flip = _FLIPS[policy.task.kind]
    chosen: dict[tuple[object, ...], list[FlippedRow]] = {}
    for row in _disagreements(policy, table):
        found = flip(policy, row)
        group = (*(row[key] for key in keys), found.lost)
        if len(chosen.setdefault(group, [])) < per_slice:
            chosen[group].append(found)
    return [flip for group in sorted(chosen, key=_order) for flip in chosen[group]]


def _order(group: tuple[object, ...]) -> tuple[bool, tuple[str, ...]]:
    """Lost before gained, then by slice."""
    return not group[-1], tuple(str(value) for value in group[:-1])


def _disagreements(policy: Policy, table: Table) -> list[dict[str, Any]]:
    reading = reading_of(policy, table)
    gap = "prunegate__gap"
    found = (
        reading.frame()
        .filter(_parted(policy))
        .with_columns(_distance(reading).alias(gap))
        .sort(gap, policy.data.columns.id, descending=[True, False])
        .head(_SCANNED)
    )
    with table.reading():
        return found.collect().rows(named=True)


def _parted(policy: Policy) -> nw.Expr:
    if policy.task.kind == "binary":
        return nw.col(BASELINE) != nw.col(CANDIDATE)
    if policy.task.kind == "multiclass":
        return (nw.col(BASELINE) == nw.col(LABEL)) != (nw.col(CANDIDATE) == nw.col(LABEL))
    return nw.col(DIFFERS) == 1


def _distance(reading: Reading) -> nw.Expr:
    """How far apart the models are; as floats, because unsigned integers cannot go below zero."""
    policy, columns = reading.policy, reading.policy.data.columns
    labels = policy.task.kind == "multiclass"
    if labels or (policy.task.kind == "binary" and policy.task.threshold is None):
        return nw.lit(1.0)
    return (number(columns.baseline) - number(columns.candidate)).abs()


_SCANNED = 5_000
"""Disagreements looked at, the clearest first; a slice without one among them shows none."""


def _of_decisions(policy: Policy, row: dict[str, Any]) -> FlippedRow:
    columns = policy.data.columns
    scored = policy.task.threshold is not None
    return FlippedRow(
        id=str(row[columns.id]),
        slices=_slices(policy, row),
        label=value_text(row[columns.label]),
        baseline=float(row[columns.baseline] if scored else row[BASELINE]),
        candidate=float(row[columns.candidate] if scored else row[CANDIDATE]),
        lost=bool(row[BASELINE] == row[LABEL]),
    )


def _of_labels(policy: Policy, row: dict[str, Any]) -> FlippedRow:
    return FlippedRow(
        id=str(row[policy.data.columns.id]),
        slices=_slices(policy, row),
        label=value_text(row[LABEL]),
        baseline=value_text(row[BASELINE]),
        candidate=value_text(row[CANDIDATE]),
        lost=bool(row[BASELINE] == row[LABEL]),
    )


def _of_values(policy: Policy, row: dict[str, Any]) -> FlippedRow:
    columns = policy.data.columns
    before, after = float(row[columns.baseline]), float(row[columns.candidate])
    worse = after > before if policy.task.kind == "language" else after < before
    return FlippedRow(
        id=str(row[columns.id]),
        slices=_slices(policy, row),
        label="",
        baseline=before,
        candidate=after,
        lost=worse,
    )


_FLIPS: dict[str, Callable[[Policy, dict[str, Any]], FlippedRow]] = {
    "binary": _of_decisions,
    "multiclass": _of_labels,
    "score": _of_values,
    "language": _of_values,
}


def _slices(policy: Policy, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        slice_name(spec.keys, [value_text(row[key]) for key in spec.keys])
        for spec in policy.slices
        if spec.keys
    )
