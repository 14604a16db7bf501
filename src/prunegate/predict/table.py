"""The predictions table that a run leaves behind: what ``gate`` reads, now or a year later."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from prunegate.data.labelled_rows import LabelledRows, select
from prunegate.errors import TableError
from prunegate.policy.model import Policy


def predictions(
    policy: Policy, rows: LabelledRows, scores: Mapping[str, NDArray[np.float64]], split: str
) -> pa.Table:
    """A split with both models' scores, one row an image or text.

    Args:
        policy: names the columns.
        rows: the labelled rows.
        scores: ``baseline`` and ``candidate``, float64 [rows of the split], in their order.
        split: whose rows they are.
    """
    names = policy.data.columns
    chosen = select(rows, split)
    columns: dict[str, object] = {
        names.id: [rows.ids[i] for i in chosen],
        names.label: [rows.labels[i] for i in chosen],
        names.baseline: scores["baseline"],
        names.candidate: scores["candidate"],
    }
    for key, values in rows.columns.items():
        if key in columns:
            raise TableError(f"column '{key}' slices the data and is needed for something else too")
        columns[key] = [values[i] for i in chosen]
    return pa.table(columns)
