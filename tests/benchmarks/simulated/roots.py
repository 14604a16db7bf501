"""Root mean squared error: errors that grow evenly, or few of all the size there can be.

Scores and labels lie in [0, 1], so that a squared error is 1 at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.feature_sums import SECOND, THIRD, FeatureSums
from prunegate.evidence.root_mean import RootMean
from prunegate.metrics.hypothesis import Difference
from simulated.gates import Pool, judged, pool_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Errors:
    """Both models' errors; the candidate's root mean square is larger by ``rise``."""

    before: float
    """The baseline's root mean square."""
    rise: float
    jump: float
    """The error of the few rows that lose; 0: all lose a little."""

    def squares(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Squared errors of baseline and candidate."""
        before = self.before * rng.standard_normal(n)
        after = before + 0.1 * self.before * rng.standard_normal(n)
        target = (self.before + self.rise) ** 2
        own = 1.01 * self.before**2
        if self.jump:
            share = (target - own) / (self.jump**2 - own)
            return before**2, np.where(rng.random(n) < share, self.jump, after) ** 2
        return before**2, after**2 * target / own


@dataclass(frozen=True, kw_only=True)
class RootMeanSquare:
    """The change of a root mean squared error."""

    name: str = "RMSE"
    draws: float = 0.1
    rows: tuple[int, ...] = (300, 1000)
    margins: tuple[float, ...] = (0.01, 0.03)

    def states(self, change: float) -> list[Errors]:
        """One per size of error and way of getting worse; last an even change."""
        if change == 0:
            return [Errors(before=0.1, rise=0.0005, jump=0.0)]
        states = product((0.05, 0.1, 0.2), (1.0, 0.5, 0.0))
        return [Errors(before=before, rise=-change, jump=jump) for before, jump in states]

    def pool(self, state: Errors, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n rows in this state."""
        rng, claim = np.random.default_rng(seed), Difference(margin=Fraction(str(margin)))
        times = round(draws * self.draws)
        outcomes = [judged(_evidence(*state.squares(n, rng)), claim) for _ in range(times)]
        return pool_of(outcomes, np.arange(times))


def _evidence(before: Floats, after: Floats) -> RootMean:
    features = (after - before, before, np.ones(len(before)))

    def total(place: tuple[int, ...]) -> Fraction:
        return Fraction(float(np.prod([features[index] for index in place], axis=0).sum()))

    first = tuple(total((index,)) for index in range(3))
    moments = FeatureSums(
        units=len(before),
        first=first,
        rough=first,
        second=tuple(total(place) for place in SECOND),
        third=tuple(total(place) for place in THIRD),
    )
    return RootMean(n=len(before), moments=moments, span=Fraction(1))


ROOTS = (RootMeanSquare(),)
