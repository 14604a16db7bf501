"""Labelled examples as compression sees them: something that hands out batches by row number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much is done and the total."""


class Examples(Protocol):
    """Rows of (input, label); ``predict.labelled.LabelledImages`` is one."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return pixel values float32 [B, 3, H, W] and labels int64 [B] on the CPU."""
        ...
