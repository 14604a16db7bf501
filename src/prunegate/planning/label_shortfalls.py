"""Label shortfalls: what keeps a slice's limits open whatever the labels of a list say.

An expected slice without a row, fewer rows than the policy's minimum evidence, and a list that is
not expected to tell of so many positives as that asks for: known before anybody labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from prunegate.counting.labelling import SliceFrame
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.slices import SliceCounts
from prunegate.planning.label_power import AGREED, DIFFERING, promised
from prunegate.policy.schema import Policy


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """What a slice lacks."""

    slice: str
    kind: Literal["absent", "rows", "positives"]
    wanted: int
    """By the policy's minimum evidence; absent: 1."""
    expected: int
    """Rows that there are; positives that the labels of the list are expected to tell of."""


def shortfalls(
    policy: Policy, slices: Sequence[SliceCounts], frames: Sequence[SliceFrame]
) -> tuple[Shortfall, ...]:
    """What the slices lack that a policy judges.

    Args:
        policy: the policy.
        slices: their decisions, counted.
        frames: what of each is labelled.
    """
    by_name = {one.name: one for one in slices}
    judged = [found for one in frames for found in _of(policy, by_name[one.name], one)]
    absent = [one.name for one in slices if one.declared and not one.rows]
    none = (Shortfall(slice=name, kind="absent", wanted=1, expected=0) for name in absent)
    return (*none, *judged)


def _of(policy: Policy, counts: SliceCounts, frame: SliceFrame) -> Iterator[Shortfall]:
    minimum, tally = policy.evidence.minimum, counts.tally
    if counts.rows < minimum.rows:
        yield Shortfall(slice=counts.name, kind="rows", wanted=minimum.rows, expected=counts.rows)
    elif isinstance(tally, PartialCounts):
        expected = max(tally.positives, _positives(tally, frame))
        if expected < minimum.positives:
            yield Shortfall(
                slice=counts.name, kind="positives", wanted=minimum.positives, expected=expected
            )


def _positives(tally: PartialCounts, frame: SliceFrame) -> int:
    """Positives that the labels of a list are expected to tell of, at least."""
    _, new, old, both = tally.decided
    known = round(DIFFERING * (new + old)) if frame.differs or frame.flagged else 0
    sample = both if frame.flagged else max(frame.both, frame.reference_both)
    known += round(AGREED * both) if sample >= both else promised(both, sample)
    drawn = frame.random * (DIFFERING * (new + old) + AGREED * both) / max(1, tally.rows)
    return max(known, round(drawn))
