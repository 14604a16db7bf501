"""Labelled examples as compression sees them: something that hands out batches by row number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from prunegate.models.batch import Batch


class Examples(Protocol):
    """Rows of (input, label); ``predict.labelled.Labelled`` is one."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def batch(self, rows: np.ndarray) -> Batch:
        """Return the batch of these rows."""
        ...
