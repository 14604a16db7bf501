"""What a page decides by: the policy's task, with the threshold that a verdict's record holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.policy.load import PolicyFile
    from prunegate.policy.task import Task

RECORD = "record.json"
"""Beside the candidate, in the folder of its verdict."""


@dataclass(frozen=True, kw_only=True)
class PageTask:
    """The task whose positive label and thresholds a page shows."""

    task: Task
    record: Path | None = None
    """The record that says its threshold; None: the policy does."""


def page_task(candidate: Path, judged: PolicyFile | None, given: Path | None) -> PageTask | None:
    """The policy's task, else that of the record of this very candidate.

    A threshold that was tuned stands in the record alone.

    Args:
        candidate: the model of the page.
        judged: the policy that was given.
        given: the record that was given; None: the one beside the candidate, where it is of it.

    Returns:
        None: no policy was given, and no record has a threshold other than 0.5.

    Raises:
        InputError: the record is of another candidate or task, or a tuned threshold is nowhere.
        EvidenceError: what calls itself the record was changed.
    """
    if judged is not None and not judged.policy.task.untuned:
        return PageTask(task=judged.policy.task)
    place = given or candidate.resolve().parent / RECORD
    found = _recorded(candidate, place, given=given is not None)
    if judged is None:
        if found is None or not (given is not None or _moved(found)):
            return None
        return PageTask(task=found, record=place)
    if found is None:
        raise InputError(
            f"{judged.path}: the candidate's threshold is tuned, so a record of 'prunegate run' or "
            "'search' holds it, and there is none of this candidate beside it; add --record "
            "RECORD.json, or --threshold"
        )
    if _asked(found) != judged.policy.task:
        raise InputError(
            f"{place}: was judged by another 'task' than that of {judged.path}; give the policy "
            "that it was judged by, or leave --policy out"
        )
    return PageTask(task=found, record=place)


def judged_threshold(
    candidate: Path, judged: PolicyFile | None, given: Path | None, label: str | None
) -> float | None:
    """The threshold at which the candidate was judged, or is to be by the policy; None: unknown.

    Args:
        candidate: the model of the page.
        judged: the policy that was given.
        given: the record that was given; None: the one beside the candidate, where it is of it.
        label: the class that the page looks for.

    Raises:
        EvidenceError: what calls itself the record was changed.
        InputError: the record that was given is none, or is of another candidate.
    """
    from prunegate.policy.naming import value_text

    place = given or candidate.resolve().parent / RECORD
    task = _recorded(candidate, place, given=given is not None)
    if judged is not None and (task is None or not judged.policy.task.untuned):
        task = judged.policy.task
    if task is None or task.untuned:
        return None
    if task.labels:
        return task.threshold_of("candidate", label) if label in task.labels else None
    named = None if task.positive is None else value_text(task.positive)
    return task.threshold_of("candidate") if label == named else None


def is_tuned(task: Task) -> bool:
    """Whether the candidate's threshold was chosen by ``run`` or ``search``."""
    from prunegate.policy.task import Thresholds

    return isinstance(task.threshold, Thresholds) and task.threshold.candidate == "tuned"


def _recorded(candidate: Path, place: Path, *, given: bool) -> Task | None:
    """The task that a record has, if the record is of this candidate; a file that is none is not.

    Raises:
        InputError: it was given and is no record, or is of another candidate.
    """
    if not given and not place.is_file():
        return None
    from prunegate.audit.read import read_record
    from prunegate.audit.recompute import policy_of

    try:
        record, _ = read_record(place)
    except InputError:
        if given:
            raise
        return None
    if record.model_digest("candidate") in _digests(candidate):
        return policy_of(record).task
    if given:
        raise InputError(f"{place}: is the record of another candidate than {candidate}")
    return None


def _digests(candidate: Path) -> set[str]:
    """Of the candidate, and of the folder of an ONNX file."""
    from prunegate.models.digest import tree_digest

    places = {candidate, candidate if candidate.is_dir() else candidate.parent}
    return {tree_digest(place) for place in places}


def _moved(task: Task) -> bool:
    """Whether the candidate was judged at a threshold that a page would not take by itself."""
    named = task.labels or (None,)
    return is_tuned(task) or any(
        task.threshold_of("candidate", label) not in (None, 0.5) for label in named
    )


def _asked(task: Task) -> Task:
    """The task as its policy put it, before a threshold was tuned."""
    from prunegate.policy.task import Thresholds

    if not isinstance(task.threshold, Thresholds):
        return task
    return task.model_copy(update={"threshold": task.threshold.model_copy(update={"found": None})})
