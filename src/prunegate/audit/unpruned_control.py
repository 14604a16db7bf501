"""The unpruned control: what the fine-tuning data did, so that pruning is not blamed for it.

Where candidate and control are judged at other thresholds than the baseline, the control is judged
at the baseline's as well, so that the data are not blamed for what a threshold did.
"""

from __future__ import annotations

from collections.abc import Mapping

from prunegate.audit.control_record import Control, ControlSlice
from prunegate.audit.control_words import ControlThresholds, control_in_words
from prunegate.counting.count import count_table, open_predictions
from prunegate.data.labelled.rows import LabelledRows
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import change_check
from prunegate.policy.schema import Policy
from prunegate.predict.predictions_table import predictions
from prunegate.predict.tasks.task_answers import Scored
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import Finding, Verdict

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
        return Control(summary=control_in_words(slices), slices=slices)
    thresholds = _thresholds(policies)
    summary = control_in_words(slices, thresholds)
    return Control(summary=summary, slices=slices, threshold=thresholds.control)


def _thresholds(policies: Mapping[str, Policy]) -> ControlThresholds:
    task, own = policies["candidate"].task, policies["control"].task
    return ControlThresholds(
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
