"""The candidate's own threshold: from which score on each model decides, where these are two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prunegate.audit.record import DecisionRecord
from prunegate.report.speech import Speech, speech
from prunegate.report.task import threshold
from prunegate.text.languages import ENGLISH
from prunegate.text.numbers import exact


@dataclass(frozen=True, kw_only=True)
class OwnThreshold:
    """What a candidate has to be shipped with."""

    baseline: float
    candidate: float


def own_threshold(record: DecisionRecord) -> OwnThreshold | None:
    """The thresholds of both models; None: the candidate's is the baseline's, and was not tuned."""
    found = _asked(record)
    both = _given(found)
    if both is None or (found["candidate"] != "tuned" and both.baseline == both.candidate):
        return None
    return both


def thresholds_of(
    record: DecisionRecord, label: str | None = None
) -> tuple[float | None, float | None]:
    """From which score on the baseline and the candidate flag a row; None: they do not by scores.

    Args:
        record: the decision.
        label: of several labels, the one that is decided.
    """
    both = _given(_asked(record)) if label is None else None
    if both is not None:
        return both.baseline, both.candidate
    shared = threshold(record, label)
    return shared, shared


def _asked(record: DecisionRecord) -> dict[str, Any]:
    """The thresholds of two models, as the policy has them; empty: it has one."""
    task = record.policy.document.get("task")
    found = task.get("threshold") if isinstance(task, dict) else None
    return found if isinstance(found, dict) and "candidate" in found else {}


def _given(found: Mapping[str, Any]) -> OwnThreshold | None:
    baseline, candidate = found.get("baseline"), found.get("candidate")
    chosen = found.get("found") if candidate == "tuned" else candidate
    if not isinstance(baseline, int | float) or not isinstance(chosen, int | float):
        return None
    return OwnThreshold(baseline=float(baseline), candidate=float(chosen))


def shown_threshold(value: float, said: Speech) -> str:
    """Every digit of it: whoever ships a rounded one decides otherwise."""
    return said.number(exact(value))


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
