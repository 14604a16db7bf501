"""Counts of labelled rows in a record that contradict each other are refused where they stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prunegate.audit.labelling_record import (
    AnsweredRows,
    LabelledSlice,
    RecordedLabelling,
    RecordedSample,
    partial_slices,
)
from prunegate.errors import InputError
from prunegate.verdict.finding import SliceSummary

YES_NO = LabelledSlice(
    decided=(50, 5, 6, 40),
    samples=(RecordedSample(of="neither", cells=(9, 0, 0, 0, 1, 0, 0, 0), unsure=(1, 0, 0, 0)),),
    unsure=(1, 0, 1, 0),
)
CELLS = (10, 2, 2, 3, 4, 3, 2, 20)


def _rows(rows: int, *labels: str) -> tuple[AnsweredRows, ...]:
    label = labels[0] if len(labels) == 3 else None
    return (AnsweredRows(baseline=labels[-2], candidate=labels[-1], rows=rows, label=label),)


CLASSES = LabelledSlice(
    decided=(),
    answered=_rows(60, "u", "u") + _rows(41, "u", "v"),
    labelled=_rows(20, "u", "u", "u") + _rows(7, "v", "u", "v"),
    doubted=_rows(2, "u", "v"),
    samples=(
        RecordedSample(
            of="both",
            class_label="u",
            cells=(),
            labelled=_rows(9, "u", "u", "u"),
            doubted=_rows(1, "u", "v"),
        ),
    ),
)


def _slices(kept: LabelledSlice, cells: tuple[int, ...] = CELLS, rows: int = 101) -> Any:
    summary = SliceSummary(
        name="overall",
        slicing="overall",
        declared=True,
        judged=True,
        rows=rows,
        positives=0,
        cells=cells,
    )
    labelling = RecordedLabelling(
        drawn="2026-11-28T08:00:00Z",
        rules="a" * 64,
        table="b" * 64,
        seed=1,
        listed=50,
        labelled_before=0,
        labelled=46,
        frames=(),
        slices=(kept,),
    )
    return partial_slices([summary], labelling)


MORE = "more rows are labelled, or in a sample, than there are"
FOUR = "needs four decisions and eight cells in the slice's summary"
EDITS: dict[str, tuple[LabelledSlice, dict[str, Any], str]] = {
    "three decisions": (replace(YES_NO, decided=(50, 5, 46)), {}, FOUR),
    "seven cells": (YES_NO, {"cells": CELLS[1:]}, FOUR),
    "too few rows": (replace(YES_NO, decided=(14, 5, 6, 40)), {}, MORE),
    "a sample of more": (
        replace(YES_NO, samples=(RecordedSample(of="neither", cells=(11, *[0] * 7)),)),
        {},
        MORE,
    ),
    "a sample of more that nobody could label": (
        replace(YES_NO, samples=(replace(YES_NO.samples[0], unsure=(2, 0, 0, 0)),)),
        {},
        MORE,
    ),
    "a count below nothing": (
        replace(YES_NO, samples=(replace(YES_NO.samples[0], unsure=(-1, 0, 0, 0)),)),
        {},
        "a count is below zero",
    ),
    "a class's rows below one": (replace(CLASSES, doubted=_rows(0, "u", "v")), {}, MORE),
    "more labels of a class than rows": (
        replace(CLASSES, labelled=_rows(61, "u", "u", "u")),
        {},
        MORE,
    ),
    "labels of rows that are not there": (
        replace(CLASSES, labelled=_rows(1, "u", "v", "v")),
        {},
        MORE,
    ),
    "a class's sample of more": (
        replace(CLASSES, samples=(replace(CLASSES.samples[0], labelled=_rows(21, "u", "u", "u")),)),
        {},
        MORE,
    ),
    "other rows than the summary's": (CLASSES, {"rows": 100}, "not those of the slice's summary"),
    "a sample twice": (
        replace(CLASSES, samples=CLASSES.samples * 2),
        {},
        "not those of the slice's summary",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_counts_that_contradict_each_other_are_refused(edit: str) -> None:
    kept, about, words = EDITS[edit]
    with pytest.raises(InputError) as refused:
        _slices(kept, **about)
    assert str(refused.value).startswith("labelling.slices[0]: ")
    assert words in str(refused.value)


def test_counts_that_agree_are_the_slices_that_were_judged() -> None:
    (one,), (other,) = _slices(YES_NO), _slices(CLASSES)
    assert (one.tally.rows, one.tally.labelled, one.tally.doubted) == (101, 46, 2)
    assert (other.tally.rows, other.tally.labelled, other.tally.doubted) == (101, 27, 2)
