"""Maximum likelihood of cell probabilities whose weighted mean is zero.

Of all multinomials with ``sum p_i g_i = 0``, the most likely one given counts x is ``p_i = x_i /
(n (1 + t g_i))`` for one multiplier t. An empty cell gets probability exactly when the observed
cells alone cannot reach the constraint; then it is the cell with the most extreme g. Keeping that
cell is what stops a table without any loss from passing as proof that there are none.

Source: Owen (2001), Empirical Likelihood, section 2.9, with the support known in advance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_ITERATIONS = 60
_CLOSE = 1e-13
_MANY, _WIDE = 3, 8
"""Halvings after which, and cells from which, further ones are tried all at once."""

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
    excess = sum([share * weight for share, weight in zip(shares, g, strict=True)])
    reached = [w for share, w in zip(shares, g, strict=True) if share > 0]
    reached.append(g[spare])
    side, furthest = (-1, -min(reached)) if excess > 0 else (1, max(reached))
    if excess == 0 or furthest <= 0:
        return list(shares)
    t = _multiplier(shares, g, excess, -side / furthest)
    p = [
        share / (1 + t * weight) if share > 0 else 0.0
        for share, weight in zip(shares, g, strict=True)
    ]
    p[spare] += max(1 - sum(p), 0.0)
    return p


def _multiplier(shares: Sequence[float], g: Sequence[float], excess: float, limit: float) -> float:
    """The t between 0 and ``limit`` at which the constraint holds, or just short of ``limit``.

    Newton's steps on a decreasing function, halved back whenever they leave the bracket.
    """
    held = [(s, w) for s, w in zip(shares, g, strict=True) if s > 0 and w != 0]
    terms = [(s * w, s * w * w, w) for s, w in held]
    inside, outside = 0.0, limit * (1 - 1e-14)
    close, rising = _CLOSE * abs(limit), excess > 0
    t = excess / sum([sww for _, sww, _ in terms])
    turn = halved = 0
    while turn < _ITERATIONS:
        turn += 1
        if not (inside < t < outside or outside < t < inside):
            halved += 1
            if halved == _MANY and len(terms) >= _WIDE:
                ahead = _halvings(terms, (inside, outside), _ITERATIONS - turn, close, rising)
                if ahead:
                    turn, inside = turn + len(ahead), ahead[-1]
            t = (inside + outside) / 2
        value = slope = 0.0
        for sw, sww, w in terms:
            part = 1 / (1 + t * w)
            value += sw * part
            slope += sww * part * part
        if (value > 0) == rising:
            inside = t
        else:
            outside = t
        step = value / slope
        if -close <= step <= close or -close <= outside - inside <= close:
            break
        t += step
    return t


def _halvings(
    terms: Sequence[Term], bracket: tuple[float, float], most: int, close: float, rising: bool
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
    t, (sw, sww, w) = np.array(points), np.array(terms).T[:, :, None]
    part = 1 / (1 + t * w)
    value, slope = np.add.reduce(sw * part), np.add.reduce(sww * part * part)
    step = value / slope
    reached = t + step
    within = (reached < outside) & (reached > t) | (reached > outside) & (reached < t)
    far = np.abs(step) > close
    usual = ((value > 0) == rising) & far & ~within & (np.abs(outside - t) > close)
    return points[: int(usual.argmin())]
