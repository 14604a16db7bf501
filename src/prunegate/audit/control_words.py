"""Control words: what pruning, data and threshold did, in the sentence of the unpruned control."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.audit.control_record import ControlSlice
from prunegate.metrics.catalogue import METRICS
from prunegate.text.numbers import plain
from prunegate.text.said import said
from prunegate.verdict.quantities import Quantities


@dataclass(frozen=True, kw_only=True)
class ControlThresholds:
    """From which score on each model decides."""

    baseline: float | None
    candidate: float | None
    control: float | None


def control_in_words(
    slices: tuple[ControlSlice, ...], thresholds: ControlThresholds | None = None
) -> str:
    """The slice that the candidate lost most on, with how much of it the control lost too."""
    known = [s for s in slices if None not in (s.baseline, s.control, s.candidate)]
    if thresholds is not None:
        known = [s for s in known if s.at_baseline_threshold is not None]
    if not known:
        return said("control.nothing")
    worst = min(known, key=_gain)
    if thresholds is not None:
        return _of_three(worst, thresholds)
    return said(
        "control.two",
        place=worst.slice,
        metric=METRICS[worst.metric].phrase,
        with_pruning=_change(worst.metric, worst.baseline, worst.candidate),
        without=_change(worst.metric, worst.baseline, worst.control),
    )


def _of_three(worst: ControlSlice, at: ControlThresholds) -> str:
    """What pruning, data and threshold did on a slice."""
    metric, unmoved = worst.metric, worst.at_baseline_threshold
    return said(
        "control.three",
        place=worst.slice,
        metric=METRICS[metric].phrase,
        with_pruning=_change(metric, worst.baseline, worst.candidate),
        at_candidate=at.candidate,
        at_baseline=at.baseline,
        without=_change(metric, worst.baseline, worst.control),
        at_control=at.control,
        by_data=_change(metric, worst.baseline, unmoved),
        by_threshold=_change(metric, unmoved, worst.control),
    )


def _gain(found: ControlSlice) -> float:
    """The candidate's change against the baseline: positive where it is for the better."""
    sign = -1 if METRICS[found.metric].better == "lower" else 1
    return sign * _minus(found.candidate, found.baseline)


def _change(metric: str, before: float | None, after: float | None) -> str:
    """A change as it is: what rose has a plus."""
    return plain(Quantities()[metric].change_in_words(_minus(after, before)))


def _minus(one: float | None, other: float | None) -> float:
    assert one is not None  # noqa: S101  # the caller has sorted undefined ones out
    assert other is not None  # noqa: S101  # as above
    return one - other
