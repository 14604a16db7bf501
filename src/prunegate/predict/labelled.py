"""Images with their class numbers: what a recipe ranks with and trains on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from prunegate.errors import TableError
from prunegate.models.batch import Batch
from prunegate.predict.images import ImageSet


@dataclass(frozen=True, kw_only=True)
class LabelledImages:
    """Some rows of an image set, with labels; satisfies ``compress.examples.Examples``."""

    images: ImageSet
    labels: NDArray[np.int64]
    """Class number of every image of the set."""
    rows: NDArray[np.int64]
    """The images that are used, by their number in the set."""

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.images):
            raise TableError(
                f"{len(self.labels)} labels for {len(self.images)} images; give one each."
            )
        if len(self.rows) and not 0 <= self.rows.min() <= self.rows.max() < len(self.images):
            raise TableError(f"rows have to be numbers from 0 to {len(self.images) - 1}.")

    @classmethod
    def of(
        cls,
        images: ImageSet,
        labels: NDArray[np.integer],
        rows: NDArray[np.integer] | None = None,
    ) -> LabelledImages:
        """Pair images with labels; ``rows`` selects some, default all."""
        chosen = np.arange(len(images)) if rows is None else np.asarray(rows)
        return cls(
            images=images,
            labels=np.asarray(labels).astype(np.int64),
            rows=chosen.astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, rows: NDArray[np.integer]) -> Batch:
        """Return the batch of these rows."""
        chosen = self.rows[rows]
        return Batch(
            inputs={"pixel_values": self.images.pixel_values(chosen)},
            labels=torch.from_numpy(self.labels[chosen]),
        )
