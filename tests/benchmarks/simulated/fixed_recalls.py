"""Precision at a fixed recall: two models' scores of positives and negatives.

Scores are normal within each class, and both models' are correlated, so that the precision of
either in the population is known. The candidate gets worse evenly, or its positives spread more,
which moves its threshold and nothing else, or some of its negatives rise to the top. n counts
positives.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, Literal

import numpy as np
from scipy.special import ndtri

from prunegate.counting.fixed_recall import FixedRecallCounts, missed_at
from prunegate.evidence.fixed_recall_precision import FixedRecallPrecision
from prunegate.metrics.hypothesis import Difference
from simulated.fixed_rates import Floats, correlated, counts_of, ends_of, rounded
from simulated.gates import Pool, judged, pool_of

Way = Literal["threshold", "some alarms", "even"]
WAYS: tuple[Way, ...] = ("threshold", "some alarms", "even")


@dataclass(frozen=True, kw_only=True)
class AtFixedRecall:
    """How two models score, and at which recall they are compared."""

    recall: float
    precision: float
    """The baseline's."""
    way: Way
    change: float
    correlation: float
    others: int
    """Negatives to one positive."""
    decimals: int | None = None
    """What scores are rounded to, so that many are equal; None: none are."""

    def scores(self, n: int, rng: np.random.Generator) -> tuple[list[Floats], list[Floats]]:
        """Both models' scores of the positives, and of the negatives."""
        before, after = (
            self.recall * (1 / precision - 1) / self.others
            for precision in (self.precision, self.precision + self.change)
        )
        spread = ndtri(self.recall)
        apart = ndtri(1 - before) + spread
        up, down = (correlated(k, self.correlation, rng) for k in (n, n * self.others))
        up[0] += apart
        if self.way == "even":
            up[1] += ndtri(1 - after) + spread
        elif self.way == "some alarms":
            rises = rng.random(n * self.others) < (after - before) / (1 - before)
            up[1], down[1] = up[1] + apart, np.where(rises, 9.0, down[1])
        else:  # so many that the recall is left at a threshold with more false alarms
            up[1] = apart + up[1] * (apart - ndtri(1 - after)) / spread
        return rounded(up, self.decimals), rounded(down, self.decimals)


def evidence_of(recall: float, up: list[Floats], down: list[Floats]) -> FixedRecallPrecision:
    """What the rows say, as the engine counts them."""
    missed = missed_at(recall)
    alone = counts_of(missed, [-one for one in down], [-one for one in up])
    found = [_of_model(one, recall) for one in up]
    counts = FixedRecallCounts(
        alone=alone,
        hits=(found[0][0], found[1][0]),
        tied=(found[0][1], found[1][1]),
    )
    return FixedRecallPrecision(counts=counts, recall=recall)


def _of_model(up: Floats, recall: float) -> tuple[int, int]:
    """Positives that are flagged, and the most of one score where the threshold may be."""
    total, ordered = len(up), np.sort(up)
    below, upto = (np.searchsorted(ordered, up, side) for side in ("left", "right"))
    low, high = ends_of(total * missed_at(recall))
    possible = (below <= high) & (upto >= low)
    return int(((total - upto) / total < recall).sum()), int((upto - below)[possible].max())


@dataclass(frozen=True, kw_only=True)
class PrecisionAtRecall:
    """The change of precision at a fixed recall."""

    name: str = "precision at a recall"
    rows: tuple[int, ...] = (300, 1000, 3000)
    margins: tuple[float, ...] = (0.05, 0.1)
    recalls: tuple[float, ...] = (0.9,)
    others: int = 3
    decimals: int | None = None
    draws: float = 0.02

    def states(self, change: float) -> list[AtFixedRecall]:
        """One per recall, precision, likeness and way of getting worse; last an even change."""
        ways = WAYS if change else WAYS[-1:]
        return [
            AtFixedRecall(
                recall=recall,
                precision=precision,
                way=way,
                change=change,
                correlation=correlation,
                others=self.others,
                decimals=self.decimals,
            )
            for way, recall, precision, correlation in product(
                ways, self.recalls, (0.8, 0.95), (0.9, 0.99)
            )
            if precision + change > 1 / (1 + self.others)
        ]

    def pool(self, state: AtFixedRecall, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices with n positives in this state."""
        rng, claim = np.random.default_rng(seed), Difference(margin=Fraction(str(margin)))
        times = round(draws * self.draws)
        outcomes = [
            judged(evidence_of(state.recall, *state.scores(n, rng)), claim) for _ in range(times)
        ]
        return pool_of(outcomes, np.arange(times))


FIXED_RECALLS = (
    PrecisionAtRecall(),
    PrecisionAtRecall(name="precision at a recall, ties", decimals=1),
)
