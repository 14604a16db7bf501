"""Inputs: what models are given, whether images, texts or documents, by row number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


class Inputs(Protocol):
    """Rows that a model can be called with; ``ImageSet``, ``TextSet`` and ``Documents`` are."""

    noun: ClassVar[str]
    """What the rows are called: images, texts, documents."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def inputs(self, rows: NDArray[np.integer]) -> Mapping[str, Tensor]:
        """Return the model's keyword arguments for these rows, each [rows, ...], on the CPU."""
        ...

    def batches(self, size: int) -> Iterator[NDArray[np.int64]]:
        """Yield row numbers [at most size], each once, in the cheapest order."""
        ...

    def typical(self, count: int) -> NDArray[np.int64]:
        """Return row numbers [count] to time a model on; they repeat where there are too few."""
        ...

    def subset(self, rows: NDArray[np.integer]) -> Inputs:
        """Return some of the rows, by their numbers [rows], in the order given."""
        ...
