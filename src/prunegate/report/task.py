"""The task of a record: what kind of thing the two models decide, as the report has to know it."""

from __future__ import annotations

from typing import Any

from prunegate.audit.record import DecisionRecord

_KINDS = ("binary", "multiclass", "score", "language")
DECISIONS = ("binary", "multiclass")
"""Kinds of task whose rows are right or wrong."""


def task_kind(record: DecisionRecord) -> str:
    """The kind of task; ``binary`` where the record does not say."""
    kind = _task(record).get("kind")
    return str(kind) if kind in _KINDS else "binary"


def threshold(record: DecisionRecord) -> float | None:
    """The score from which a row counts as positive; None where labels or numbers were judged."""
    found = _task(record).get("threshold")
    return float(found) if isinstance(found, int | float) else None


def noun(kind: str) -> str:
    """What the rows of such a task are called."""
    return "documents" if kind == "language" else "rows"


def _task(record: DecisionRecord) -> dict[str, Any]:
    task = record.policy.document.get("task")
    return task if isinstance(task, dict) else {}
