"""How much each unit of a model matters, by some criterion: the common currency of rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prunegate.errors import ModelError
from prunegate.models.kept import Kind

Scores = tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Scores of the units that are present, one array per layer; a larger score stays longer."""

    heads: Scores
    neurons: Scores

    def __post_init__(self) -> None:
        for layer in (*self.heads, *self.neurons):
            if not layer.size or not np.isfinite(layer).all() or (layer < 0).any():
                raise ModelError(
                    "importance scores have to be finite, not negative, one per unit; check the "
                    "calibration data and the weights."
                )

    def of(self, kind: Kind) -> Scores:
        """Return the scores of heads or of neurons."""
        return self.heads if kind == "heads" else self.neurons


def share(scores: Sequence[NDArray[np.float64]]) -> Scores:
    """Divide each score by the sum of its layer, so that every layer sums to one.

    A layer whose scores are all zero tells nothing apart: its units share equally.
    """
    return tuple(
        layer / layer.sum() if layer.sum() > 0 else np.full(layer.shape, 1 / layer.size)
        for layer in scores
    )
