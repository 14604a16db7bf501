"""Largest probability, over an unknown rate, of tables at least as good as the observed one.

The engine of the exact tests. On the boundary (`prunegate.stats.margin_line`) one unknown is left,
the rate q of gained rows. Tables are ordered by the score, so for each count c of gained rows
those at least as good are ``lost <= k(c)``, and

    P(q) = sum over c of Bin(c; n, q) * F_Bin(k(c); n - c, p_lost / (1 - q)).

P is maximised over the Clopper-Pearson interval of q at confidence 1 - beta, and beta is added
(Berger & Boos 1994, JASA 89, 1012-1016), which keeps the size at or below alpha for any q.

Nothing is approximated but the search: c outside the window counts fully against the claim, F
follows the staircase k(c) as a sum of positive binomial terms, and q is searched on a grid of
half a standard error that is refined around its best points (`prunegate.stats.maximize`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincc, gammaln

from prunegate.stats import clopper_pearson, maximize
from prunegate.stats.margin_line import Boundary, Floats

_LOG_DROPPED = 23.0  # each tail outside the window is below exp(-23) = 1e-10, and is counted in p
_TIE = 1e-9  # scores this close are one table seen through rounding
_TINY = 1e-300
_SPACING = 0.5  # of the search grid, in standard errors of q
_MANY = 1000  # expected gains from which P is so flat in q that a grid three times as wide will do


def unconditional_p(lost: int, gained: int, n: int, boundary: Boundary, beta: float) -> float:
    """Exact p of "the limit is broken", in [beta, 1]; n >= 1, 0 <= beta < 1."""
    return union_p(lost, gained, n, (n,), boundary, beta)


@lru_cache(maxsize=4096)
def union_p(
    lost: int, gained: int, n: int, sizes: tuple[int, ...], boundary: Boundary, beta: float
) -> float:
    """The same among ``n`` rows, counting tables as at least as good if they are so for any size.

    What is as good as ``lost`` and ``gained`` depends a little on the number of rows that they were
    found among: with several ``sizes`` it is a table that is as good for one of them. Kept for
    the tables that were asked for last: a quarter of a gate's questions come again, as another
    metric of the same rows or to say what is missing.
    """
    low, high = _nuisance_range(gained, n, boundary, beta)
    if low > high:
        return beta  # so many gains that no rate in the interval could break the limit
    staircase = _staircase(lost, gained, n, boundary, window(low, high, n), sizes)
    return min(1.0, _maximum(staircase, (low, high), beta) + beta)


def probability(lost: int, gained: int, n: int, boundary: Boundary, rate: float) -> float:
    """P at one known rate of gained rows: the tail that `unconditional_p` maximises."""
    staircase = _staircase(lost, gained, n, boundary, window(rate, rate, n))
    return float(staircase.tail(np.array([rate]))[0])


def _nuisance_range(gained: int, n: int, boundary: Boundary, beta: float) -> tuple[float, float]:
    """Rates to search; empty (low > high) when the interval lies where nothing can be broken."""
    low, high = boundary.gained_range
    if beta == 0:
        return low, high
    floor = clopper_pearson.lower(gained, n, beta / 2)
    cap = clopper_pearson.upper(gained, n, beta / 2)
    # left of the line's range every rate breaks the limit, worst at the interval's right end
    return max(floor, min(low, cap)), min(high, cap)


def window(low: float, high: float, n: int) -> NDArray[np.int64]:
    """Counts of gained rows that matter for rates in [low, high], by Bernstein's inequality."""
    L = _LOG_DROPPED
    first = n * low - math.sqrt(2 * L * n * low)
    last = n * high + L / 3 + math.sqrt(L * L / 9 + 2 * L * n * high)
    return np.arange(max(0, math.floor(first)), min(n, math.ceil(last)) + 1)


@dataclass(frozen=True, kw_only=True)
class _Staircase:
    """The tables at least as good as observed, and the terms that add up to their probability."""

    n: int
    boundary: Boundary
    gained: Floats
    """Counts c of gained rows with at least one such table; consecutive."""
    first: tuple[int, int]
    """The window's first count, and the losses admitted at ``gained[0]`` (-1: no table)."""
    log_choose: Floats
    """log of n over c, for each c."""
    terms: tuple[Floats, Floats, Floats]
    """Per step along the stairs: exponents of the rates of losing and of keeping, log weight."""
    ends: NDArray[np.int64]
    """For each c, how many steps lead up to it."""

    def tail(self, rates: Floats) -> Floats:
        """P(q) for each rate of gained rows."""
        if not self.gained.size:
            return np.asarray(betainc(self.first[0], self.n - self.first[0] + 1, rates))
        q = np.clip(rates, _TINY, 1 - 1e-16)
        losing = np.clip(self.boundary.losses(q) / (1 - q), _TINY, 1.0)
        cumulative = self._cumulative(losing)
        weights = np.exp(
            self.log_choose
            + np.outer(np.log(q), self.gained)
            + np.outer(np.log1p(-q), self.n - self.gained)
        )
        inside = np.einsum("ij,ij->i", weights, cumulative)
        return np.asarray(np.minimum(inside + self._outside(q, cumulative[:, 0]), 1.0))

    def _cumulative(self, losing: Floats) -> Floats:
        """F_Bin(k(c); n - c, losing) along the stairs, for each rate (rows) and c (columns)."""
        lose, keep, weight = self.terms
        start = self._start(losing)[:, None]
        if not lose.size:
            return start
        keeping = np.log(np.maximum(1 - losing, _TINY))
        steps = np.outer(np.log(losing), lose)
        steps += np.outer(keeping, keep)
        steps += weight
        np.exp(steps, out=steps)
        np.cumsum(steps, axis=1, out=steps)
        climbed = start + steps[:, self.ends[1:] - 1]
        return np.asarray(np.minimum(np.concatenate([start, climbed], axis=1), 1.0))

    def _start(self, losing: Floats) -> Floats:
        trials, admitted = self.n - int(self.gained[0]), self.first[1]
        if admitted >= trials:
            return np.ones_like(losing)
        return np.asarray(betaincc(admitted + 1, trials - admitted, losing))

    def _outside(self, q: Floats, lowest: Floats) -> Floats:
        """What the window leaves out, counted fully above it and at its first value below it."""
        first, last = self.first[0], int(self.gained[-1])
        above = betainc(last + 1, self.n - last, q) if last < self.n else np.zeros_like(q)
        below = betaincc(first, self.n - first + 1, q) if first > 0 else np.zeros_like(q)
        return np.asarray(above + below * lowest)


def _staircase(
    lost: int,
    gained: int,
    n: int,
    boundary: Boundary,
    window: NDArray[np.int64],
    sizes: Sequence[int] = (),
) -> _Staircase:
    c = window.astype(float)
    each = [_admitted(lost, gained, size, boundary, np.minimum(c, size)) for size in sizes or (n,)]
    k = np.minimum(np.max(each, axis=0), n - c)
    skip = int(np.searchsorted(k, 0.0))
    c, k = window[skip:].astype(float), k[skip:]
    return _Staircase(
        n=n,
        boundary=boundary,
        gained=c,
        first=(int(window[0]) if c.size else int(window[-1]) + 1, int(k[0]) if c.size else -1),
        log_choose=gammaln(n + 1) - gammaln(c + 1) - gammaln(n - c + 1),
        terms=_terms(n - c, k),
        ends=np.concatenate([[0], np.cumsum(np.diff(k) + 1)]).astype(np.int64),
    )


def _terms(trials: Floats, k: Floats) -> tuple[Floats, Floats, Floats]:
    """Steps from F(k; N) to F(k'; N - 1): one trial fewer, then k' - k more losses admitted.

    F(k; N-1) - F(k; N) = rate * pmf(k; N-1), so every step adds a positive term.
    """
    lengths = (np.diff(k) + 1).astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    offset = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    N = np.repeat(trials[1:], lengths)
    losses = np.repeat(k[:-1], lengths) + offset
    keeps = N - losses
    weight = gammaln(N + 1) - gammaln(losses + 1) - gammaln(keeps + 1)
    return losses + (offset == 0), np.maximum(keeps, 0.0), weight


def _admitted(lost: int, gained: int, n: int, boundary: Boundary, c: Floats) -> Floats:
    """k(c): most losses, with c gains, that score at least as well as observed; -1 for none."""
    observed = boundary.score_of(lost, gained, n)
    z = observed - _TIE * max(1.0, abs(observed))
    b = np.clip(lost + boundary.slope * (c - gained), 0.0, n - c)
    for _ in range(5):  # Newton on excess - z * sqrt(variance)
        variance, change = boundary.variance(b, c, n)
        s = np.sqrt(np.maximum(variance, 1e-12))
        downhill = np.minimum(-1 - z * change / (2 * s), -0.1)
        b = np.clip(b - (boundary.excess(b, c, n) - z * s) / downhill, -1.0, n - c)
    k = _settle(np.floor(b), n, boundary, c, z)
    return np.maximum.accumulate(k)  # more gains never admit fewer losses; undoes the cap at n - c


def _settle(k: Floats, n: int, boundary: Boundary, c: Floats, z: float) -> Floats:
    """Correct a guess of k(c) against the score itself: by steps, or by halving if far off."""
    top = n - c
    for _ in range(3):
        more = (k < top) & (boundary.score(np.minimum(k + 1, top), c, n) >= z)
        less = (k >= 0) & (boundary.score(np.maximum(k, 0.0), c, n) < z)
        if not (more.any() or less.any()):
            return k
        k = k + more - less
    low, high = np.full_like(c, -1.0), top + 1  # admitted at low, refused at high
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        good = (middle < 0) | ((middle <= top) & (boundary.score(middle, c, n) >= z))
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    return low


def _maximum(staircase: _Staircase, ends: tuple[float, float], beta: float) -> float:
    """Largest P between the ends.

    The scale is the angle whose squared sine is q's place in the boundary's range: at either end a
    rate vanishes (of gains or losses, of rows that agree), and P bends as fast as its square root.
    The grid alone will do for a P that disappears beside beta.
    """
    low, high = ends
    start, end = staircase.boundary.gained_range
    width = end - start
    left, right = (
        math.asin(math.sqrt(min(max((q - start) / width, 0.0), 1.0))) for q in (low, high)
    )
    spacing = _SPACING if staircase.n * high < _MANY else 3 * _SPACING
    points = 3 + math.ceil(2 * math.sqrt(staircase.n * width) * (right - left) / spacing)

    def tail(angles: Floats) -> Floats:
        return staircase.tail(np.clip(start + width * np.sin(angles) ** 2, low, high))

    return maximize.highest(tail, np.linspace(left, right, points), ignore=1e-3 * beta)
