"""Labelled examples as compression sees them: something that hands out batches by row number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from prunegate.models.batch import Batch

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much is done and the total."""


class Examples(Protocol):
    """Rows of (input, label); ``predict.labelled.Labelled`` is one."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def batch(self, rows: np.ndarray) -> Batch:
        """Return the batch of these rows."""
        ...
