"""What the data did and what the pruning did: the candidate beside an unpruned control.

The control went through the same fine-tuning with nothing removed. Control minus baseline is what
the fine-tuning data did; candidate minus control is what the removal added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prunegate.audit.record import ControlSlice, DecisionRecord
from prunegate.report.page_one.people import People
from prunegate.report.units import Units, is_share, metric_name
from prunegate.text import numbers
from prunegate.text.escape import named, visible


@dataclass(frozen=True, kw_only=True)
class ControlRow:
    """One metric on one slice, every cell as text."""

    slice: str
    label: str
    """What the policy's labels call it; empty: nothing."""
    metric: str
    baseline: str
    control: str
    candidate: str
    by_data: str
    by_pruning: str
    flips: str
    """Lost and gained by the control."""


@dataclass(frozen=True, kw_only=True)
class ControlView:
    """The control section."""

    summary: str
    rows: tuple[ControlRow, ...]
    shares: bool
    """Whether any of them is a share, whose changes are percentage points."""


def control(record: DecisionRecord, units: Units) -> ControlView | None:
    """The control section of a record; None where no control was made."""
    if record.control is None:
        return None
    people = People.of(record)
    rows = tuple(_row(row, units, people) for row in record.control.slices)
    shares = any(is_share(row.metric) for row in record.control.slices)
    return ControlView(summary=visible(record.control.summary), rows=rows, shares=shares)


def _row(row: ControlSlice, units: Units, people: People) -> ControlRow:
    figure, metric = people.speech.figure, row.metric
    return ControlRow(
        slice=named(row.slice),
        label=people.labelled(row.slice),
        metric=people.speech.measure(metric, metric_name(metric)),
        baseline=figure(units.level(metric, row.baseline)),
        control=figure(units.level(metric, row.control)),
        candidate=figure(units.level(metric, row.candidate)),
        by_data=figure(units.change(metric, _minus(row.control, row.baseline))),
        by_pruning=figure(units.change(metric, _minus(row.candidate, row.control))),
        flips=_flips(row, figure),
    )


def _flips(row: ControlSlice, figure: Callable[[str], str]) -> str:
    if (
        row.lost is None and row.gained is None
    ):  # nothing is right or wrong here, as in a likelihood
        return "–"
    return f"{figure(_count(row.lost))} / {figure(_count(row.gained))}"


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _count(value: int | None) -> str:
    return numbers.NOT_DEFINED if value is None else numbers.count(value)
