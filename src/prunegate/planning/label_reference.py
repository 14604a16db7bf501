"""Label reference: the random rows that let a good baseline show that it knows something.

All rows, and every slice that a rule judges, are asked that (``verdict/reference.py``). Rows that
both models flag and rows that neither flags are drawn at random in each of these; samples of slices
and of all rows share rows as far as they can, since all are the first ones in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from prunegate.counting.labelling import SliceFrame
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.slices import OVERALL, SliceCounts
from prunegate.counting.tallies import Cells, JointCounts
from prunegate.evidence.reference_sample import (
    AgreedSamples,
    good_shares,
    samples_to_show,
)
from prunegate.policy.schema import Policy
from prunegate.verdict.reference import PART, reference_demands


@dataclass(frozen=True, kw_only=True)
class ReferenceLabels:
    """The labels by which a slice's baseline is shown to know something."""

    slice: str
    both: int
    """Rows, drawn at random, of those that both models flag; all where limits need all."""
    neither: int
    """Of those that neither flags."""
    rows: int
    """Rows of the slice."""
    likely: bool
    """Whether they likely do where the baseline is good; else no labels would."""


def judged_slices(policy: Policy, slices: Sequence[SliceCounts]) -> list[str]:
    """Slices that will be judged, or may be: how many positives there are is not known yet."""
    likely = [replace(one, tally=JointCounts(cells=(*(0,) * 4, *_decided(one)))) for one in slices]
    demands = reference_demands(policy, likely)
    return [one.name for one in slices if one.name in demands and one.rows]


def with_reference(
    policy: Policy,
    slices: Sequence[SliceCounts],
    frames: Mapping[str, SliceFrame],
    rows: int | None,
) -> dict[str, SliceFrame]:
    """The frames with the random rows that the reference needs.

    Args:
        policy: the policy.
        slices: their decisions, counted.
        frames: what the limits need, by the slice's name.
        rows: of either sample in each slice; None: as few as likely do for a good baseline.
    """
    decided = {one.name: _decided(one) for one in slices}
    found = dict(frames)
    for name in judged_slices(policy, slices):
        frame = found.get(name) or SliceFrame(name=name, rows=sum(decided[name]))
        found[name] = _sampled(policy, frame, decided[name], found.get(OVERALL), rows)
    return found


def told_reference(
    policy: Policy, slices: Sequence[SliceCounts], frames: Sequence[SliceFrame]
) -> tuple[ReferenceLabels, ...]:
    """What the frames give each slice for it."""
    by_name = {frame.name: frame for frame in frames}
    whole, found = by_name.get(OVERALL), []
    for one in slices:
        if one.name in judged_slices(policy, slices):
            frame, decided = by_name[one.name], _decided(one)
            held = _held(frame, decided, whole)
            shown = _show(policy, frame, decided, whole, exactly=held)
            told = ReferenceLabels(
                slice=one.name,
                both=held.both if _flagged(frame, whole) else frame.reference_both,
                neither=frame.reference_neither,
                rows=one.rows,
                likely=shown is not None,
            )
            found.append(told)
    return tuple(found)


def _sampled(
    policy: Policy, frame: SliceFrame, decided: Cells, whole: SliceFrame | None, rows: int | None
) -> SliceFrame:
    if rows is not None:
        both, neither = min(rows, decided[0b11]), min(rows, decided[0b00])
        return replace(frame, reference_both=both, reference_neither=neither)
    sizes = _show(policy, frame, decided, whole)
    if sizes is None:  # if rows that differ are unlabelled, that may be why
        labelled = replace(frame, differs=True)
        sizes = _show(policy, labelled, decided, whole)
        if sizes is None:
            return replace(frame, reference_both=0, reference_neither=0)
        frame = labelled
    both = 0 if _flagged(frame, whole) else sizes.both
    return replace(frame, reference_both=both, reference_neither=sizes.neither)


def _show(
    policy: Policy,
    frame: SliceFrame,
    decided: Cells,
    whole: SliceFrame | None,
    exactly: AgreedSamples | None = None,
) -> AgreedSamples | None:
    """Samples that show a good baseline to know something, with what the limits label."""
    flagged = _flagged(frame, whole)
    differs = flagged or frame.differs or (whole is not None and whole.differs)
    shares = good_shares(decided)
    least = AgreedSamples(neither=0, both=decided[0b11] if flagged else 0)
    return samples_to_show(
        _assumed(decided, differs),
        shares,
        exactly or least,
        policy.evidence.alpha / PART,
        free=AgreedSamples(neither=frame.neither, both=max(least.both, frame.both)),
        grow=exactly is None,
    )


def _assumed(decided: Cells, differs: bool) -> PartialCounts:
    """A slice before anybody labelled: of the rows that differ half are positive."""
    cells = [0] * 8
    if differs:
        for decision in (0b01, 0b10):
            cells[4 + decision] = decided[decision] // 2
            cells[decision] = decided[decision] - cells[4 + decision]
    return PartialCounts(decided=decided, cells=tuple(cells))


def _held(frame: SliceFrame, decided: Cells, whole: SliceFrame | None) -> AgreedSamples:
    both = max(frame.both, frame.reference_both)
    return AgreedSamples(
        neither=max(frame.neither, frame.reference_neither),
        both=decided[0b11] if _flagged(frame, whole) else both,
    )


def _flagged(frame: SliceFrame, whole: SliceFrame | None) -> bool:
    """Whether every row that either model flags is labelled."""
    return frame.flagged or (whole is not None and whole.flagged)


def _decided(one: SliceCounts) -> Cells:
    assert isinstance(one.tally, PartialCounts)  # noqa: S101  # by the reading
    return one.tally.decided
