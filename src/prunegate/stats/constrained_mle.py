"""Most likely cells when two correlated ratios sit exactly at a limit.

The limit ``candidate - k * baseline = -margin`` is not linear in the cell probabilities, but
becomes so once two numbers are held: the baseline's ratio and how the two denominators compare.
So the fit looks for the pair that reproduces itself (a fixed point, found with Broyden's method);
around it the linear problem is solved exactly (`prunegate.stats.empirical_likelihood`).

Where the table is so far from the limit, or so empty, that no fixed point is found, the limit is
moved halfway to the observed contrast, again if need be. That only ever weakens the evidence.

Source: Broyden (1965), Mathematics of Computation 19, 577-593.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from prunegate.stats import empirical_likelihood, joint_counts
from prunegate.stats.joint_counts import Kind

ROUNDS = 40
CLOSE = 1e-10
RESIDUAL = 1e-7
_RETREATS = 12

Point = tuple[float, float]
Matrix = tuple[Point, Point]


@dataclass(frozen=True, kw_only=True)
class RatioLimit:
    """``candidate - k * baseline = -margin`` for one metric."""

    kind: Kind
    """The metric whose two values are compared."""
    k: float
    """Weight of the baseline, above 0."""
    margin: float
    """Allowed shortfall."""

    def contrast(self, p: Sequence[float]) -> float:
        """Candidate minus k times baseline, for counts or probabilities."""
        (ub, vb), (uc, vc) = self.totals(p)
        return uc / vc - self.k * ub / vb

    def state(self, p: Sequence[float]) -> Point:
        """The two numbers held: the baseline's ratio and the log of the denominators' ratio."""
        return _state(*self.totals(p))

    def linear(self, state: Point) -> list[float]:
        """Influence of a row of each cell on the contrast at the limit, up to a constant factor."""
        base, other = (
            joint_counts.weights(self.kind, "baseline"),
            joint_counts.weights(self.kind, "candidate"),
        )
        first, second = state[0], self.k * state[0] - self.margin
        factor = self.k * math.exp(state[1])
        return [
            uc - second * vc - factor * (ub - first * vb)
            for ub, vb, uc, vc in zip(base.u, base.v, other.u, other.v, strict=True)
        ]

    @property
    def baseline_range(self) -> Point:
        """Baseline ratios at which both models' ratios are within [0, 1]."""
        return max(0.0, self.margin / self.k), min(1.0, (1 + self.margin) / self.k)

    def totals(self, p: Sequence[float]) -> tuple[Point, Point]:
        """Numerator and denominator of the baseline's ratio, and of the candidate's."""
        base, other = (
            joint_counts.weights(self.kind, "baseline"),
            joint_counts.weights(self.kind, "candidate"),
        )
        return base.totals(p), other.totals(p)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The most likely cells at the limit, and how far the observed ones lie from them."""

    probabilities: tuple[float, ...]
    """Constrained maximum likelihood of the eight cell probabilities."""
    score: float
    """Score statistic: positive where the observed contrast is better than its limit."""
    root: float
    """Signed root of the likelihood ratio; same sign."""
    margin: float
    """The margin fitted: the one asked for, or one nearer to what was observed."""


def fit_cells(cells: Sequence[float], limit: RatioLimit) -> Fit | None:
    """Fit the limit, or the nearest one on the way to it that can be fitted; None if none can."""
    n = math.fsum(cells)
    shares = [cell / n for cell in cells]
    room = limit.contrast(shares) + limit.margin
    for retreat in range(_RETREATS):
        nearer = limit.margin - room * (1 - 0.5**retreat)
        trial = RatioLimit(kind=limit.kind, k=limit.k, margin=nearer)
        p = _fixed_point(shares, trial)
        if p is not None:
            return _describe(n, shares, p, trial)
    return None


def _describe(n: float, shares: list[float], p: list[float], limit: RatioLimit) -> Fit:
    g = limit.linear(limit.state(p))
    excess = sum(share * weight for share, weight in zip(shares, g, strict=True))
    variance = sum(probability * weight * weight for probability, weight in zip(p, g, strict=True))
    logs = sum(s * math.log(s / q) for s, q in zip(shares, p, strict=True) if s > 0)
    return Fit(
        probabilities=tuple(p),
        score=excess * math.sqrt(n / variance) if variance > 0 else 0.0,
        root=math.copysign(math.sqrt(max(2 * n * logs, 0.0)), excess),
        margin=limit.margin,
    )


def _fixed_point(shares: list[float], limit: RatioLimit) -> list[float] | None:
    """Cells whose own ratios are the ones their linear problem held; None without convergence."""
    low, high = limit.baseline_range
    ratio, spread = limit.state(shares)
    x = (min(max(ratio, low), high), spread)
    inverse: Matrix = ((-1.0, 0.0), (0.0, -1.0))  # of the Jacobian of f, to begin with
    before: tuple[Point, Point] | None = None
    spare = 0
    for turn in range(ROUNDS):
        g = limit.linear(x)
        if turn < 5:  # held afterwards: two empty cells that tie would take turns for ever
            spare = empirical_likelihood.extreme(shares, g)
        p = empirical_likelihood.fit_shares(shares, g, spare)
        totals = limit.totals(p)
        if not _alive(totals):
            return None
        reached = _state(*totals)
        f = (reached[0] - x[0], reached[1] - x[1])
        if abs(f[0]) + abs(f[1]) <= CLOSE:
            return p if abs(limit.contrast(p) + limit.margin) <= RESIDUAL else None
        if before is not None:
            inverse = _broyden(inverse, before[0], (f[0] - before[1][0], f[1] - before[1][1]))
        move = _step(inverse, f, (x[0] - low, high - x[0]))
        x, before = (x[0] + move[0], x[1] + move[1]), (move, f)
    return None


def _alive(totals: tuple[Point, Point]) -> bool:
    """Do both denominators still hold probability?"""
    return all(below > 1e-12 for _, below in totals)


def _state(baseline: Point, candidate: Point) -> Point:
    """What is held of numerators and denominators."""
    (above, below), (_, other) = baseline, candidate
    return above / below, math.log(other / below)


def _step(inverse: Matrix, f: Point, room: Point) -> Point:
    """Newton's step, kept short, and at most nine tenths of the way to either end of the range."""
    (a, b), (c, d) = inverse
    first, second = -(a * f[0] + b * f[1]), -(c * f[0] + d * f[1])
    shrink = max(1.0, abs(first) / 0.3, abs(second))
    first = min(max(first / shrink, -0.9 * room[0]), 0.9 * room[1])
    return first, second / shrink


def _broyden(inverse: Matrix, dx: Point, df: Point) -> Matrix:
    """Rank-one update after which the inverse maps ``df`` to ``dx``."""
    (a, b), (c, d) = inverse
    guess = (a * df[0] + b * df[1], c * df[0] + d * df[1])
    along = dx[0] * guess[0] + dx[1] * guess[1]
    if abs(along) < 1e-300:
        return inverse
    miss = ((dx[0] - guess[0]) / along, (dx[1] - guess[1]) / along)
    row = (dx[0] * a + dx[1] * c, dx[0] * b + dx[1] * d)
    return (
        (a + miss[0] * row[0], b + miss[0] * row[1]),
        (c + miss[1] * row[0], d + miss[1] * row[1]),
    )
