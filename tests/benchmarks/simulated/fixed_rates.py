"""Recall at a fixed false positive rate: two models' scores of positives and negatives.

Scores are normal within each class, and both models' are correlated, so that the recall of either
in the population is known. The candidate gets worse evenly, or its negatives spread more, which
moves its threshold and nothing else, or only some of its positives fall. n counts positives.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from prunegate.counting.fixed_rate import BINS, LOG, FixedRateCounts, FlagCounts
from prunegate.evidence.fixed_rate_recall import FixedRateRecall
from prunegate.metrics.hypothesis import Difference
from simulated.gates import Pool, judged, pool_of

Floats = NDArray[np.float64]
Way = Literal["threshold", "some lost", "even"]
WAYS: tuple[Way, ...] = ("threshold", "some lost", "even")


@dataclass(frozen=True, kw_only=True)
class AtRate:
    """How two models score, and at which rate they are compared."""

    rate: float
    recall: float
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
        threshold = ndtri(1 - self.rate)
        apart = threshold + ndtri(self.recall)
        up, down = (correlated(k, self.correlation, rng) for k in (n, n * self.others))
        up[0] += apart
        after = self.recall + self.change
        if self.way == "even":
            up[1] += threshold + ndtri(after)
        elif self.way == "some lost":
            up[1] = np.where(rng.random(n) < -self.change / self.recall, -9.0, up[1] + apart)
        else:  # P(N(apart, 1) > s x threshold) is the recall that is left
            down[1] *= (apart - ndtri(after)) / threshold
            up[1] += apart
        return rounded(up, self.decimals), rounded(down, self.decimals)


def correlated(n: int, correlation: float, rng: np.random.Generator) -> list[Floats]:
    """Both models' scores of n rows: normal, of variance 1."""
    common = np.sqrt(correlation) * rng.standard_normal(n)
    return [common + np.sqrt(1 - correlation) * rng.standard_normal(n) for _ in range(2)]


def rounded(scores: list[Floats], decimals: int | None) -> list[Floats]:
    """Both models' scores with so many decimals; None: as they are."""
    return scores if decimals is None else [one.round(decimals) for one in scores]


def evidence_of(rate: float, up: list[Floats], down: list[Floats]) -> FixedRateRecall:
    """What the rows say, as the engine counts them."""
    return FixedRateRecall(counts=counts_of(rate, up, down), rate=rate)


def ends_of(expected: float) -> tuple[int, int]:
    """Between how many negatives thresholds may lie, if so many are expected above them."""
    low = max(0, int(np.floor(expected - np.sqrt(2 * expected * LOG))))
    return low, int(np.ceil(expected + LOG / 3 + np.sqrt(LOG**2 / 9 + 2 * expected * LOG)))


def counts_of(rate: float, up: list[Floats], down: list[Floats]) -> FixedRateCounts:
    """Positives at the thresholds that negatives leave possible."""
    total = len(down[0])
    ordered = [np.sort(one) for one in down]
    reached = [
        [total - np.searchsorted(o, x, "left") for o, x in zip(ordered, rows, strict=True)]
        for rows in (up, down)
    ]
    low, high = ends_of(total * rate)
    edges = [low + (high - low) * j // BINS for j in range(BINS + 1)]
    tables: tuple[list[FlagCounts], list[FlagCounts]] = ([], [])
    for least, most in pairwise(edges):
        first, second = (one <= least for one in reached[1])
        divided = 2 * (most - (first & second).sum())
        apart = int(np.ceil(LOG + np.sqrt(LOG**2 + 2 * LOG * divided)))
        strict = max(low, least - apart)
        for model in (1, 0):
            flags = [reached[0][0] <= most, reached[0][1] <= most]
            flags[model] = reached[0][model] < strict
            tables[1 - model].append(_counts(*flags))
    here = _counts(*(one / total <= rate for one in reached[0]))
    return FixedRateCounts(
        negatives=total,
        here=here,
        candidate_low=tuple(tables[0]),
        candidate_high=tuple(tables[1]),
    )


def _counts(baseline: NDArray[np.bool_], candidate: NDArray[np.bool_]) -> FlagCounts:
    neither, gained, lost, both = np.bincount(2 * baseline + candidate, minlength=4).tolist()
    return neither, gained, lost, both


@dataclass(frozen=True, kw_only=True)
class RecallAtRate:
    """The change of recall at a fixed false positive rate."""

    name: str = "recall at a false positive rate"
    rows: tuple[int, ...] = (300, 1000)
    margins: tuple[float, ...] = (0.05, 0.1)
    rates: tuple[float, ...] = (0.05,)
    others: int = 10
    decimals: int | None = None
    draws: float = 0.02

    def states(self, change: float) -> list[AtRate]:
        """One per rate, recall, likeness and way of getting worse; last an even change."""
        ways = WAYS if change else WAYS[-1:]
        return [
            AtRate(
                rate=rate,
                recall=recall,
                way=way,
                change=change,
                correlation=correlation,
                others=self.others,
                decimals=self.decimals,
            )
            for way, rate, recall, correlation in product(ways, self.rates, (0.7, 0.9), (0.9, 0.99))
            if recall + change > 0
        ]

    def pool(self, state: AtRate, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices with n positives in this state."""
        rng, claim = np.random.default_rng(seed), Difference(margin=Fraction(str(margin)))
        times = round(draws * self.draws)
        outcomes = [
            judged(evidence_of(state.rate, *state.scores(n, rng)), claim) for _ in range(times)
        ]
        return pool_of(outcomes, np.arange(times))


FIXED_RATES = (RecallAtRate(),)
