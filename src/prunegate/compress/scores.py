"""How much each unit of a model matters, by some criterion: the common currency of rankings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prunegate.errors import ModelError

Scores = tuple[NDArray[np.float64], ...]
"""One array per row of units that are present; a larger score stays longer."""


def checked(scores: Sequence[NDArray[np.float64]]) -> Scores:
    """Insist that scores, float64 [units] per row, are usable.

    Raises:
        ModelError: a score that is NaN, infinite or negative, or a row without units.
    """
    for row in scores:
        if not row.size or not np.isfinite(row).all() or (row < 0).any():
            raise ModelError(
                "importance scores have to be finite, not negative, one per unit; check the "
                "calibration data and the weights."
            )
    return tuple(scores)


def shares_of_rows(scores: Sequence[NDArray[np.float64]]) -> Scores:
    """Divide each score by the sum of its row, float64 [units], so that every row sums to one.

    A row whose scores are all zero tells nothing apart: its units share equally.
    """
    return tuple(
        row / row.sum() if row.sum() > 0 else np.full(row.shape, 1 / row.size) for row in scores
    )


def unit_length(rows: Sequence[NDArray[np.float64]]) -> Scores:
    """Scale each row, float64 [units], to L2 norm one; a row of zeros stays zero."""
    norms = [float(np.linalg.norm(row)) for row in rows]
    return tuple(row / norm if norm > 0 else row for row, norm in zip(rows, norms, strict=True))
