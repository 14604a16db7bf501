"""Mean score, and negative log-likelihood per token, by what their rows sum up to.

Scores lie in [0, 1]. The hard case is a loss that few rows suffer but in full: it may not be in the
slice at all. Its mirror image, where all rows lose a little and few gain much, is what makes a gate
reject too often.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.counting.feature_sums import SECOND, THIRD, FeatureSums
from prunegate.counting.tallies import Sums
from prunegate.counting.values import VALUE
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.evidence.rates import Evidence
from prunegate.metrics.hypothesis import Difference
from simulated.gates import Pool, judged, pool_of

AT_ONCE = 1000
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rare:
    """Few rows jump; all the others change evenly, with noise."""

    share: float
    jump: float
    common: float
    noise: float

    def changes(self, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
        """Changes by slice and row."""
        common = self.common + self.noise * rng.standard_normal(shape)
        return np.where(rng.random(shape) < self.share, self.jump, common)


@dataclass(frozen=True, kw_only=True)
class MeanScore:
    """The change of a mean score."""

    name: str
    draws: float = 0.25
    rows: tuple[int, ...] = (300, 1000)
    margins: tuple[float, ...] = (0.002, 0.005, 0.01, 0.02, 0.05)

    def states(self, change: float) -> list[Rare]:
        """Rare losses, rare gains, and last an even change."""
        if change == 0:
            return [Rare(share=0.0, jump=0.0, common=0.0, noise=0.05)]
        states = []
        for jump, noise in product((1.0, 0.5, 0.2), (0.0, 0.02)):
            share = -change / jump
            states.append(Rare(share=share, jump=-jump, common=0.0, noise=noise))
            common = (change - share * jump) / (1 - share)
            states.append(Rare(share=share, jump=jump, common=common, noise=noise))
        return [*states, Rare(share=0.0, jump=0.0, common=change, noise=0.05)]

    def pool(self, state: Rare, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n rows in this state."""
        rng, claim = np.random.default_rng(seed), Difference(margin=Fraction(str(margin)))
        outcomes = []
        for part in parts(round(draws * self.draws)):
            changes = state.changes((part, n), rng)
            powers = np.stack([(changes**power).sum(axis=1) for power in (1, 2, 3)], axis=1)
            outcomes += [judged(_score(n, sums), claim) for sums in powers.tolist()]
        return pool_of(outcomes, np.arange(len(outcomes)))


@dataclass(frozen=True, kw_only=True)
class Documents:
    """Documents of 20 to 2,000 tokens; changes per token are gamma distributed, or rare."""

    rising: float
    """The mean change of a token."""
    share: float = 1.0
    """How many documents change."""
    noise: float = 0.0
    """Changes per token on top, up as often as down."""

    def sums(self, shape: tuple[int, int], rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Change and tokens, by slice and document."""
        tokens = np.floor(np.exp(rng.uniform(np.log(20), np.log(2001), size=shape)))
        each = rng.gamma(1.0, size=shape) * self.rising / self.share
        if self.share == 1:
            each = 2 * each - self.rising  # many documents improve
        each = np.where(rng.random(shape) < self.share, each, 0.0)
        return (each + self.noise * rng.standard_normal(shape)) * tokens, tokens


@dataclass(frozen=True, kw_only=True)
class NllPerToken:
    """The change of the negative log-likelihood per token."""

    name: str
    shares: tuple[float, ...]
    draws: float = 0.1
    rows: tuple[int, ...] = (300, 1000)
    margins: tuple[float, ...] = (0.02, 0.05)

    def states(self, change: float) -> list[Documents]:
        """One per share of documents that change."""
        if change == 0:
            return [Documents(rising=0.0, noise=0.05)]
        return [Documents(rising=-change, share=share) for share in self.shares]

    def pool(self, state: Documents, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n documents in this state."""
        rng, claim = np.random.default_rng(seed), Difference(margin=Fraction(str(margin)))
        outcomes = []
        for part in parts(round(draws * self.draws)):
            changes, tokens = state.sums((part, n), rng)
            rows = zip(changes, tokens, strict=True)
            outcomes += [judged(_likelihood(n, c, t), claim) for c, t in rows]
        return pool_of(outcomes, np.arange(len(outcomes)))


def parts(draws: int) -> list[int]:
    """So many draws in batches that fit into memory."""
    return [min(AT_ONCE, draws - start) for start in range(0, draws, AT_ONCE)]


def _score(n: int, powers: list[float]) -> Evidence:
    tally = Sums(count=n, quantities={VALUE: moments_of_scores(n, powers)}, span=Fraction(1))
    return evidence(WantedMetric(metric="mean_score"), tally)


def moments_of_scores(n: int, powers: list[float]) -> FeatureSums:
    """Every row weighs 1; what the baseline scored does not matter for a difference."""
    one, two, three = (Fraction(value) for value in powers)
    by_order = {(0, 0): two, (0, 2): one, (2, 2): Fraction(n)}
    by_order_3 = {(0, 0, 0): three, (0, 0, 2): two, (0, 2, 2): one, (2, 2, 2): Fraction(n)}
    first = (one, Fraction(0), Fraction(n))
    return FeatureSums(
        units=n,
        first=first,
        rough=first,
        second=tuple(by_order.get(place, Fraction(0)) for place in SECOND),
        third=tuple(by_order_3.get(place, Fraction(0)) for place in THIRD),
    )


def _likelihood(n: int, changes: Floats, tokens: Floats) -> Evidence:
    features = (changes, np.zeros(n), tokens)

    def total(place: tuple[int, ...]) -> Fraction:
        return Fraction(float(np.prod([features[index] for index in place], axis=0).sum()))

    first = tuple(total((index,)) for index in range(3))
    moments = FeatureSums(
        units=n,
        first=first,
        rough=first,
        second=tuple(total(place) for place in SECOND),
        third=tuple(total(place) for place in THIRD),
    )
    tally = Sums(count=n, quantities={VALUE: moments})
    return evidence(WantedMetric(metric="nll_per_token"), tally)


MEANS = (
    MeanScore(name="mean score"),
    NllPerToken(name="nll per token", shares=(0.5, 0.1, 1.0)),
    NllPerToken(name="nll per token, rare", shares=(0.005, 0.02)),
)
