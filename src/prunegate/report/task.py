"""The task of a record: what kind of thing the two models decide, as the report has to know it."""

from __future__ import annotations

from typing import Any

from prunegate.audit.record import DecisionRecord
from prunegate.metrics.task_traits import TRAITS, TaskTraits

NOT_SAID = TRAITS["binary"]
"""The kind of task of a record that does not say."""


def traits_of(record: DecisionRecord) -> TaskTraits:
    """What the rows of the record's task are."""
    kind = _task(record).get("kind")
    return TRAITS.get(kind, NOT_SAID) if isinstance(kind, str) else NOT_SAID


def threshold(record: DecisionRecord, label: str | None = None) -> float | None:
    """The score from which a row counts as positive; None where labels or numbers were judged.

    Args:
        record: the decision.
        label: of several labels, the one that is decided.
    """
    found = _task(record).get("threshold")
    if isinstance(found, dict) and label is not None:
        found = found.get(label)
    return float(found) if isinstance(found, int | float) else None


def _task(record: DecisionRecord) -> dict[str, Any]:
    task = record.policy.document.get("task")
    return task if isinstance(task, dict) else {}
