"""Average precision and rank correlation: two models' scores, and what their rows pull.

Scores are normal, those of positives shifted, and both models' are correlated; labels of a rank
correlation are normal too, or five steps. The candidate gets worse evenly, or on a few rows that
fall to the bottom, rise to the top or come anywhere: such rows may not be in the slice at all. How
many there are is found by halving on one large sample. n counts positives, or all rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from prunegate.counting.feature_sums import SECOND, THIRD, FeatureSums
from prunegate.counting.pull_sums import PullSums
from prunegate.evidence.pulled_value import PulledValue
from prunegate.metrics.hypothesis import Difference
from prunegate.stats.pulled import RELIABLE
from simulated.gates import Pool, judged, pool_of

Floats = NDArray[np.float64]
Rows = tuple[Floats, Floats, Floats]
"""Label, baseline's score, candidate's."""
LARGE = 200_000
BOTTOM, TOP = -50.0, 50.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """How two models order rows."""

    statistic: str
    way: str
    apart: float
    """Distance of the classes, or how much of the label a score has."""
    mix: int
    """Negatives to one positive; steps of the label (0: none)."""
    change: float
    share: float = 0.0
    """How far it goes in its way, so that the value changes by so much."""
    together: bool = False
    """Whether the rows come in groups, of about four rows, which fall together."""

    def rows(self, n: int, rng: np.random.Generator) -> tuple[Rows, NDArray[np.intp]]:
        """Drawn rows and the groups that they come in."""
        positives = self.statistic == "average_precision"
        group = np.arange(n * (1 + self.mix) if positives else n)
        if self.together:
            group = np.repeat(group, np.minimum(rng.geometric(0.25, len(group)), 50))
        units = int(group[-1]) + 1
        if positives:
            label = (np.arange(units) < n).astype(float)[group]
            signal = self.apart * label
        else:
            label = rng.standard_normal(units)[group] if self.together else None
            own = rng.standard_normal(len(group))
            label = own if label is None else 0.7 * label + 0.7 * own
            signal = self.apart * label
            label = np.floor(label) if self.mix else label
        common = rng.standard_normal(len(group))
        baseline, candidate = (
            signal + 0.975 * common + 0.222 * rng.standard_normal(len(group)) for _ in range(2)
        )
        hit = (rng.random(units) < self.share)[group]
        worse = WAYS[self.statistic][self.way](self, (label, baseline, candidate), hit, rng)
        return (label, baseline, worse), group


Way = Callable[[Order, Rows, NDArray[np.bool_], np.random.Generator], Floats]


def _even(of: Order, rows: Rows, hit: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    del hit
    if of.statistic == "average_precision":
        return rows[2] - of.share * of.apart * rows[0]
    return rows[2] + 3 * of.share * rng.standard_normal(len(rows[2]))


def _put(which: Callable[[Order, Rows], NDArray[np.bool_]], where: float) -> Way:
    def way(of: Order, rows: Rows, hit: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
        del rng
        return np.where(hit & which(of, rows), where, rows[2])

    return way


def _anywhere(of: Order, rows: Rows, hit: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    chosen = hit & (rows[0] > 0) if of.statistic == "average_precision" else hit
    return np.where(chosen, rng.standard_normal(len(hit)), rows[2])


def _reversed(of: Order, rows: Rows, hit: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    del of, rng
    return np.where(hit, -rows[2], rows[2])


WAYS: dict[str, dict[str, Way]] = {
    "average_precision": {
        "positives lost": _put(lambda _, rows: rows[0] > 0, BOTTOM),
        "best lost": _put(lambda of, rows: (rows[0] > 0) & (rows[1] > of.apart + 1), BOTTOM),
        "negatives first": _put(lambda _, rows: rows[0] == 0, TOP),
        "positives anywhere": _anywhere,
        "even": _even,
    },
    "rank_correlation": {
        "lowest first": _put(lambda _, rows: rows[0] < -1, TOP),
        "reversed": _reversed,
        "anywhere": _anywhere,
        "even": _even,
    },
}


def pulls(statistic: str, label: Floats, score: Floats) -> tuple[float, Floats, Floats]:
    """A value, the rows' features, and (own, falls...), all as the engine has them."""
    return (_precision if statistic == "average_precision" else _rank)(label, score)


def _precision(label: Floats, score: Floats) -> tuple[float, Floats, Floats]:
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ups = np.bincount(place, label, len(counts))
    hits, alarms = (x[::-1].cumsum()[::-1] for x in (ups, counts - ups))
    every = hits + alarms
    gain, loss = (np.cumsum(ups * x / every**2) for x in (alarms, hits))
    features = label * (hits / every + gain)[place] - (1 - label) * loss[place]
    return features.sum() / label.sum(), features, np.array([gain[-1], 1 + gain[-1], loss[-1]])


def _rank(label: Floats, score: Floats) -> tuple[float, Floats, Floats]:
    n = len(label)
    a, b = (2 * rankdata(x) - 1 - n for x in (score, label))

    def shift(by: Floats, weights: Floats) -> Floats:
        _, place = np.unique(by, return_inverse=True)
        sums = np.bincount(place, weights)
        return np.asarray((sums - 2 * sums.cumsum())[place])

    ab, aa, bb = ((x * y).sum() for x, y in ((a, b), (a, a), (b, b)))
    root = np.sqrt(aa * bb)
    both = a * b + shift(score, b) + shift(label, a)
    each = (a**2 + 2 * shift(score, a)) / aa + (b**2 + 2 * shift(label, b)) / bb
    features = ab / root + n * (both / root - ab / root / 2 * each)
    return ab / root, features, np.array([0.0, 7.5 * n**3 / 3 / root])


def change(state: Order, share: float) -> float:
    """How much the value changes in a large sample."""
    positives = state.statistic == "average_precision"
    n = LARGE // (1 + state.mix) if positives else LARGE
    rows, _ = replace(state, share=share, together=False).rows(n, np.random.default_rng(1))
    before, after = (pulls(state.statistic, rows[0], score)[0] for score in rows[1:])
    return after - before


@lru_cache
def solved(state: Order) -> Order | None:
    """The state with the share at which the value changes by so much; None: it cannot."""
    if not state.change:
        return state
    low, high = 0.0, 1.0
    if change(state, high) > state.change:
        return None
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (low, middle) if change(state, middle) < state.change else (middle, high)
    return replace(state, share=high)


def evidence_of(statistic: str, rows: Rows, group: NDArray[np.intp]) -> PulledValue:
    """What the rows say."""
    label = rows[0]
    (_, before, ends), (_, after, others) = (pulls(statistic, label, one) for one in rows[1:])
    positives = statistic == "average_precision"
    weight = label if positives else np.ones(len(label))
    kinds = [label, 1 - label] if positives else [weight]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    x = np.add.reduceat(np.array([after - before, before, weight]), starts, axis=1)
    held = np.add.reduceat(np.array(kinds), starts, axis=1)
    first = tuple(Fraction(float(one.sum())) for one in x)
    moments = FeatureSums(
        units=x.shape[1],
        first=first,
        rough=first,
        second=tuple(Fraction(float((x[i] * x[j]).sum())) for i, j in SECOND),
        third=tuple(Fraction(float((x[i] * x[j] * x[k]).sum())) for i, j, k in THIRD),
    )
    return PulledValue(
        sums=PullSums(
            moments=moments,
            rows=tuple(round(float(one.sum())) for one in held),
            squares=tuple(round(float((one**2).sum())) for one in held),
            falls=tuple(Fraction(float(one)) for one in np.maximum(ends, others)[1:]),
            own=(Fraction(float(ends[0])), Fraction(float(others[0]))),
        ),
        reliable_from=RELIABLE[statistic],
        bounds_of_value=(-1.0, 1.0),
    )


@dataclass(frozen=True, kw_only=True)
class OfRanks:
    """The change of a statistic of ranks."""

    name: str
    statistic: str
    rows: tuple[int, ...]
    margins: tuple[float, ...]
    settings: tuple[tuple[float, int], ...]
    """How far apart, and in which mix."""
    draws: float = 0.02
    together: bool = False

    def states(self, change: float) -> list[Order]:
        """One per way of getting worse and setting; last an even change."""
        found = [
            solved(
                Order(
                    statistic=self.statistic,
                    way=way,
                    apart=apart,
                    mix=mix,
                    change=change,
                    together=self.together,
                )
            )
            for way, (apart, mix) in product(WAYS[self.statistic], self.settings)
        ]
        return [state for state in found if state is not None]

    def pool(self, state: Order, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of so many positives, or rows, in this state."""
        rng, claim = np.random.default_rng(seed), Difference(margin=Fraction(str(margin)))
        times = round(draws * self.draws)
        drawn = (state.rows(n, rng) for _ in range(times))
        outcomes = [judged(evidence_of(self.statistic, *one), claim) for one in drawn]
        return pool_of(outcomes, np.arange(times))


_PRECISION: dict[str, Any] = {
    "statistic": "average_precision",
    "settings": ((1.2, 9), (2.7, 9), (1.5, 1)),
    "margins": (0.05,),
}
_CORRELATION: dict[str, Any] = {
    "statistic": "rank_correlation",
    "settings": ((1.0, 0), (3.0, 0), (1.5, 5)),
    "margins": (0.05,),
}
PULLS = (
    OfRanks(name="average precision", rows=(100, 300, 1000), **_PRECISION),
    OfRanks(name="average precision, groups", rows=(100, 300), together=True, **_PRECISION),
    OfRanks(name="rank correlation", rows=(300, 1000), **_CORRELATION),
    OfRanks(name="rank correlation, groups", rows=(300, 1000), together=True, **_CORRELATION),
)
