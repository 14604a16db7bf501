"""The area under the ROC curve: two models' scores of positives and negatives.

Scores are normal within each class, and both models' are correlated. The candidate gets worse
evenly, or a few positives fall to the bottom, a few negatives rise to the top, or a few positives
fall among the negatives: such losses may not be in the slice at all. n counts the rows of the rarer
class, or its groups: of one label each, some four rows on average, which fall together.
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
    together: float = 0.0
    """Share of the scores' common part that the rows of a group have in common."""

    def labels(self, n: int) -> NDArray[np.bool_]:
        """Which rows (or groups) are positive."""
        sizes = (n, n * self.others) if self.rare_positives else (n * self.others, n)
        return np.repeat([True, False], sizes)

    def scores(
        self, label: NDArray[np.bool_], group: NDArray[np.intp], rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Both models' scores; groups of rows fall together."""
        alike = rng.standard_normal(int(group[-1]) + 1)[group]
        common = np.sqrt(self.together) * alike
        common += np.sqrt(1 - self.together) * rng.standard_normal(len(label))
        common *= np.sqrt(self.correlation)
        own = np.sqrt(1 - self.correlation)
        baseline = common + own * rng.standard_normal(len(label)) + _apart(self.area) * label
        after = self.area + self.change * (self.way == "even")
        candidate = common + own * rng.standard_normal(len(label)) + _apart(after) * label
        if self.way == "positives lost":
            candidate[_some(label, group, -self.change / self.area, rng)] = BOTTOM
        elif self.way == "negatives lost":
            candidate[_some(~label, group, -self.change / self.area, rng)] = TOP
        elif self.way == "positives among negatives":
            fallen = _some(label, group, -self.change / (self.area - 0.5), rng)
            candidate[fallen] = rng.standard_normal(int(fallen.sum()))
        return baseline, candidate


def _some(
    rows: NDArray[np.bool_], group: NDArray[np.intp], share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whole groups of these rows, so many of them."""
    chosen: NDArray[np.bool_] = rows & (rng.random(int(group[-1]) + 1) < share)[group]
    return chosen


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
    together: tuple[float, ...] = ()
    """How alike the rows of a group are; empty: there are no groups."""

    def states(self, change: float) -> list[Ranking]:
        """One per area, mix of classes and way of getting worse; last an even change."""
        mixes = ((9, True), (9, False), (1, True))
        ways = [*(way for way in WAYS[1:] if change), WAYS[0]]
        return [
            Ranking(
                area=area,
                others=others,
                rare_positives=rare,
                way=way,
                change=change,
                together=together,
            )
            for way, area, (others, rare), together in product(
                ways, (0.75, 0.97, 0.9), mixes, self.together or (0.0,)
            )
            if area + change > 0.55
        ]

    def pool(self, state: Ranking, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices with n rows of the rarer class in this state."""
        rng, claim = np.random.default_rng(seed), Difference(margin=Fraction(str(margin)))
        times = round(draws * self.draws)
        outcomes = [judged(self._drawn(state, n, rng), claim) for _ in range(times)]
        return pool_of(outcomes, np.arange(times))

    def _drawn(self, state: Ranking, n: int, rng: np.random.Generator) -> RankedAreas:
        label = state.labels(n)
        group = np.arange(len(label))
        if self.together:  # a group's rows have one label; its size is geometric
            group = np.repeat(group, np.minimum(rng.geometric(0.25, len(label)), 50))
            label = label[group]
        return evidence_of(label, *state.scores(label, group, rng), group)


def evidence_of(
    label: NDArray[np.bool_], baseline: Floats, candidate: Floats, group: NDArray[np.intp]
) -> RankedAreas:
    """What the rows say, by ranks among all rows and among those of their own class."""
    features = np.zeros((6, len(label)))
    for model, scores in enumerate((baseline, candidate)):
        own = np.empty(len(label))
        own[label], own[~label] = rankdata(scores[label]), rankdata(scores[~label])
        below = 2 * (rankdata(scores) - own)
        features[model] = below * label
        features[3 + model] = (2 * label.sum() - below) * ~label
    features[2], features[5] = label, ~label
    units = np.add.reduceat(features, np.flatnonzero(np.diff(group, prepend=-1)), axis=1)
    products = units @ units.T
    return RankedAreas(
        sums=PlacementSums(
            units=units.shape[1],
            first=tuple(round(x) for x in units.sum(axis=1).tolist()),
            second=tuple(round(products[i, j]) for i, j in PAIRS),
            holding=(int((units[2] > 0).sum()), int((units[5] > 0).sum())),
        )
    )


RANKING = (
    AreaUnderCurve(),
    AreaUnderCurve(name="AUC, groups", rows=(50, 100), margins=(0.06,), together=(0.2, 0.8)),
)
