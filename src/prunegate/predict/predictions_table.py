"""The predictions table that a run leaves behind: what ``gate`` reads, now or a year later."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from prunegate.data.labelled.rows import LabelledRows, select_rows
from prunegate.errors import TableError
from prunegate.policy.schema import Policy
from prunegate.predict.tasks.every import answers_of
from prunegate.predict.tasks.task_answers import Scored


def predictions(
    policy: Policy, rows: LabelledRows, scores: Mapping[str, Scored], split: str
) -> pa.Table:
    """A split with what both models make of it, one row an image, text or document.

    Args:
        policy: names the columns.
        rows: the labelled rows.
        scores: ``baseline`` and ``candidate``.
        split: whose rows they are.

    Raises:
        TableError: a slicing column is called as one of ids, labels or answers.
    """
    chosen = select_rows(rows, split)
    columns: dict[str, object] = {policy.columns.id: [rows.ids[i] for i in chosen]}
    columns |= answers_of(policy).columns(policy, rows, chosen, scores)
    for key, values in rows.columns.items():
        if key in columns:
            raise TableError(f"column '{key}' slices the data and is needed for something else too")
        columns[key] = [values[i] for i in chosen]
    return pa.table(columns)
