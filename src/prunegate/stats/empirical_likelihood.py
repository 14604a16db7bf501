"""Maximum likelihood of cell probabilities whose weighted mean is zero.

Of all multinomials with ``sum p_i g_i = 0``, the most likely one given counts x is ``p_i = x_i /
(n (1 + t g_i))`` for one multiplier t. An empty cell gets probability exactly when the observed
cells alone cannot reach the constraint; then it is the cell with the most extreme g. Keeping that
cell is what stops a table without any loss from passing as proof that there are none.

Source: Owen (2001), Empirical Likelihood, section 2.9, with the support known in advance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ITERATIONS = 60
_CLOSE = 1e-13
_ARRAYS = 48
"""Cells from which arrays are quicker than loops."""
_ROUNDED = 1e-9
"""More than rounding can change a sum of so few cells, as a part of its terms."""
_MANY, _WIDE = 3, 8
"""Halvings after which, and cells from which, further ones are tried all at once."""

Floats = NDArray[np.float64]
Term = tuple[float, float, float]
"""Share times weight, times weight again, and the weight."""


def extreme(shares: Sequence[float], g: Sequence[float]) -> int:
    """The cell furthest on the side that the observed shares have to move to."""
    excess = sum(share * weight for share, weight in zip(shares, g, strict=True))
    return g.index(min(g) if excess > 0 else max(g))


def fit_shares(shares: Sequence[float], g: Sequence[float], spare: int) -> list[float]:
    """Constrained probabilities from observed shares (sum 1) and weights that take both signs.

    Only the observed cells and ``spare`` can get probability; take `extreme` for the maximum over
    all cells.
    """
    if len(shares) >= _ARRAYS:
        return _fit_many(np.array(shares), np.array(g), spare)
    excess = sum([share * weight for share, weight in zip(shares, g, strict=True)])
    reached = [w for share, w in zip(shares, g, strict=True) if share > 0]
    reached.append(g[spare])
    side, furthest = (-1, -min(reached)) if excess > 0 else (1, max(reached))
    if excess == 0 or furthest <= 0:
        return list(shares)
    held = [(s, w) for s, w in zip(shares, g, strict=True) if s > 0 and w != 0]
    terms = _Few([(s * w, s * w * w, w) for s, w in held])
    t = _multiplier(terms, excess, -side / furthest)
    p = [
        share and share / (1 + t * weight)  # of nothing, nothing: what divides it may be 0
        for share, weight in zip(shares, g, strict=True)
    ]
    p[spare] += max(1 - sum(p), 0.0)
    return p


def _fit_many(shares: Floats, g: Floats, spare: int) -> list[float]:
    """The same in arrays, cell after cell, so that every bit is the same."""
    excess, seen = _total(shares * g), shares > 0
    reached = np.append(g[seen], g[spare])
    side, furthest = (-1, -float(reached.min())) if excess > 0 else (1, float(reached.max()))
    if excess == 0 or furthest <= 0:
        return list(shares.tolist())
    held = seen & (g != 0)
    s, w = shares[held], g[held]
    t = _multiplier(_Many(s * w, s * w * w, w), excess, -side / furthest)
    p = np.where(seen, shares / np.where(seen, 1 + t * g, 1.0), 0.0)
    p[spare] += max(1 - _total(p), 0.0)
    return list(p.tolist())


def _total(values: Floats) -> float:
    """The sum, one value after the other."""
    return float(np.add.accumulate(values)[-1])


class _Few:
    """The constraint on few cells, summed up in a loop."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = terms
        self.spread = sum([sww for _, sww, _ in terms])

    def at(self, t: float) -> tuple[float, float]:
        """The constraint at one t, and how fast it falls."""
        value = slope = 0.0
        for sw, sww, w in self.terms:
            part = 1 / (1 + t * w)
            value += sw * part
            slope += sww * part * part
        return value, slope

    def all_pass(self, near: float, far: float) -> bool:
        """Whether Newton's steps from wherever between two points are known to reach the far one.

        What a cell adds to the constraint, and to its fall, lies between what it adds at both.
        """
        least = most = spread = 0.0
        for sw, sww, w in self.terms:
            first, last = 1 / (1 + near * w), 1 / (1 + far * w)
            low, high = (first, last) if first < last else (last, first)
            least += sw * low if (sw > 0) == (far > 0) else sw * high
            most += abs(sw) * high
            spread += sww * high * high
        least = math.copysign(1.0, far) * least - _ROUNDED * most
        return least > abs(far - near) * spread * (1 + _ROUNDED)

    @property
    def columns(self) -> Floats:
        """Of each cell: share times weight, times weight again, and the weight."""
        return np.array(self.terms).T


class _Many:
    """The same on many cells, in arrays whose running sums add up in the same order."""

    def __init__(self, sw: Floats, sww: Floats, w: Floats) -> None:
        self.sw, self.sww, self.w = sw, sww, w
        self.spread = _total(sww)

    def at(self, t: float) -> tuple[float, float]:
        """The constraint at one t, and how fast it falls."""
        part = 1 / (1 + t * self.w)
        return _total(self.sw * part), _total(self.sww * part * part)

    def all_pass(self, near: float, far: float) -> bool:
        """False: nobody has looked, as ``_halvings`` does for many cells."""
        del near, far
        return False

    @property
    def columns(self) -> Floats:
        """Of each cell: share times weight, times weight again, and the weight."""
        return np.array((self.sw, self.sww, self.w))


def _multiplier(terms: _Few | _Many, excess: float, limit: float) -> float:
    """The t between 0 and ``limit`` at which the constraint holds, or just short of ``limit``.

    Newton's steps on a decreasing function, halved back whenever they leave the bracket.
    """
    inside, outside = 0.0, limit * (1 - 1e-14)
    close, rising = _CLOSE * abs(limit), excess > 0
    t = excess / terms.spread
    turn = halved = 0
    while turn < _ITERATIONS:
        turn += 1
        if not (inside < t < outside or outside < t < inside):
            halved += 1
            if halved == _MANY and terms.columns.shape[1] >= _WIDE:
                ahead = _halvings(
                    terms.columns, (inside, outside), _ITERATIONS - turn, close, rising
                )
                if ahead:
                    turn, inside = turn + len(ahead), ahead[-1]
            elif halved < _MANY and terms.all_pass(inside, outside):
                return _halved(inside, outside, _ITERATIONS + 1 - turn, close)
            t = (inside + outside) / 2
        value, slope = terms.at(t)
        if (value > 0) == rising:
            inside = t
        else:
            outside = t
        step = value / slope
        if -close <= step <= close or -close <= outside - inside <= close:
            return t
        t += step
    return inside  # the last step may have left the bracket


def _halved(inside: float, outside: float, turns: int, close: float) -> float:
    """Where the loop ends if it does nothing but halve the bracket towards its far end."""
    for _ in range(turns):
        inside = (inside + outside) / 2
        if -close <= outside - inside <= close:
            break
    return inside


def _halvings(
    columns: Floats, bracket: tuple[float, float], most: int, close: float, rising: bool
) -> list[float]:
    """The points at which the loop would do nothing but halve the bracket towards its far end.

    So it ends where the constraint holds at no t, forty turns later: they are tried all at once,
    cell after cell as in the loop, so that every sum has the same bits.
    """
    inside, outside = bracket
    points: list[float] = []
    while len(points) < most and abs(outside - inside) > close:
        inside = (inside + outside) / 2
        points.append(inside)
    if len(points) < _MANY:
        return []
    t, (sw, sww, w) = np.array(points), columns[:, :, None]
    part = 1 / (1 + t * w)
    value, slope = np.add.reduce(sw * part), np.add.reduce(sww * part * part)
    step = value / slope
    reached = t + step
    within = (reached < outside) & (reached > t) | (reached > outside) & (reached < t)
    far = np.abs(step) > close
    usual = ((value > 0) == rising) & far & ~within & (np.abs(outside - t) > close)
    return points[: int(usual.argmin())]
