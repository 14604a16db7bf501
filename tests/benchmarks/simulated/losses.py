"""Log-loss and Brier score: few rows that lose much, up to all that a row can lose.

A log-loss of scores kept off 0 and 1 by the smallest step of a 64-bit float is 36 at most, a Brier
score 1. The margins are those at which a loss of which none is seen counts most.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from prunegate.counting.score_losses import BRIER, LOG_LOSS, loss_span
from prunegate.evidence.mean_loss import MeanLoss
from prunegate.metrics.hypothesis import Difference
from simulated.gates import Pool, judged, pool_of
from simulated.means import Rare, moments_of_scores, parts


@dataclass(frozen=True, kw_only=True)
class MeanLossOfScores:
    """The change of a mean loss; changes of a row are drawn with the better side up."""

    name: str
    quantity: str
    jumps: tuple[float, ...]
    """How much a row loses, of those that do."""
    noise: float
    """Of all other rows."""
    margins: tuple[float, ...]
    rows: tuple[int, ...] = (300, 1000, 5000)
    draws: float = 0.1

    def states(self, change: float) -> list[Rare]:
        """Rare losses, rare gains, and last an even change."""
        even = Rare(share=0.0, jump=0.0, common=change, noise=self.noise)
        if change == 0:
            return [even]
        states = []
        for jump, noise in product(self.jumps, (0.0, self.noise)):
            share = -change / jump
            states.append(Rare(share=share, jump=-jump, common=0.0, noise=noise))
            common = (change - share * jump) / (1 - share)
            states.append(Rare(share=share, jump=jump, common=common, noise=noise))
        return [*states, even]

    def pool(self, state: Rare, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n rows in this state."""
        rng, claim = np.random.default_rng(seed), Difference(margin=Fraction(str(margin)))
        outcomes = []
        for part in parts(round(draws * self.draws)):
            changes = -state.changes((part, n), rng)
            powers = np.stack([(changes**power).sum(axis=1) for power in (1, 2, 3)], axis=1)
            for sums in powers.tolist():
                found = MeanLoss(
                    n=n,
                    moments=moments_of_scores(n, sums),
                    span=loss_span(self.quantity, several=False),
                )
                outcomes.append(judged(found, claim))
        return pool_of(outcomes, np.arange(len(outcomes)))


LOSSES = (
    MeanLossOfScores(
        name="log-loss",
        quantity=LOG_LOSS,
        jumps=(36.0, 10.0, 3.0, 1.0),
        noise=0.1,
        margins=(0.02, 0.1, 0.33),
    ),
    MeanLossOfScores(
        name="Brier score",
        quantity=BRIER,
        jumps=(1.0, 0.5, 0.2),
        noise=0.02,
        margins=(0.003, 0.009, 0.02),
    ),
)
