"""The score test of precision or F1 on many tables at once: `ratio_score` over arrays.

The same fixed point as in `prunegate.stats.constrained_mle`, step by step, for all tables
together; a table whose first fit does not settle is handed to the scalar test. p-values agree to
rounding, at a tenth of the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from prunegate.stats import constrained_mle, joint_counts, ratio_score
from prunegate.stats.joint_counts import Kind
from prunegate.stats.result import statistical_test

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_NEWTON = 60
_CLOSE = 1e-13


@dataclass(frozen=True, kw_only=True)
class Claim:
    """``candidate - k * baseline >= -margin``, for one metric."""

    kind: Kind
    k: float
    margin: float


@statistical_test
def test(cells: NDArray[np.int64], claim: Claim) -> tuple[Floats, Floats]:
    """p_value and p_harm, each [tables], of cells [tables, 8]; both rates must be defined."""
    shares = cells / cells.sum(axis=1, keepdims=True)
    fitted, settled = _fit(shares, claim)
    p_value, p_harm = np.ones(len(cells)), np.ones(len(cells))
    if settled.any():
        n = cells[settled].sum(axis=1)
        score, root = _statistics(n, shares[settled], fitted[settled], claim)
        p_value[settled] = ndtr(-np.minimum(score, root))
        p_harm[settled] = ndtr(np.maximum(score, root))
    scalar = ratio_score.test_f1 if claim.kind == "f1" else ratio_score.test_precision
    for place in np.flatnonzero(~settled):
        found = scalar(cells[place].tolist(), claim.k, claim.margin)
        p_value[place], p_harm[place] = found.p_value, found.p_harm
    return p_value, p_harm


def _weights(kind: Kind) -> tuple[Floats, Floats, Floats, Floats]:
    """U and v of the baseline, then of the candidate."""
    first, second = (joint_counts.weights(kind, model) for model in joint_counts.MODELS)
    return np.array(first.u), np.array(first.v), np.array(second.u), np.array(second.v)


def _state(p: Floats, kind: Kind) -> Floats:
    """Per table the baseline's ratio and the log of the denominators' ratio."""
    ub, vb, _, vc = _weights(kind)
    below = p @ vb
    return np.stack([p @ ub / below, np.log(p @ vc / below)], axis=1)


def _linear(state: Floats, claim: Claim) -> Floats:
    """See `constrained_mle.RatioLimit.linear`."""
    ub, vb, uc, vc = _weights(claim.kind)
    first = state[:, :1]
    second = claim.k * first - claim.margin
    factor = claim.k * np.exp(state[:, 1:])
    return np.asarray(uc - second * vc - factor * (ub - first * vb))


def _statistics(
    n: NDArray[np.int64], shares: Floats, p: Floats, claim: Claim
) -> tuple[Floats, Floats]:
    """Score and signed root of the likelihood ratio."""
    g = _linear(_state(p, claim.kind), claim)
    excess = (shares * g).sum(axis=1)
    variance = (p * g * g).sum(axis=1)
    scale = np.sqrt(n / np.where(variance > 0, variance, np.inf))
    seen = shares > 0
    logs = np.where(seen, shares * np.log(np.where(seen, shares / np.where(seen, p, 1), 1)), 0)
    root = np.copysign(np.sqrt(np.maximum(2 * n * logs.sum(axis=1), 0.0)), excess)
    return excess * scale, root


def _fit(shares: Floats, claim: Claim) -> tuple[Floats, Bools]:
    """Constrained cells, and whether each table's fixed point was found."""
    low, high = constrained_mle.RatioLimit(
        kind=claim.kind, k=claim.k, margin=claim.margin
    ).baseline_range
    fitted, settled = np.ones_like(shares), np.zeros(len(shares), dtype=np.bool_)
    here = np.arange(len(shares))
    x = _state(shares, claim.kind)
    x[:, 0] = np.clip(x[:, 0], low, high)
    inverse = np.broadcast_to(-np.eye(2), (len(shares), 2, 2)).copy()
    spare = np.zeros(len(shares), dtype=np.int64)
    move = f_before = np.zeros_like(x)
    for turn in range(constrained_mle.ROUNDS):
        s = shares[here]
        g = _linear(x, claim)
        if turn < 5:
            excess = (s * g).sum(axis=1)
            spare = np.where(excess > 0, g.argmin(axis=1), g.argmax(axis=1))
        p = _tilted(s, g, spare)
        alive = _alive(p, claim.kind)
        f = _state(np.where(alive[:, None], p, 0.125), claim.kind) - x
        close = alive & (np.abs(f).sum(axis=1) <= constrained_mle.CLOSE)
        good = close & (np.abs(_contrast(p, claim)) <= constrained_mle.RESIDUAL)
        fitted[here[good]] = p[good]
        settled[here[good]] = True
        go = alive & ~close
        if not go.any():
            break
        if turn:
            inverse = _broyden(inverse, move, f - f_before)
        here, x, inverse, spare, f = here[go], x[go], inverse[go], spare[go], f[go]
        move = _step(inverse, f, (x[:, 0] - low, high - x[:, 0]))
        x, f_before = x + move, f
    return fitted, settled


def _contrast(p: Floats, claim: Claim) -> Floats:
    """How far from the limit fitted cells are."""
    ub, vb, uc, vc = _weights(claim.kind)
    below = np.maximum(p @ vc, 1e-300), np.maximum(p @ vb, 1e-300)
    return np.asarray(p @ uc / below[0] - claim.k * (p @ ub) / below[1] + claim.margin)


def _alive(p: Floats, kind: Kind) -> Bools:
    _, vb, _, vc = _weights(kind)
    return np.asarray((p @ vb > 1e-12) & (p @ vc > 1e-12))


def _step(inverse: Floats, f: Floats, room: tuple[Floats, Floats]) -> Floats:
    """See `constrained`: Newton's step, kept short and inside."""
    step = -np.einsum("nij,nj->ni", inverse, f)
    shrink = np.maximum(1.0, np.maximum(np.abs(step[:, 0]) / 0.3, np.abs(step[:, 1])))
    step = np.asarray(step / shrink[:, None])
    step[:, 0] = np.minimum(np.maximum(step[:, 0], -0.9 * room[0]), 0.9 * room[1])
    return step


def _broyden(inverse: Floats, dx: Floats, df: Floats) -> Floats:
    """See `constrained`: rank-one updates."""
    guess = np.einsum("nij,nj->ni", inverse, df)
    along = (dx * guess).sum(axis=1)
    usable = np.abs(along) >= 1e-300
    miss = (dx - guess) / np.where(usable, along, 1.0)[:, None]
    row = np.einsum("ni,nij->nj", dx, inverse)
    change = miss[:, :, None] * row[:, None, :]
    return np.asarray(inverse + np.where(usable[:, None, None], change, 0.0))


def _tilted(shares: Floats, g: Floats, spare: NDArray[np.int64]) -> Floats:
    """See `empirical_likelihood.fit_shares`."""
    excess = (shares * g).sum(axis=1)
    side = np.where(excess > 0, -1.0, 1.0)
    open_cells = shares > 0
    open_cells[np.arange(len(shares)), spare] = True
    furthest = np.where(open_cells, side[:, None] * g, -np.inf).max(axis=1)
    moved = (excess != 0) & (furthest > 0)
    limit = -side / np.where(moved, furthest, 1.0)
    t = np.where(moved, _multiplier(shares * g, g, excess, limit), 0.0)
    seen = shares > 0
    p = np.where(seen, shares / np.where(seen, 1 + t[:, None] * g, 1.0), 0.0)
    rest = np.where(moved, np.maximum(1 - p.sum(axis=1), 0.0), 0.0)
    p[np.arange(len(shares)), spare] += rest
    return p


def _multiplier(sw: Floats, g: Floats, excess: Floats, limit: Floats) -> Floats:
    """See `tilt`: Newton's steps, halved back into the bracket."""
    here = np.flatnonzero(excess != 0)
    found = np.zeros(len(excess))
    sw, g, excess, limit = sw[here], g[here], excess[here], limit[here]
    t = excess / np.maximum((sw * g).sum(axis=1), 1e-300)
    inside, outside = np.zeros_like(t), limit * (1 - 1e-14)
    for _ in range(_NEWTON):
        away = ~((np.minimum(inside, outside) < t) & (t < np.maximum(inside, outside)))
        t = np.where(away, (inside + outside) / 2, t)
        part = np.where(sw != 0, 1 / np.where(sw != 0, 1 + t[:, None] * g, 1.0), 0.0)
        value = (sw * part).sum(axis=1)
        slope = np.maximum((sw * g * part * part).sum(axis=1), 1e-300)
        ahead = (value > 0) == (excess > 0)
        inside, outside = np.where(ahead, t, inside), np.where(ahead, outside, t)
        step = value / slope
        tiny = _CLOSE * np.abs(limit)
        done = (np.abs(step) <= tiny) | (np.abs(outside - inside) <= tiny)
        found[here[done]] = t[done]
        go = ~done
        if not go.any():
            return found
        here, sw, g, excess, limit = here[go], sw[go], g[go], excess[go], limit[go]
        inside, outside, t = inside[go], outside[go], (t + step)[go]
    found[here] = inside  # the last step may have left the bracket
    return found
