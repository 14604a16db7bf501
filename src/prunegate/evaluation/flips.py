"""Flips: rows on which the two models disagree about what is right, for people to look at.

They illustrate a verdict and never decide it. The rows where the candidate is surest of its
mistake come first, a few per slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate.data.tables import Table
from prunegate.evaluation.decisions import BASELINE, CANDIDATE, LABEL, Reading
from prunegate.policy.model import Policy
from prunegate.policy.naming import slice_name, value_text

PER_SLICE = 4


@dataclass(frozen=True, kw_only=True)
class FlippedRow:
    """One row that exactly one of the two models gets right."""

    id: str
    slices: tuple[str, ...]
    label: str
    baseline: float
    candidate: float
    lost: bool


def flipped_rows(policy: Policy, table: Table, per_slice: int = PER_SLICE) -> list[FlippedRow]:
    """The clearest flips of each value of the first slicing key: lost ones, then gained ones.

    Args:
        policy: the policy.
        table: a readable predictions table that also holds the id column.
        per_slice: how many lost and how many gained rows each slice shows.
    """
    keys = next((spec.keys for spec in policy.slices if spec.keys), ())
    chosen: dict[tuple[object, ...], list[FlippedRow]] = {}
    for row in _disagreements(policy, table):
        flip = _flip(policy, row)
        group = (*(row[key] for key in keys), flip.lost)
        if len(chosen.setdefault(group, [])) < per_slice:
            chosen[group].append(flip)
    return [flip for group in sorted(chosen, key=_order) for flip in chosen[group]]


def _order(group: tuple[object, ...]) -> tuple[bool, tuple[str, ...]]:
    """Lost before gained, then by slice."""
    return not group[-1], tuple(str(value) for value in group[:-1])


def _disagreements(policy: Policy, table: Table) -> list[dict[str, Any]]:
    columns = policy.data.columns
    gap = "__gap"
    scored = policy.task.threshold is not None
    distance = (
        (_number(columns.baseline) - _number(columns.candidate)).abs() if scored else nw.lit(1.0)
    )
    found = (
        Reading(policy=policy, table=table)
        .frame()
        .filter(nw.col(BASELINE) != nw.col(CANDIDATE))
        .with_columns(distance.alias(gap))
        .sort(gap, columns.id, descending=[True, False])
        .head(_SCANNED)
    )
    with table.reading():
        return found.collect().rows(named=True)


def _number(column: str) -> nw.Expr:
    """As a float before anything is subtracted: unsigned integers cannot go below zero."""
    return nw.col(column).cast(nw.Float64)


_SCANNED = 5_000
"""Disagreements looked at, the clearest first; a slice without one among them shows none."""


def _flip(policy: Policy, row: dict[str, Any]) -> FlippedRow:
    columns = policy.data.columns
    scored = policy.task.threshold is not None
    return FlippedRow(
        id=str(row[columns.id]),
        slices=tuple(
            slice_name(spec.keys, [value_text(row[key]) for key in spec.keys])
            for spec in policy.slices
            if spec.keys
        ),
        label=value_text(row[columns.label]),
        baseline=float(row[columns.baseline] if scored else row[BASELINE]),
        candidate=float(row[columns.candidate] if scored else row[CANDIDATE]),
        lost=bool(row[BASELINE] == row[LABEL]),
    )
