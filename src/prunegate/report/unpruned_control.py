"""What the data did and what the pruning did: the candidate beside an unpruned control.

The control went through the same fine-tuning with nothing removed. Control minus baseline is what
the fine-tuning data did; candidate minus control is what the removal added. Where the control has
a threshold of its own, what the data did is told at the baseline's, and what the threshold did
stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prunegate.audit.control_record import Control, ControlSlice
from prunegate.audit.record import DecisionRecord
from prunegate.report.own_threshold import OwnThreshold, own_threshold, shown_threshold
from prunegate.report.page_one.people import People
from prunegate.report.speech import Speech
from prunegate.report.units import Units, is_share, metric_name
from prunegate.text import numbers
from prunegate.text.escape import visible


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
    by_threshold: str
    """Empty: no model has a threshold of its own."""
    by_pruning: str
    flips: str
    """Lost and gained by the control."""


@dataclass(frozen=True, kw_only=True)
class ControlView:
    """The control section."""

    summary: str
    rows: tuple[ControlRow, ...]
    causes: tuple[str, ...]
    """Columns of what did it: by_data, by_threshold where there is one, by_pruning."""
    meaning: str


def control(record: DecisionRecord, units: Units) -> ControlView | None:
    """The control section of a record; None where no control was made."""
    if record.control is None:
        return None
    people = People.of(record)
    own = record.control.threshold
    rows = tuple(_row(row, units, people, moved=own is not None) for row in record.control.slices)
    causes = ("by_data", *(() if own is None else ("by_threshold",)), "by_pruning")
    return ControlView(
        summary=visible(record.control.summary),
        rows=rows,
        causes=causes,
        meaning=_meaning(record.control, own_threshold(record), people.speech),
    )


def _meaning(control: Control, own: OwnThreshold | None, said: Speech) -> str:
    """What the columns are, from which score on each model decides, and what changes are in."""
    at = control.threshold
    told = [said.say("control.meaning" if at is None else "control.meaning_threshold")]
    if at is not None and own is not None:
        scores = {"baseline": own.baseline, "candidate": own.candidate, "control": at}
        shown = {model: shown_threshold(score, said) for model, score in scores.items()}
        told.append(said.say("control.thresholds", **shown))
    shares = any(is_share(row.metric) for row in control.slices)
    told.append(said.say("control.shares" if shares else "control.values"))
    return " ".join(told)


def _row(row: ControlSlice, units: Units, people: People, *, moved: bool) -> ControlRow:
    figure, metric = people.speech.figure, row.metric
    unmoved = row.at_baseline_threshold if moved else row.control
    return ControlRow(
        slice=people.speech.place(row.slice),
        label=people.labelled(row.slice),
        metric=people.speech.measure(metric, metric_name(metric)),
        baseline=figure(units.level(metric, row.baseline)),
        control=figure(units.level(metric, row.control)),
        candidate=figure(units.level(metric, row.candidate)),
        by_data=figure(units.change(metric, _minus(unmoved, row.baseline))),
        by_threshold=figure(units.change(metric, _minus(row.control, unmoved))) if moved else "",
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
