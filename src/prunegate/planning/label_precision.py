"""How likely a sample of the rows that both models flag is to decide a limit on precision.

Decisions are known before anybody labels: how many rows each model flags, and how many both do.
Which are right is assumed. If nothing changed, both models have the same precision; a floor is
planned for a candidate half way between it and perfect. Planning takes the normal approximation and
the limits of an expected sample, where the gate takes the score test at its worst.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import bdtr, ndtr

from prunegate.counting.partial_counts import GAMMA
from prunegate.counting.partial_labels import at_least
from prunegate.metrics.hypothesis import Contrast, Hypothesis, Level, linear_form
from prunegate.stats import clopper_pearson, normal


@dataclass(frozen=True, kw_only=True)
class SampledFlags:
    """The rows that either model flags, and how many of those that both do will be labelled."""

    decided: tuple[int, ...]
    """Rows of a slice by ``2 * baseline + candidate``."""
    sample: int
    """Labels of rows that both flag."""
    right: tuple[float, float]
    """Share of the rows that both flag which are positive, and of those that one flags."""

    def power(self, claim: Hypothesis, alpha: float) -> float | None:
        """Chance that a limit is shown to hold; None: it is not known beforehand.

        Args:
            claim: what the limit claims.
            alpha: one-sided level.
        """
        if isinstance(claim, Level):
            limit = float(claim.limit)
            return self._floor(limit, alpha) if claim.at_least and 0 < limit < 1 else None
        return None if claim.swapped else self._change(claim, alpha)

    @property
    def _both(self) -> int:
        return self.decided[0b11]

    @property
    def _size(self) -> int:
        return min(self.sample, self._both)

    @property
    def _level(self) -> float:
        return 0.0 if self._size == self._both else GAMMA

    def _at_least(self, found: int) -> int:
        """True positives among the rows that both flag, if so many of the sample are."""
        if self._size == self._both:
            return found
        return at_least(found, self._size, self._both, GAMMA / 2) if self._size else 0

    def _floor(self, limit: float, alpha: float) -> float:
        share = (1 + limit) / 2
        only = self.decided[0b01]
        rows, hits = self._both + only, round(share * only)

        def passes(found: int) -> bool:
            known = self._at_least(found) + hits
            p_value = clopper_pearson.tail_at_least(known, rows, limit)
            return p_value + self._level <= alpha

        low, high = -1, self._size + 1  # fails at low, passes at high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if passes(middle) else (middle, high)
        if high > self._size:
            return 0.0
        return 1.0 if low < 0 else float(1 - bdtr(low, self._size, share))

    def _change(self, claim: Contrast, alpha: float) -> float | None:
        agreed, apart = self.right
        slope, margin = map(float, linear_form(claim))
        room = (1 - slope) * agreed + margin
        flagged = [self._both + self.decided[only] for only in (0b10, 0b01)]
        if room <= 0:
            return None
        if not all(flagged):
            return 0.0
        per_row = (slope / flagged[0], 1 / flagged[1])
        weight = per_row[1] - per_row[0]
        of_one = apart * (1 - agreed) ** 2 + (1 - apart) * agreed**2
        variance = self._both * agreed * (1 - agreed) * weight**2 + of_one * sum(
            self.decided[only] * one**2 for only, one in zip((0b10, 0b01), per_row, strict=True)
        )
        room -= self._unknown(weight)
        if not variance:
            return float(room > 0)
        return float(ndtr(room / math.sqrt(variance) - normal.upper_z(alpha - self._level)))

    def _unknown(self, weight: float) -> float:
        """What true positives that the sample does not tell may take from the change."""
        if self._size == self._both:
            return 0.0
        found = round(self.right[0] * self._size)
        fewest = self._at_least(found)
        most = self._both - self._at_least(self._size - found)
        expected = self.right[0] * self._both
        return max(weight * (expected - hits) for hits in (fewest, most))
