"""The unpruned control: what the fine-tuning data did, so that pruning is not blamed for it."""

from __future__ import annotations

from collections.abc import Mapping

from prunegate.audit.record import Control, ControlSlice
from prunegate.counting.count import count_table, open_predictions
from prunegate.data.labelled.rows import LabelledRows
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import change_check
from prunegate.policy.schema import Policy
from prunegate.predict.predictions_table import predictions
from prunegate.predict.tasks.kind import Scored
from prunegate.text.numbers import plain
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
    slices = tuple(
        ControlSlice(
            metric=metric,
            slice=name,
            baseline=found.baseline,
            control=found.candidate,
            candidate=candidate[metric, name].candidate,
            lost=found.lost,
            gained=found.gained,
        )
        for (metric, name), found in control.items()
    )
    return Control(summary=_summary(slices), slices=slices)


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


def _summary(slices: tuple[ControlSlice, ...]) -> str:
    """The slice that the candidate lost most on, with how much of it the control lost too."""
    known = [s for s in slices if None not in (s.baseline, s.control, s.candidate)]
    if not known:
        return "The same fine-tuning was done with nothing removed."
    worst = min(known, key=_gain)
    return (
        f"On {worst.slice}, {METRICS[worst.metric].phrase} changed by "
        f"{_change(worst.metric, worst.baseline, worst.candidate)} with pruning and by "
        f"{_change(worst.metric, worst.baseline, worst.control)} after the same fine-tuning with "
        "nothing removed: the second part is what the fine-tuning data did."
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
