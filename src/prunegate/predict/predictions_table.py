"""The predictions table that a run leaves behind: what ``gate`` reads, now or a year later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from prunegate.data.labelled.rows import Indices, LabelledRows, has_label, select_rows
from prunegate.errors import InternalError, TableError
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role, Task
from prunegate.predict.likelihood import Likelihoods

Scored = NDArray[np.float64] | NDArray[np.object_] | Likelihoods
"""What one model makes of a split, in the order of its rows: the positive class's probabilities
(binary), the labels it chooses (multiclass), each label's probabilities (multilabel: [N, labels] in
the policy's order), or how likely it finds each document (language)."""


def predictions(
    policy: Policy, rows: LabelledRows, scores: Mapping[str, Scored], split: str
) -> pa.Table:
    """A split with what both models make of it, one row an image, text or document.

    Args:
        policy: names the columns.
        rows: the labelled rows.
        scores: ``baseline`` and ``candidate``.
        split: whose rows they are.
    """
    names = policy.columns
    chosen = select_rows(rows, split)
    columns: dict[str, object] = {names.id: [rows.ids[i] for i in chosen]}
    if policy.task.traits.documents:
        columns |= _likelihoods(policy, scores["baseline"], scores["candidate"])
    elif policy.task.traits.sets:
        columns |= _label_sets(policy, rows, chosen, scores)
    else:
        columns[names.label] = _labels(policy, rows, chosen)
        columns[names.baseline] = scores["baseline"]
        columns[names.candidate] = scores["candidate"]
    for key, values in rows.columns.items():
        if key in columns:
            raise TableError(f"column '{key}' slices the data and is needed for something else too")
        columns[key] = [values[i] for i in chosen]
    return pa.table(columns)


def changed_decisions(task: Task, role: Role, one: Scored, other: Scored) -> int | None:
    """Count the rows that two sets of scores decide otherwise; None: likelihoods decide nothing.

    Args:
        task: its thresholds turn scores into decisions; a label is a decision by itself.
        role: whose scores they are.
        one: of a model.
        other: of the same rows, in the same order.
    """
    if isinstance(one, Likelihoods) or isinstance(other, Likelihoods):
        return None
    if task.traits.sets:
        limits = np.array([task.threshold_of(role, label) for label in task.labels])
        return int(np.count_nonzero(((one >= limits) != (other >= limits)).any(axis=1)))
    threshold = task.threshold_of(role)
    if threshold is None:
        return int(np.count_nonzero(one != other))
    return int(np.count_nonzero((one >= threshold) != (other >= threshold)))


def _label_sets(
    policy: Policy, rows: LabelledRows, chosen: Indices, scores: Mapping[str, Scored]
) -> dict[str, object]:
    """A column for each label of the truth (1 or 0) and of both models."""
    columns: dict[str, object] = {}
    for label in policy.task.labels:
        has = has_label(rows, label)[chosen]
        columns[policy.label_column("label", label)] = has.astype(np.int8)
    for role in ("baseline", "candidate"):
        found = scores[role]
        if isinstance(found, Likelihoods):
            raise InternalError("a multilabel task needs scores of both models")
        for place, label in enumerate(policy.task.labels):
            columns[policy.score_column(role, label)] = found[:, place]
    return columns


def _labels(policy: Policy, rows: LabelledRows, chosen: Indices) -> list[Any]:
    """The labels as the table gives them; as text where they are compared with names."""
    labels = [rows.labels[i] for i in chosen]
    return [value_text(label) for label in labels] if policy.task.traits.classes else labels


def _likelihoods(policy: Policy, baseline: Scored, candidate: Scored) -> dict[str, object]:
    names = policy.columns
    if not isinstance(baseline, Likelihoods) or not isinstance(candidate, Likelihoods):
        raise InternalError("a language task needs likelihoods of both models")
    if not np.array_equal(baseline.tokens, candidate.tokens):
        raise InternalError("the two models were asked about different tokens")
    columns: dict[str, object] = {
        names.baseline: baseline.nll,
        names.candidate: candidate.nll,
        names.tokens: baseline.tokens,
    }
    if baseline.quality is not None and candidate.quality is not None:
        columns[names.baseline_quality] = baseline.quality
        columns[names.candidate_quality] = candidate.quality
    return columns
