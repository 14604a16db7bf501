"""Labelling in a record: what was on the list of rows to label, and what came of it, per slice.

With it a verdict on some labels follows from its record as any other does: decisions of all rows,
labels of those that were looked at, and those of each random sample. The list itself is a file that
the record names by digest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prunegate.counting.labelled_part import PartlyCounted
from prunegate.counting.labelling import SliceFrame
from prunegate.counting.partial_counts import PartialCounts, Sample
from prunegate.counting.partial_labels import Pair, PartialLabels
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import Cells, Triple
from prunegate.errors import InputError
from prunegate.verdict.finding import ABSENT, SliceSummary


@dataclass(frozen=True, kw_only=True)
class AnsweredRows:
    """Several classes: rows with the same answers."""

    baseline: str
    """The baseline's label."""
    candidate: str
    """The candidate's."""
    rows: int
    label: str | None = field(default=None, metadata=ABSENT)
    """The true one; None: whatever it is."""


@dataclass(frozen=True, kw_only=True)
class RecordedSample:
    """A random sample of a slice's rows, labelled."""

    of: Sample
    """Rows that neither model flags (gives the class), that both do, or all."""
    class_label: str | None = field(default=None, metadata=ABSENT)
    """Several classes: which; None: of a yes/no task, or a sample of all rows."""
    cells: Cells
    """Its rows, eight numbers at index 4 x label + 2 x baseline + candidate; yes/no only."""
    unsure: Cells = ()
    """Those that could not be labelled, as ``decided`` below; empty: none."""
    labelled: tuple[AnsweredRows, ...] | None = field(default=None, metadata=ABSENT)
    """Several classes: its labelled rows."""
    doubted: tuple[AnsweredRows, ...] | None = field(default=None, metadata=ABSENT)
    """Several classes: those that could not be labelled; None: none."""


@dataclass(frozen=True, kw_only=True)
class LabelledSlice:
    """One slice: how all of its rows are decided, and the samples among them."""

    decided: Cells
    """All rows, four numbers at index 2 x baseline + candidate; yes/no only."""
    samples: tuple[RecordedSample, ...] = ()
    unsure: Cells = ()
    """Rows that somebody looked at and could not label, as ``decided``; empty: none."""
    answered: tuple[AnsweredRows, ...] | None = field(default=None, metadata=ABSENT)
    """Several classes: all rows, by what the models answer."""
    labelled: tuple[AnsweredRows, ...] | None = field(default=None, metadata=ABSENT)
    """Several classes: the labelled ones."""
    doubted: tuple[AnsweredRows, ...] | None = field(default=None, metadata=ABSENT)
    """Several classes: those that somebody looked at and could not label; None: none."""


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
    if isinstance(tally, PartialLabels):
        return _kept_classes(tally)
    assert isinstance(tally, PartialCounts)  # noqa: S101  # by the reading
    return LabelledSlice(
        decided=tally.decided,
        samples=tuple(
            RecordedSample(of=name, cells=cells, unsure=tally.unsure_samples.get(name, ()))
            for name, cells in sorted(tally.samples.items())
        ),
        unsure=tally.unsure if any(tally.unsure) else (),
    )


def _kept_classes(tally: PartialLabels) -> LabelledSlice:
    samples = (
        RecordedSample(
            of=sample[0],
            class_label=sample[1] or None,
            cells=(),
            labelled=_labelled(cells),
            doubted=_answered(tally.unsure_samples.get(sample, {})) or None,
        )
        for sample, cells in sorted(tally.samples.items())
    )
    return LabelledSlice(
        decided=(),
        samples=tuple(samples),
        answered=_answered(tally.decided),
        labelled=_labelled(tally.cells),
        doubted=_answered(tally.unsure) or None,
    )


def _answered(counts: Mapping[Pair, int]) -> tuple[AnsweredRows, ...]:
    return tuple(
        AnsweredRows(baseline=one, candidate=other, rows=n)
        for (one, other), n in sorted(counts.items())
    )


def _labelled(counts: Mapping[Triple, int]) -> tuple[AnsweredRows, ...]:
    return tuple(
        AnsweredRows(label=label, baseline=one, candidate=other, rows=n)
        for (label, one, other), n in sorted(counts.items())
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
            tally=_tally(summary, kept, f"labelling.slices[{place}]")
            if kept.answered is None
            else _class_tally(summary, kept, f"labelling.slices[{place}]"),
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


def _class_tally(summary: SliceSummary, kept: LabelledSlice, where: str) -> PartialLabels:
    """The same of several classes."""
    samples = {(one.of, one.class_label or ""): one for one in kept.samples}
    decided, unsure = _pairs(kept.answered), _pairs(kept.doubted)
    cells = _triples(kept.labelled)
    tally = PartialLabels(
        decided=decided,
        cells=cells,
        unsure=unsure,
        samples={sample: _triples(one.labelled) for sample, one in samples.items()},
        unsure_samples={
            sample: _pairs(one.doubted) for sample, one in samples.items() if one.doubted
        },
    )
    looked_at = Counter(unsure)
    for (_, *pair), n in cells.items():
        looked_at[pair[0], pair[1]] += n
    parts: list[tuple[Mapping[Any, int], Mapping[Any, int]]] = [(looked_at, decided)]
    parts += [(found, cells) for found in tally.samples.values()]
    parts += [(found, unsure) for found in tally.unsure_samples.values()]
    if any(n < 1 or n > whole.get(cell, 0) for part, whole in parts for cell, n in part.items()):
        raise InputError(f"{where}: more rows are labelled, or in a sample, than there are")
    if tally.rows != summary.rows or len(samples) != len(kept.samples):
        raise InputError(f"{where}: its rows are not those of the slice's summary")
    return tally


def _pairs(rows: Sequence[AnsweredRows] | None) -> dict[Pair, int]:
    return {(one.baseline, one.candidate): one.rows for one in rows or ()}


def _triples(rows: Sequence[AnsweredRows] | None) -> dict[Triple, int]:
    return {(str(one.label), one.baseline, one.candidate): one.rows for one in rows or ()}
