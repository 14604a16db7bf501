"""Which of many tables a test accepts, when only "p <= level" is asked.

A simulated gate asks this of every slice thousands of times, and most tables repeat or are clear.
So tables are decided together. Losses beyond the limit are never accepted; scores far from their
critical value are clear. How far is far shrinks with the standard error in rows, and is about twice
the most that 158,000 tables needed (``tests/unit/stats/test_acceptance.py`` enumerates small ones).
Of the rest only those next to the border are tested, because with the gains held, p rises with the
losses. So the decisions are those of the exact tests, one by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincc

from prunegate.stats import normal, paired_exact, unconditional
from prunegate.stats.margin_line import Boundary

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

NEVER_BELOW = 0.2
"""Levels up to which a table on or beyond the limit is never accepted."""
REFUSED = 4.0
"""Over the excess's standard error in rows: how far a score below its critical value is refused."""
ACCEPTED = 5.0
"""The same for a score above it, up to `FAR`, ..."""
FAR = 2.0
"""... which is far enough in any table, ..."""
ACCEPTED_FROM = 0.005
"""... at levels from this one up."""


@dataclass(frozen=True, kw_only=True)
class PairedAcceptance:
    """The exact paired test against one boundary, for many tables."""

    boundary: Boundary
    beta: float
    """Berger-Boos level, as `paired_exact` uses it for this tail."""
    _known: dict[tuple[int, int, int], float] = field(default_factory=dict)

    def at_most(self, lost: Ints, gained: Ints, n: Ints, level: float) -> Bools:
        """Whether p <= ``level`` of each table of ``lost`` and ``gained`` among ``n`` rows.

        All are [tables].
        """
        accepted = np.zeros(len(lost), dtype=np.bool_)
        doubtful = (n > 0) & (level >= self.beta)  # no p-value is below beta
        if level <= NEVER_BELOW:
            doubtful &= self.boundary.excess(lost, gained, n) > 0  # type: ignore[arg-type]  # elementwise
        score, error = self._score(lost, gained, n)
        beyond = score - normal.upper_z(level)
        doubtful &= beyond * error > -REFUSED
        if level >= ACCEPTED_FROM:
            accepted = doubtful & (beyond >= np.minimum(FAR, ACCEPTED / error))
            doubtful &= ~accepted
        for index in _same_gains(gained, n, np.flatnonzero(doubtful)):
            accepted[index] = self._up_to_the_border(lost[index], gained[index], n[index], level)
        return accepted

    def p(self, lost: int, gained: int, n: int) -> float:
        """The p-value of one table, remembered."""
        key = (lost, gained, n)
        if key not in self._known:
            self._known[key] = self._p(*key)
        return self._known[key]

    def _p(self, lost: int, gained: int, n: int) -> float:
        if n == 0:
            return 1.0
        if min(lost, gained) >= paired_exact.ASYMPTOTIC_FROM:
            return normal.upper_tail(self.boundary.score_of(lost, gained, n))
        return unconditional.unconditional_p(lost, gained, n, self.boundary, self.beta)

    def _score(self, lost: Ints, gained: Ints, n: Ints) -> tuple[Floats, Floats]:
        """Scores, and the standard errors of their numerators."""
        floats = lost.astype(float), gained.astype(float), n.astype(float)
        variance, _ = self.boundary.variance(*floats)  # type: ignore[arg-type]  # elementwise
        score = self.boundary.score(*floats)  # type: ignore[arg-type]  # elementwise
        return score, np.sqrt(np.maximum(variance, 1e-12))

    def _up_to_the_border(self, lost: Ints, gained: Ints, n: Ints, level: float) -> Bools:
        """Tables of equal gains and n: accepted up to some number of losses."""
        steps, place = np.unique(lost, return_inverse=True)
        same = (int(gained[0]), int(n[0]))
        score, _ = self._score(steps, np.full_like(steps, same[0]), np.full_like(steps, same[1]))
        border = int(np.count_nonzero(score >= normal.upper_z(level)))
        while border < len(steps) and self.p(int(steps[border]), *same) <= level:
            border += 1
        while border > 0 and self.p(int(steps[border - 1]), *same) > level:
            border -= 1
        return np.asarray(place.reshape(-1) < border)


def _same_gains(gained: Ints, n: Ints, index: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """The indices in blocks of equal gains and n."""
    if not index.size:
        return []
    order = index[np.lexsort((gained[index], n[index]))]
    new = (np.diff(gained[order]) != 0) | (np.diff(n[order]) != 0)
    return np.split(order, np.flatnonzero(new) + 1)


def tail_at_least(x: Ints, n: Ints, rate: float) -> Floats:
    """``P(X >= x)`` for X binomial(n, rate), elementwise; see `clopper_pearson.tail_at_least`."""
    if rate in (0.0, 1.0):
        return np.where((x == 0) | (rate == 1.0), 1.0, 0.0)
    safe = np.maximum(x, 1)
    return np.where(x > 0, betainc(safe, n - safe + 1, rate), 1.0)


def tail_at_most(x: Ints, n: Ints, rate: float) -> Floats:
    """``P(X <= x)`` for X binomial(n, rate), elementwise; see `clopper_pearson.tail_at_most`."""
    if rate in (0.0, 1.0):
        return np.where((x == n) | (rate == 0.0), 1.0, 0.0)
    safe = np.minimum(x, n - 1)
    return np.where(x < n, betaincc(safe + 1, np.maximum(n - safe, 1), rate), 1.0)
