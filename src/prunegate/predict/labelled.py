"""Images or texts with their class numbers: what a recipe ranks with and trains on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from prunegate.errors import TableError
from prunegate.models.batch import Batch
from prunegate.predict.inputs import Inputs


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Some rows of images or texts, with labels; satisfies ``compress.examples.Examples``."""

    inputs: Inputs
    labels: NDArray[np.int64]
    """Class number of every row of ``inputs``."""
    rows: NDArray[np.int64]
    """The rows that are used, by their number in ``inputs``."""

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.inputs):
            raise TableError(
                f"{len(self.labels)} labels for {len(self.inputs)} {self.inputs.noun}; give one "
                "each."
            )
        if len(self.rows) and not 0 <= self.rows.min() <= self.rows.max() < len(self.inputs):
            raise TableError(f"rows have to be numbers from 0 to {len(self.inputs) - 1}.")

    @classmethod
    def of(
        cls,
        inputs: Inputs,
        labels: NDArray[np.integer],
        rows: NDArray[np.integer] | None = None,
    ) -> Labelled:
        """Pair images or texts with labels; ``rows`` selects some, default all."""
        chosen = np.arange(len(inputs)) if rows is None else np.asarray(rows)
        return cls(
            inputs=inputs,
            labels=np.asarray(labels).astype(np.int64),
            rows=chosen.astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, rows: NDArray[np.integer]) -> Batch:
        """Return the batch of these rows."""
        chosen = self.rows[rows]
        return Batch(
            inputs=self.inputs.inputs(chosen), labels=torch.from_numpy(self.labels[chosen])
        )
