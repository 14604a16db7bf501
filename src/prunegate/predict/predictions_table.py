"""The predictions table that a run leaves behind: what ``gate`` reads, now or a year later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from prunegate.data.labelled.rows import Indices, LabelledRows, select_rows
from prunegate.errors import InternalError, TableError
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.predict.likelihood import Likelihoods

Scored = NDArray[np.float64] | NDArray[np.object_] | Likelihoods
"""What one model makes of a split, in the order of its rows: the positive class's probabilities
(binary), the labels it chooses (multiclass), or how likely it finds each document (language)."""


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
    else:
        columns[names.label] = _labels(policy, rows, chosen)
        columns[names.baseline] = scores["baseline"]
        columns[names.candidate] = scores["candidate"]
    for key, values in rows.columns.items():
        if key in columns:
            raise TableError(f"column '{key}' slices the data and is needed for something else too")
        columns[key] = [values[i] for i in chosen]
    return pa.table(columns)


def changed_decisions(threshold: float | None, one: Scored, other: Scored) -> int | None:
    """Count the rows that two sets of scores decide otherwise; None: likelihoods decide nothing.

    Args:
        threshold: of scores; a label is a decision by itself.
        one: of a model.
        other: of the same rows, in the same order.
    """
    if isinstance(one, Likelihoods) or isinstance(other, Likelihoods):
        return None
    if threshold is None:
        return int(np.count_nonzero(one != other))
    return int(np.count_nonzero((one >= threshold) != (other >= threshold)))


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
    return {
        names.baseline: baseline.nll,
        names.candidate: candidate.nll,
        names.tokens: baseline.tokens,
    }
