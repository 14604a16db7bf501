"""What is ranked, and what a criterion may use to rank it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from torch import nn

from prunegate.errors import TableError
from prunegate.io.progress import Progress, silent
from prunegate.models.batch import Batch
from prunegate.models.family import Family

if TYPE_CHECKING:
    import numpy as np

    from prunegate.models.batch import Batch


class Examples(Protocol):
    """Rows of (input, label); ``predict.labelled.Labelled`` is one."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def batch(self, rows: np.ndarray) -> Batch:
        """Return the batch of these rows, int [B], in their order; on the CPU."""
        ...


@dataclass(frozen=True, kw_only=True)
class RankingInput:
    """A model to be ranked."""

    family: Family
    module: nn.Module
    data: Examples | None = None
    """Calibration rows; only criteria that look at data need them."""
    seed: int = 0
    """Only the random control uses it."""
    batch_size: int = 64
    device: str = "cpu"
    progress: Progress = silent

    def rows(self) -> Examples:
        """The calibration rows.

        Raises:
            TableError: there are none.
        """
        if self.data is None:
            raise TableError("this criterion needs calibration data; give the step some rows.")
        if not len(self.data):
            raise TableError("no calibration rows to rank with; select at least one.")
        return self.data

    def batches(self) -> Iterator[Batch]:
        """Yield the calibration rows in order, telling the progress."""
        data = self.rows()
        for start in range(0, len(data), self.batch_size):
            rows = np.arange(start, min(start + self.batch_size, len(data)))
            yield data.batch(rows)
            self.progress("rank", int(rows[-1]) + 1, len(data))
