"""Largest groups: which groups hold so much of a slice that nothing can be shown of it.

Counts keep no names of groups; they are asked of the table again, for the slices that need it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import N
from prunegate.counting.grouping import SlicingPart, slicing_parts
from prunegate.counting.slices import KeyTexts
from prunegate.counting.tasks.every import task_of
from prunegate.data.predictions.table import Table
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy

_NAMED = 3
"""Groups of a slice that are looked at, the largest first."""
_PLACE, _FEWER = "prunegate__place", "prunegate__fewer"


@dataclass(frozen=True, kw_only=True)
class LargestGroups:
    """The largest groups of a slice: those of half the rows of the very largest, or more."""

    names: tuple[str, ...]
    rows: int
    """Of these groups together."""


def largest_groups(
    policy: Policy, table: Table, slices: Collection[str]
) -> dict[str, LargestGroups]:
    """The largest groups of slices, by the slices' names.

    Args:
        policy: names a group.
        table: a readable predictions table.
        slices: names of slices; others are left out.
    """
    texts = KeyTexts(keys=policy.keys)
    if policy.keys:
        with table.reading():
            for values in table.frame.select(*policy.keys).unique().collect().rows():
                texts.of(values)
    group = str(policy.group)
    found: dict[str, list[tuple[str, int]]] = {}
    for part in slicing_parts(task_of(policy).reading(policy, table), texts):
        with table.reading():
            lines = _largest(part, group).collect().rows(named=True)
        for line in sorted(lines, key=lambda line: int(line[_PLACE])):
            if (name := part.name(line)) in slices:
                found.setdefault(name, []).append((value_text(line[group]), int(line[N])))
    return {name: _of(groups) for name, groups in found.items()}


def _largest(part: SlicingPart, group: str) -> nw.LazyFrame[Any]:
    """The sizes of the largest groups of every slice, each with its place among them."""
    sizes = part.frame.group_by(*dict.fromkeys((*part.keys, group))).agg(nw.len().alias(N))
    place = nw.col(_PLACE).cum_sum().over(*part.keys, order_by=[_FEWER, group])
    return (
        sizes.with_columns((nw.lit(0) - nw.col(N)).alias(_FEWER), nw.lit(1).alias(_PLACE))
        .with_columns(place.alias(_PLACE))
        .filter(nw.col(_PLACE) <= _NAMED)
    )


def _of(groups: list[tuple[str, int]]) -> LargestGroups:
    chosen = [one for one in groups if 2 * one[1] >= groups[0][1]]
    names, rows = zip(*chosen, strict=True)
    return LargestGroups(names=names, rows=sum(rows))
