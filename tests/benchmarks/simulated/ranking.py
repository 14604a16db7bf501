"""The area under the ROC curve: two models' scores of positives and negatives.

Scores are normal within each class, and both models' are correlated. The candidate gets worse
evenly, or a few positives fall to the bottom, a few negatives rise to the top, or a few positives
fall among the negatives: such losses may not be in the slice at all. n counts the rows of the rarer
class.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from prunegate.counting.placement_sums import PAIRS, PlacementSums
from prunegate.evidence.ranking import RankedAreas
from prunegate.metrics.hypothesis import Difference
from simulated.gates import Pool, judged, pool_of

Floats = NDArray[np.float64]
Way = Literal["even", "positives lost", "negatives lost", "positives among negatives"]
WAYS: tuple[Way, ...] = (
    *("even", "positives lost"),
    *("negatives lost", "positives among negatives"),
)
BOTTOM, TOP = -50.0, 50.0


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """How two models rank."""

    area: float
    """The baseline's."""
    others: int
    """Rows of the other class to one of the rarer."""
    rare_positives: bool
    way: Way
    change: float
    correlation: float = 0.95

    def scores(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.bool_], Floats, Floats]:
        """Which rows are positive, and both models' scores."""
        sizes = (n, n * self.others) if self.rare_positives else (n * self.others, n)
        label = np.repeat([True, False], sizes)
        common = np.sqrt(self.correlation) * rng.standard_normal(len(label))
        own = np.sqrt(1 - self.correlation)
        baseline = common + own * rng.standard_normal(len(label)) + _apart(self.area) * label
        after = self.area + self.change * (self.way == "even")
        candidate = common + own * rng.standard_normal(len(label)) + _apart(after) * label
        if self.way == "positives lost":
            candidate[self._some(label, -self.change / self.area, rng)] = BOTTOM
        elif self.way == "negatives lost":
            candidate[self._some(~label, -self.change / self.area, rng)] = TOP
        elif self.way == "positives among negatives":
            fallen = self._some(label, -self.change / (self.area - 0.5), rng)
            candidate[fallen] = rng.standard_normal(int(fallen.sum()))
        return label, baseline, candidate

    @staticmethod
    def _some(rows: NDArray[np.bool_], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
        return rows & (rng.random(len(rows)) < share)


def _apart(area: float) -> float:
    """How far apart the classes are, in standard deviations."""
    return float(np.sqrt(2) * ndtri(area))


@dataclass(frozen=True, kw_only=True)
class AreaUnderCurve:
    """The change of an area."""

    name: str = "AUC"
    draws: float = 0.1
    rows: tuple[int, ...] = (50, 100, 300)
    margins: tuple[float, ...] = (0.01, 0.03, 0.06)

    def states(self, change: float) -> list[Ranking]:
        """One per area, mix of classes and way of getting worse; last an even change."""
        mixes = ((9, True), (9, False), (1, True))
        ways = [way for way in WAYS if way != "even"] if change else []
        return [
            Ranking(area=area, others=others, rare_positives=rare, way=way, change=change)
            for way, area, (others, rare) in product((*ways, "even"), (0.75, 0.97, 0.9), mixes)
            if area + change > 0.55
        ]

    def pool(self, state: Ranking, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices with n rows of the rarer class in this state."""
        rng, claim = np.random.default_rng(seed), Difference(margin=Fraction(str(margin)))
        times = round(draws * self.draws)
        outcomes = [judged(evidence_of(*state.scores(n, rng)), claim) for _ in range(times)]
        return pool_of(outcomes, np.arange(times))


def evidence_of(label: NDArray[np.bool_], baseline: Floats, candidate: Floats) -> RankedAreas:
    """What the rows say, by ranks among all rows and among those of their own class."""
    features = np.zeros((6, len(label)))
    for model, scores in enumerate((baseline, candidate)):
        own = np.empty(len(label))
        own[label], own[~label] = rankdata(scores[label]), rankdata(scores[~label])
        below = 2 * (rankdata(scores) - own)
        features[model] = below * label
        features[3 + model] = (2 * label.sum() - below) * ~label
    features[2], features[5] = label, ~label
    products = features @ features.T
    return RankedAreas(
        sums=PlacementSums(
            units=len(label),
            first=tuple(round(x) for x in features.sum(axis=1).tolist()),
            second=tuple(round(products[i, j]) for i, j in PAIRS),
            holding=(int(label.sum()), int((~label).sum())),
        )
    )


RANKING = (AreaUnderCurve(),)
