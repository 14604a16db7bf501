"""The unpruned control: what the fine-tuning data did, so that pruning is not blamed for it.

Where candidate and control are judged at other thresholds than the baseline, the control is judged
at the baseline's as well, so that the data are not blamed for what a threshold did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prunegate.audit.control_record import Control, ControlSlice
from prunegate.counting.count import count_table, open_predictions
from prunegate.data.labelled.rows import LabelledRows
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import change_check
from prunegate.policy.schema import Policy
from prunegate.predict.predictions_table import predictions
from prunegate.predict.tasks.kind import Scored
from prunegate.text.numbers import plain
from prunegate.text.said import said
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import Finding, Verdict
from prunegate.verdict.quantities import Quantities

Scores = Mapping[str, Scored]


def control_of(policies: Mapping[str, Policy], rows: LabelledRows, scores: Scores) -> Control:
    """Judge the control beside the candidate, on the rules that limit a change.

    Args:
        policies: that of ``candidate`` and of ``control``, which differ in a tuned threshold.
        rows: the labelled rows.
        scores: ``baseline``, ``candidate`` and ``control`` on the gate split.
    """
    candidate = _changes(policies["candidate"], rows, scores, "candidate")
    control = _changes(policies["control"], rows, scores, "control")
    moved = any(policy.task.moved for policy in policies.values())
    unmoved = _unmoved(policies["control"], rows, scores) if moved else {}
    slices = tuple(
        ControlSlice(
            metric=metric,
            slice=name,
            baseline=found.baseline,
            control=found.candidate,
            candidate=candidate[metric, name].candidate,
            lost=found.lost,
            gained=found.gained,
            at_baseline_threshold=unmoved[metric, name].candidate if moved else None,
        )
        for (metric, name), found in control.items()
    )
    if not moved:
        return Control(summary=_summary(slices), slices=slices)
    thresholds = _Thresholds.of(policies)
    summary = _summary(slices, thresholds)
    return Control(summary=summary, slices=slices, threshold=thresholds.control)


@dataclass(frozen=True, kw_only=True)
class _Thresholds:
    """From which score on each model decides."""

    baseline: float | None
    candidate: float | None
    control: float | None

    @classmethod
    def of(cls, policies: Mapping[str, Policy]) -> _Thresholds:
        task, own = policies["candidate"].task, policies["control"].task
        return cls(
            baseline=task.threshold_of("baseline"),
            candidate=task.threshold_of("candidate"),
            control=own.threshold_of("candidate"),
        )


def _unmoved(policy: Policy, rows: LabelledRows, scores: Scores) -> dict[tuple[str, str], Finding]:
    """What the control comes to at the baseline's threshold."""
    same = policy.model_copy(update={"task": policy.task.at_the_baselines_threshold()})
    return _changes(same, rows, scores, "control")


def _changes(
    policy: Policy, rows: LabelledRows, scores: Scores, which: str
) -> dict[tuple[str, str], Finding]:
    pair = {"baseline": scores["baseline"], "candidate": scores[which]}
    table = predictions(policy, rows, pair, "gate")
    verdict: Verdict = decide(policy, count_table(policy, open_predictions(policy, table)).slices)
    return {
        (f.metric, f.slice): f
        for f in verdict.findings
        # A class by itself has no place in the control's table; macro averages do.
        if change_check(f.check) and not METRICS[f.metric].operational and not f.class_label
    }


def _summary(slices: tuple[ControlSlice, ...], thresholds: _Thresholds | None = None) -> str:
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


def _of_three(worst: ControlSlice, at: _Thresholds) -> str:
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
