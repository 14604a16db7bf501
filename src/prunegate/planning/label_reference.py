"""Label reference: the random rows that let a good baseline show that it knows something.

All rows, and every slice that a rule judges, are asked that (``verdict/reference.py``). Rows that
both models flag and rows that neither flags are drawn at random in each of these; samples of slices
and of all rows share rows as far as they can, since all are the first ones in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prunegate.counting.labelling import AgreedFrame, SliceFrame
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.partial_labels import PartialLabels
from prunegate.counting.partial_tally import PartialTally
from prunegate.counting.slices import OVERALL, SliceCounts
from prunegate.counting.tallies import Cells, Tally, Triple
from prunegate.evidence.reference_sample import (
    AgreedSamples,
    against_the_rest,
    good_shares,
    samples_to_show,
)
from prunegate.planning.label_parts import before_labels
from prunegate.policy.schema import Policy
from prunegate.verdict.reference import PART, reference_demands


@dataclass(frozen=True, kw_only=True)
class ReferenceLabels:
    """The labels by which a slice's baseline is shown to know something."""

    slice: str
    class_label: str | None
    """Several classes: the one that is meant by flagging; None: a yes/no task."""
    both: int
    """Rows, drawn at random, of those that both models flag; all where limits need all."""
    neither: int
    """Of those that neither flags."""
    rows: int
    """Rows of the slice."""
    likely: bool
    """Whether they likely do where the baseline is good; else no labels would."""
    constant: bool = False
    """Whether the baseline decides all rows alike, as nothing does that knows something."""


def judged_slices(policy: Policy, slices: Sequence[SliceCounts]) -> list[str]:
    """Slices that will be judged, or may be: how many positives there are is not known yet."""
    demands = reference_demands(policy, before_labels(slices))
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
    tallies, found = {one.name: one.tally for one in slices}, dict(frames)
    for name in judged_slices(policy, slices):
        frame = found.get(name) or _nothing(policy, name, tallies[name].rows)
        asked = _Reference(tally=_partial(tallies[name]), frame=frame, whole=found.get(OVERALL))
        found[name] = _sampled(asked, policy.evidence.alpha / PART, rows)
    return found


def told_reference(
    policy: Policy, slices: Sequence[SliceCounts], frames: Sequence[SliceFrame]
) -> tuple[ReferenceLabels, ...]:
    """What the frames give each slice for it."""
    by_name, found = {frame.name: frame for frame in frames}, []
    judged = judged_slices(policy, slices)
    for one in slices:
        if one.name in judged:
            asked = _Reference(
                tally=_partial(one.tally), frame=by_name[one.name], whole=by_name.get(OVERALL)
            )
            shown = asked.show(policy.evidence.alpha / PART, exactly=asked.held)
            told = ReferenceLabels(
                slice=one.name,
                class_label=asked.label,
                both=asked.held.both if asked.flagged else asked.part.reference_both,
                neither=asked.part.reference_neither,
                rows=one.rows,
                likely=shown is not None,
                constant=asked.constant,
            )
            found.append(told)
    return tuple(found)


def _nothing(policy: Policy, name: str, rows: int) -> SliceFrame:
    """A frame that asks for nothing."""
    return SliceFrame(name=name, rows=rows, classes=() if policy.task.traits.classes else None)


def _sampled(asked: _Reference, level: float, rows: int | None) -> SliceFrame:
    if rows is not None:
        both, neither = min(rows, asked.decided[0b11]), min(rows, asked.decided[0b00])
        return asked.with_sizes(both, neither)
    sizes = asked.show(level)
    if sizes is None:  # if rows that differ are unlabelled, that may be why
        labelled = replace(asked, frame=replace(asked.frame, differs=True))
        sizes = labelled.show(level)
        if sizes is None:
            return asked.with_sizes(0, 0)
        asked = labelled
    return asked.with_sizes(0 if asked.flagged else sizes.both, sizes.neither)


@dataclass(frozen=True, kw_only=True)
class _Reference:
    """What is known of one slice before anybody labelled, and what its labels will be."""

    tally: PartialTally
    frame: SliceFrame
    whole: SliceFrame | None
    """The frame of all rows."""

    @property
    def label(self) -> str | None:
        """The class that samples are about; None: a yes/no task, the positive one."""
        return self.tally.commonest if isinstance(self.tally, PartialLabels) else None

    @property
    def part(self) -> AgreedFrame:
        """What of the frame is about it."""
        return self.frame if self.label is None else self.frame.of_label(self.label)

    @property
    def decided(self) -> Cells:
        """Rows by ``2 * baseline + candidate``, 1 being the class."""
        return against_the_rest(self.tally).decided

    @property
    def constant(self) -> bool:
        """Whether the baseline decides all rows alike."""
        return self.decided[0b10] + self.decided[0b11] in (0, sum(self.decided))

    @property
    def flagged(self) -> bool:
        """Whether every row to which either model gives the class is labelled."""
        whole, label = self.whole, self.label
        if whole is not None and label is not None:
            return self.part.flagged or whole.of_label(label).flagged
        return self.part.flagged or (whole is not None and whole.flagged)

    @property
    def differs(self) -> bool:
        """Whether every row that the models decide differently is labelled."""
        every = self.flagged and self.label is None
        return every or self.frame.differs or (self.whole is not None and self.whole.differs)

    @property
    def held(self) -> AgreedSamples:
        """The samples that the frame gives."""
        part = self.part
        return AgreedSamples(
            neither=max(part.neither, part.reference_neither),
            both=self.decided[0b11] if self.flagged else max(part.both, part.reference_both),
        )

    def with_sizes(self, both: int, neither: int) -> SliceFrame:
        """The frame with samples of these sizes."""
        sizes: dict[str, Any] = {"reference_both": both, "reference_neither": neither}
        if self.label is None:
            return replace(self.frame, **sizes)
        changed = replace(self.frame.of_label(self.label), **sizes)
        needed = any((changed.flagged, changed.neither, changed.both, both, neither))
        return self.frame.with_label(changed) if needed else self.frame

    def show(self, level: float, exactly: AgreedSamples | None = None) -> AgreedSamples | None:
        """Samples that show a good baseline to know something, with what the limits label."""
        least = AgreedSamples(neither=0, both=self.decided[0b11] if self.flagged else 0)
        return samples_to_show(
            _assumed(self.tally, self.differs),
            good_shares(self.decided),
            exactly or least,
            level,
            free=AgreedSamples(neither=self.part.neither, both=max(least.both, self.part.both)),
            grow=exactly is None,
        )


def _assumed(tally: PartialTally, differs: bool) -> PartialTally:
    """A slice before anybody labelled: either model is right on half of the rows that differ."""
    if isinstance(tally, PartialLabels):
        return replace(tally, cells=_halves(tally) if differs else {}, samples={})
    decided = against_the_rest(tally).decided
    cells = [0] * 8
    if differs:
        for decision in (0b01, 0b10):
            cells[4 + decision] = decided[decision] // 2
            cells[decision] = decided[decision] - cells[4 + decision]
    return PartialCounts(decided=decided, cells=tuple(cells))


def _halves(tally: PartialLabels) -> dict[Triple, int]:
    found: dict[Triple, int] = {}
    for (one, other), n in tally.decided.items():
        if one != other:
            found |= {(one, one, other): n // 2, (other, one, other): n - n // 2}
    return found


def _partial(tally: Tally) -> PartialTally:
    assert isinstance(tally, PartialTally)  # noqa: S101  # by the reading
    return tally
