"""Calibration: how sure models are, and how often they are right then, in bins of equal width.

The expected calibration error is the mean, over the rows, of how far apart both lie in a row's bin
(Guo et al. 2017, ICML, with their 15 bins). It is shown and never tested: its estimate hangs on the
bins and on how many rows there are, and lies above 0 for a model that is calibrated.

Where rows are positive or not, a model's sureness is its score, and it is right where the row is
positive. Where there are several classes it is the highest probability, and it is right where that
is the true class's alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

BINS_OF_SURENESS = 15
"""The n-th holds what is above (n - 1) / 15 and up to n / 15; the first one 0, too."""
STEPS = 2**30
"""Steps to 1 that sureness is added up in, so that no order of rows changes a sum."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """One model's rows by how sure it is, a number for every bin."""

    rows: tuple[int, ...] = (0,) * BINS_OF_SURENESS
    right: tuple[int, ...] = (0,) * BINS_OF_SURENESS
    """Rows that it is right about."""
    sure: tuple[int, ...] = (0,) * BINS_OF_SURENESS
    """How sure it is, added up, in ``STEPS``."""

    @property
    def error(self) -> Fraction | None:
        """The expected calibration error; None: there are no rows."""
        apart = (abs(r * STEPS - s) for r, s in zip(self.right, self.sure, strict=True))
        rows = sum(self.rows)
        return Fraction(sum(apart), rows * STEPS) if rows else None


Calibrations = tuple[Calibration, Calibration]
"""The baseline's and the candidate's."""
