"""The candidate's own threshold: from which score on each model decides, where these are two."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from prunegate.audit.record import DecisionRecord
from prunegate.report.speech import Speech, speech
from prunegate.text.languages import ENGLISH


@dataclass(frozen=True, kw_only=True)
class OwnThreshold:
    """What a candidate has to be shipped with."""

    baseline: float
    candidate: float


def own_threshold(record: DecisionRecord) -> OwnThreshold | None:
    """The thresholds of both models; None: the candidate's is the baseline's, and was not tuned."""
    task = record.policy.document.get("task")
    found = task.get("threshold") if isinstance(task, dict) else None
    if not isinstance(found, dict) or "candidate" not in found:
        return None
    baseline, candidate = found.get("baseline"), found["candidate"]
    chosen = found.get("found") if candidate == "tuned" else candidate
    if not isinstance(baseline, int | float) or not isinstance(chosen, int | float):
        return None
    if candidate != "tuned" and baseline == chosen:
        return None
    return OwnThreshold(baseline=float(baseline), candidate=float(chosen))


def shown_threshold(value: float, said: Speech) -> str:
    """Every digit of it: whoever ships a rounded one decides otherwise."""
    return said.number(f"{Decimal(repr(value)).normalize():f}")


def in_english(record: DecisionRecord) -> str:
    """What is told of the candidate's own threshold where no language is asked for."""
    return threshold_told(record, speech(ENGLISH), "The candidate")


def threshold_told(record: DecisionRecord, said: Speech, model: str) -> str:
    """From which score on the model flags, and of an approval that it has to be shipped so.

    Args:
        record: the decision.
        said: the language.
        model: what the candidate is called at the beginning of a sentence.

    Returns:
        Empty: nothing is to be told.
    """
    own = own_threshold(record)
    if own is None:
        return ""
    told = said.say(
        "threshold.flags",
        model=model,
        candidate=shown_threshold(own.candidate, said),
        baseline=shown_threshold(own.baseline, said),
    )
    return f"{told} {said.say('threshold.ships')}" if record.outcome == "approve" else told
