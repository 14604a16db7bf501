"""Labelling in a record: what was on the list of rows to label, and what came of it, per slice.

With it a verdict on some labels follows from its record as any other does: decisions of all rows,
labels of those that were looked at, and those of each random sample. The list itself is a file that
the record names by digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prunegate.counting.labelled_part import PartlyCounted
from prunegate.counting.labelling import SliceFrame
from prunegate.counting.partial_counts import PartialCounts, Sample
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import Cells
from prunegate.errors import InputError
from prunegate.verdict.finding import SliceSummary


@dataclass(frozen=True, kw_only=True)
class RecordedSample:
    """A random sample of a slice's rows, labelled."""

    of: Sample
    """Rows that neither model flags, that both flag, or all."""
    cells: Cells
    """Its rows, eight numbers at index 4 x label + 2 x baseline + candidate."""
    unsure: Cells = ()
    """Those that could not be labelled, as ``decided`` below; empty: none."""


@dataclass(frozen=True, kw_only=True)
class LabelledSlice:
    """One slice: how all of its rows are decided, and the samples among them."""

    decided: Cells
    """All rows, four numbers at index 2 x baseline + candidate."""
    samples: tuple[RecordedSample, ...] = ()
    unsure: Cells = ()
    """Rows that somebody looked at and could not label, as ``decided``; empty: none."""


@dataclass(frozen=True, kw_only=True)
class RecordedLabelling:
    """The frame that the list of rows to label was drawn from, and what was labelled."""

    drawn: str
    """When the list was drawn: UTC, ISO 8601, seconds."""
    rules: str
    """sha256 of what decided in the policy that it was drawn for."""
    table: str
    """sha256 of ids, both models' answers and slicing values."""
    seed: int
    listed: int
    """Rows of the list."""
    labelled_before: int
    """Of those, rows whose label the predictions table had when the list was drawn."""
    labelled: int
    """Rows with a label, on the list or not."""
    frames: tuple[SliceFrame, ...]
    """What of each slice was on the list."""
    slices: tuple[LabelledSlice, ...]
    """In the order of the record's slices."""
    round: int = 1
    """Which round of labelling it was."""
    earlier: tuple[str, ...] = ()
    """sha256 of the lists of the rounds before."""


def labelling_of(partly: PartlyCounted) -> RecordedLabelling:
    """What a record keeps of a list and its labels."""
    frame = partly.frame
    return RecordedLabelling(
        drawn=frame.created,
        rules=frame.policy,
        table=frame.table,
        seed=frame.seed,
        listed=len(frame.rows),
        labelled_before=sum(row.labelled for row in frame.rows),
        labelled=partly.looked_at,
        frames=frame.frames,
        round=frame.round,
        earlier=frame.earlier,
        slices=tuple(map(_kept, partly.counted.slices)),
    )


def _kept(one: SliceCounts) -> LabelledSlice:
    tally = one.tally
    assert isinstance(tally, PartialCounts)  # noqa: S101  # by the reading
    return LabelledSlice(
        decided=tally.decided,
        samples=tuple(
            RecordedSample(of=name, cells=cells, unsure=tally.unsure_samples.get(name, ()))
            for name, cells in sorted(tally.samples.items())
        ),
        unsure=tally.unsure if any(tally.unsure) else (),
    )


def partial_slices(
    summaries: Sequence[SliceSummary], labelling: RecordedLabelling
) -> tuple[SliceCounts, ...]:
    """The slices of a record, as they were judged.

    Raises:
        InputError: the counts are missing, or contradict each other; the message says where.
    """
    if len(labelling.slices) != len(summaries):
        raise InputError(
            f"labelling.slices: {len(labelling.slices)} entries for {len(summaries)} slices"
        )
    return tuple(
        SliceCounts(
            name=summary.name,
            slicing=summary.slicing,
            declared=summary.declared,
            tally=_tally(summary, kept, f"labelling.slices[{place}]"),
        )
        for place, (summary, kept) in enumerate(zip(summaries, labelling.slices, strict=True))
    )


def _tally(summary: SliceSummary, kept: LabelledSlice, where: str) -> PartialCounts:
    cells, decided = tuple(summary.cells), tuple(kept.decided)
    samples = {one.of: tuple(one.cells) for one in kept.samples}
    unsure = tuple(kept.unsure) or (0,) * 4
    unsure_samples = {one.of: tuple(one.unsure) for one in kept.samples if one.unsure}
    eights, fours = (cells, *samples.values()), (decided, unsure, *unsure_samples.values())
    if any(len(found) != 4 for found in fours) or any(len(found) != 8 for found in eights):
        raise InputError(f"{where}: needs four decisions and eight cells in the slice's summary")
    looked_at = [cells[d] + cells[4 + d] + unsure[d] for d in range(4)]
    parts = [(decided, looked_at), *((cells, sample) for sample in samples.values())]
    parts += [(unsure, sample) for sample in unsure_samples.values()]
    if any(part > whole for pair in parts for whole, part in zip(*pair, strict=True)):
        raise InputError(f"{where}: more rows are labelled, or in a sample, than there are")
    if min(n for found in (*fours, *eights) for n in found) < 0:
        raise InputError(f"{where}: a count is below zero")
    return PartialCounts(
        decided=decided,
        cells=cells,
        unsure=unsure,
        samples=samples,
        unsure_samples=unsure_samples,
    )
