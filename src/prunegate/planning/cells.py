"""Layout: which groups make up which slice, and how large each slice is.

The slices come from the gate's own counting, so that a plan and a verdict mean the same ones. Each
group is counted once as a power of two: the binary digits of a slice's count name its groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.slices import Piece, SliceCounts, slice_counts
from prunegate.counting.tallies import JointCounts
from prunegate.planning.groups import Floats, Group
from prunegate.policy.schema import Policy

Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The slices of a policy over some groups."""

    slices: tuple[SliceCounts, ...]
    """Sizes only: negatives in cell 0, positives in cell 4."""
    members: Bools
    """Slices (first axis) by groups."""

    def add(self, per_group: NDArray[np.float64] | NDArray[np.int64]) -> Floats:
        """Sums by slice, [..., slices, 8], of [..., groups, 8]; whole numbers stay exact."""
        return np.asarray(self.members.astype(float) @ per_group)


def lay_out(policy: Policy, groups: Sequence[Group]) -> Layout:
    """The slices that the gate would judge on these groups, in its order."""
    coded = slice_counts(
        policy,
        (Piece(values=g.values, tally=_sized(1 << i, 0)) for i, g in enumerate(groups)),
    )
    members = np.array([_digits(s.cells[0], len(groups)) for s in coded])
    negatives = members @ np.array([g.negatives for g in groups])
    positives = members @ np.array([g.positives for g in groups])
    slices = tuple(
        SliceCounts(
            name=s.name,
            slicing=s.slicing,
            declared=s.declared,
            tally=_sized(int(n), int(p)),
        )
        for s, n, p in zip(coded, negatives, positives, strict=True)
    )
    return Layout(slices=slices, members=members)


def _sized(negatives: int, positives: int) -> JointCounts:
    return JointCounts(cells=(negatives, 0, 0, 0, positives, 0, 0, 0))


def _digits(number: int, count: int) -> Bools:
    """Binary digits, the lowest first."""
    text = format(number, f"0{count}b").encode()
    return np.asarray(np.frombuffer(text, dtype=np.uint8)[::-1] == ord("1"))
