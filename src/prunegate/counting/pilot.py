"""Pilot: labelled rows of both models at hand, counted in their finest groups, to plan with.

A group is one combination of all slicing values, so that every slice is a sum of groups and
slices that overlap can be simulated together.
"""

from __future__ import annotations

from pathlib import Path

from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.counts_file import read_counts_file
from prunegate.counting.counts_table import read_counts
from prunegate.counting.slices import OVERALL, SliceCounts
from prunegate.counting.tallies import Cells
from prunegate.errors import InternalError
from prunegate.policy.naming import parse_slice_name
from prunegate.policy.schema import Policy, SliceSpec

Pilot = dict[tuple[str, ...], Cells]
"""Eight joint counts by the values of ``policy.keys``."""


def pilot_counts(policy: Policy, path: Path) -> Pilot:
    """The groups of a counts table: slicing columns, label, baseline, candidate (1 or 0) and n.

    Raises:
        TableError: it cannot be read, lacks a column, or holds something that is no count.
    """
    return _groups(policy, read_counts(_crossed(policy), read_counts_file(policy, path).frame))


def pilot_predictions(policy: Policy, sources: list[str]) -> Pilot:
    """The groups of a predictions table, counted as the gate counts it.

    Raises:
        TableError: as for the gate.
    """
    table = open_predictions(policy, sources, with_ids=True)
    return _groups(policy, count_table(_crossed(policy), table, most=None).slices)


def _crossed(policy: Policy) -> Policy:
    """The policy with one slicing, by all of its keys."""
    cross = (SliceSpec(by=policy.keys),) if policy.keys else ()
    return policy.model_copy(update={"slices": cross})


def _groups(policy: Policy, slices: tuple[SliceCounts, ...]) -> Pilot:
    if not policy.keys:
        return {(): slices[0].cells}
    return {_values(policy, s.name): s.cells for s in slices if s.name != OVERALL}


def _values(policy: Policy, name: str) -> tuple[str, ...]:
    pairs = parse_slice_name(name)
    if pairs is None or tuple(pairs) != policy.keys:
        raise InternalError(f"the group {name!r} does not name the values of {policy.keys}")
    return tuple(pairs.values())
