"""The line between "limit holds" and "limit is broken" for paired decisions, and its score.

Of n rows, some are `lost` (only the baseline is right) and some `gained` (only the candidate is).
A limit holds while ``p_lost <= intercept + slope * p_gained``; the boundary is equality. An
absolute margin m has intercept m and slope 1 (Tango's test); the ratio R of two paired rates has
intercept 1-R and slope R (Nam and Blackwelder's test, on the rows where either counts). The score
statistic below is both of these tests, and grows as the limit holds more clearly.

Sources: Tango (1998), Statistics in Medicine 17, 891-908; Nam & Blackwelder (2002), ibid. 21,
689-699.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """The boundary ``p_lost = intercept + slope * p_gained``."""

    intercept: float
    """Rate of losses allowed when nothing is gained; below 1, negative when a gain is demanded."""
    slope: float = 1.0
    """Losses allowed per gain; above 0."""

    @property
    def reversed(self) -> Boundary:
        """The same line with the roles of lost and gained exchanged."""
        return Boundary(intercept=-self.intercept / self.slope, slope=1 / self.slope)

    @property
    def gained_range(self) -> tuple[float, float]:
        """Rates of gained rows for which a point of the line is a pair of probabilities."""
        return max(0.0, -self.intercept / self.slope), (1 - self.intercept) / (1 + self.slope)

    def losses(self, gained: Floats) -> Floats:
        """Rates of losses on the boundary, [N]; never below zero (left of it all is broken)."""
        return np.maximum(self.intercept + self.slope * gained, 0.0)

    def excess(self, lost: Any, gained: Any, n: int) -> Any:
        """Numerator of the score: allowed minus observed losses, in rows."""
        return self.intercept * n - lost + self.slope * gained

    def variance(self, lost: Floats, gained: Floats, n: int) -> tuple[Floats, Floats]:
        """Variance of the excess at the constrained maximum likelihood, and its slope in ``lost``.

        Each [N], of ``lost`` and ``gained`` rows [N] among ``n``.

        With the quadratic's coefficients A, B, C the estimate is ``(sqrt(B^2 - 4AC) - B) / 2A``;
        A cancels in the variance.
        """
        a, k = self.intercept, self.slope
        spread = n * a * (1 - a)
        B = a * (1 + k) * (n - lost) - k * (1 - a) * (gained + lost)
        root = np.sqrt(np.maximum(B * B + 4 * k * (1 + k) * spread * gained, 0.0))
        value = np.maximum(spread + (root - B) / 2, 0.0)
        change = (a + k) / 2 * (1 - B / np.maximum(root, 1e-300))
        return value, change

    def score(self, lost: Floats, gained: Floats, n: int) -> Floats:
        """Score statistics [N] of ``lost`` and ``gained`` rows [N]; 0 where nothing varies."""
        variance, _ = self.variance(lost, gained, n)
        excess = self.excess(lost, gained, n)
        return np.asarray(excess / np.sqrt(np.where(variance > 0, variance, np.inf)))

    def score_of(self, lost: float, gained: float, n: float) -> float:
        """Score statistic of one table on plain floats; infinite where the line allows no noise."""
        a, k = self.intercept, self.slope
        spread = n * a * (1 - a)
        B = a * (1 + k) * (n - lost) - k * (1 - a) * (gained + lost)
        root = math.sqrt(max(B * B + 4 * k * (1 + k) * spread * gained, 0.0))
        variance = spread + (root - B) / 2
        excess = a * n - lost + k * gained
        if variance > 1e-12 * n:
            return excess / math.sqrt(variance)
        return math.copysign(math.inf, excess) if abs(excess) > 1e-9 * n else 0.0
