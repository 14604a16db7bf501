"""The predictions table that a run leaves behind: what ``gate`` reads, now or a year later."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from prunegate.data.labelled_rows import LabelledRows, select
from prunegate.errors import TableError
from prunegate.policy.model import Policy


def predictions(
    policy: Policy, rows: LabelledRows, scores: Mapping[str, NDArray[np.float64]]
) -> pa.Table:
    """The gate split with both models' scores, one row an image.

    Args:
        policy: names the columns.
        rows: the labelled rows.
        scores: ``baseline`` and ``candidate``, float64 [rows of the gate split], in their order.
    """
    names = policy.data.columns
    gate = select(rows, "gate")
    columns: dict[str, object] = {
        names.id: [rows.ids[i] for i in gate],
        names.label: [rows.labels[i] for i in gate],
        names.baseline: scores["baseline"],
        names.candidate: scores["candidate"],
    }
    for key, values in rows.columns.items():
        if key in columns:
            raise TableError(f"column '{key}' slices the data and is needed for something else too")
        columns[key] = [values[i] for i in gate]
    return pa.table(columns)


def write_predictions(
    path: Path,
    policy: Policy,
    rows: LabelledRows,
    scores: Mapping[str, NDArray[np.float64]],
) -> None:
    """Write ``predictions`` as Parquet."""
    pq.write_table(predictions(policy, rows, scores), path)
