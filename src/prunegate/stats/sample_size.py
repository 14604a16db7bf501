"""How many rows are needed before a rule can be proven, for each kind of rule.

Differences and ratios use the score test's own variances, at the limit and at the expected truth;
plans below 5,000 rows of a paired difference are then checked against the exact power and raised
if it falls short. Plan each of K tests at power 1 - beta / K.

Source: Nam (1997), Biometrics 53, 1422-1430.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import betainc

from prunegate.stats import arguments, constrained_mle, joint_counts, normal
from prunegate.stats.constrained_mle import RatioLimit
from prunegate.stats.joint_counts import Kind
from prunegate.stats.margin_line import Boundary, Floats
from prunegate.stats.power import exact_power, rates

EXACT_BELOW = 5000
NORMAL_FROM = 100_000
"""Rows of a floor from which the normal approximation is taken at its word."""
_RAISE = 1.02
_MOST = 10_000_000


def paired(discordance: float, change: float, margin: float, alpha: float, power: float) -> int:
    """Rows (of the metric's base) to prove a drop of at most ``margin``.

    Args:
        discordance: Expected rate of rows on which the models differ, above 0.
        change: Expected change of the rate (0: none).
        margin: Allowed drop, in (-1, 1), with change + margin above 0.
        alpha: One-sided level.
        power: Wanted probability of approval, in (0, 1).

    Raises:
        ValueError: The expected change itself breaks the margin, or an argument is out of range.

    >>> paired(0.02, 0.0, 0.01, 0.05, 0.9)
    1901
    """
    n = paired_by_score(discordance, change, margin, alpha, power)
    while n < EXACT_BELOW and exact_power(n, discordance, change, margin, alpha) < power:
        n = math.ceil(n * _RAISE)
    return n


def paired_by_score(
    discordance: float, change: float, margin: float, alpha: float, power: float
) -> int:
    """The same by the score's variances alone: at once, and a few percent off below 5,000 rows.

    >>> paired_by_score(0.02, 0.0, 0.01, 0.05, 0.9)
    1901
    """
    lost, gained = rates(discordance, change)
    arguments.open_interval("margin", margin, -1, 1)
    _check(change + margin, alpha, power)
    null, _ = Boundary(intercept=margin).variance(np.array(lost), np.array(gained), 1)
    return _rows(float(null), discordance - change**2, change + margin, (alpha, power))


def coarse(share: float) -> float:
    """The share rounded up to two significant digits: a pilot knows it no better.

    >>> coarse(0.0231)
    0.024
    """
    step = 10.0 ** (math.floor(math.log10(share)) - 1)
    return min(1.0, round(math.ceil(share / step - 1e-6) * step, 12))


def against(line: Boundary, lost: float, gained: float, alpha: float, power: float) -> int:
    """Informative rows to prove that a limit holds, for any boundary of the paired tests.

    By the score's variances alone, without the check that `paired` makes.

    Args:
        line: the limit; for a ratio of rates its rows are those that bear on the ratio.
        lost: Expected rate of lost rows among them.
        gained: Expected rate of gained rows among them.
        alpha: One-sided level.
        power: Wanted probability of approval, in (0, 1).

    Raises:
        ValueError: The expected rates themselves break the limit, or an argument is out of range.
    """
    arguments.part_of(1, lost=lost, gained=gained)
    excess = line.intercept - lost + line.slope * gained
    _check(excess, alpha, power)
    null, _ = line.variance(np.array(lost), np.array(gained), 1)
    truth = lost + line.slope**2 * gained - (line.slope * gained - lost) ** 2
    return _rows(float(null), truth, excess, (alpha, power))


def ratio_rows(
    cells: Sequence[float], kind: Kind, margin: float, alpha: float, power: float, k: float = 1.0
) -> int:
    """Rows, in the mix of ``cells``, to prove a drop of precision or F1 of at most ``margin``.

    Args:
        cells: Eight expected counts or shares. Leave cells 0 and 4 empty to plan precision in rows
            that either model calls positive.
        kind: "precision" or "f1".
        margin: Allowed drop, in (-1, 1).
        alpha: One-sided level.
        power: Wanted probability of approval, in (0, 1).
        k: Weight of the baseline: 1 for an absolute margin; as in `ratio_score` for others.

    Raises:
        ValueError: The expected cells break the margin, or an argument is out of range.
    """
    joint_counts.require_joint_counts(cells, kind)
    limit = RatioLimit(kind=kind, k=k, margin=margin)
    _check(limit.contrast(cells) + margin, alpha, power)
    total = math.fsum(cells)
    shares = [cell / total for cell in cells]
    found = constrained_mle.fit_cells(shares, limit)
    if found is None:
        raise ValueError(
            "these cells are too far from the margin to plan with: use a pilot sample."
        )
    # as in the test itself, a limit too far away to be fitted gives way to a nearer one
    fitted = RatioLimit(kind=kind, k=k, margin=found.margin)
    null, truth = _variance(found.probabilities, fitted), _variance(shares, fitted)
    return _rows(null, truth, limit.contrast(shares) + found.margin, (alpha, power))


def proportion_at_least(rate: float, limit: float, alpha: float, power: float) -> int:
    """Rows to prove a floor with the exact binomial test, when the true rate is ``rate``.

    The power of an exact test rises in a sawtooth; from the number returned on it stays at or above
    ``power`` for the next fifth of that number.

    Raises:
        ValueError: a limit, rate, alpha or power out of range, or more rows needed than are
            planned.
    """
    arguments.open_interval("limit", limit, 0, 1)
    arguments.closed_interval("rate", rate, 0, 1)
    _check(rate - limit, alpha, power)
    guess = _rows(limit * (1 - limit), rate * (1 - rate), rate - limit, (alpha, power))
    if guess > NORMAL_FROM:
        return guess
    start = max(1, guess // 2)
    while start < _MOST:
        n = np.arange(start, math.ceil(start * 3) + 50)
        short = np.flatnonzero(_floor_power(n, (rate, limit), alpha) < power)
        first = int(n[0]) if not short.size else int(n[short[-1]]) + 1
        if first * 1.2 <= n[-1]:
            return first
        start = 2 * start
    raise ValueError(f"more than {_MOST:,} rows needed: expect a rate further above the limit.")


def normal_rows(variances: tuple[float, float], room: float, alpha: float, power: float) -> int:
    """Rows for a contrast whose estimate is normal with so much variance per row.

    Args:
        variances: of one row's influence on the contrast, as the test has it at the limit, and at
            the expected truth.
        room: distance of its expected value from the limit, above 0.
        alpha: one-sided level.
        power: chance that it is shown.
    """
    _check(room, alpha, power)
    return _rows(*variances, room, (alpha, power))


def _floor_power(
    n: np.ndarray[tuple[int], np.dtype[np.int64]], rates_: tuple[float, float], alpha: float
) -> Floats:
    """Power of the test of ``rate >= limit`` for each n; 0 where it can never approve."""
    rate, limit = rates_
    low, high = np.zeros_like(n), n + 1  # refused at low, approved at high
    while np.any(high - low > 1):
        middle = (low + high) // 2
        approved = betainc(middle, n - middle + 1, limit) <= alpha
        low, high = np.where(approved, low, middle), np.where(approved, middle, high)
    needed = np.minimum(high, n)
    return np.where(high <= n, betainc(needed, n - needed + 1, rate), 0.0)


def _variance(p: Sequence[float], limit: RatioLimit) -> float:
    """Variance of the contrast per row, at cell probabilities ``p``."""
    here = RatioLimit(kind=limit.kind, k=limit.k, margin=-limit.contrast(p))
    weights = joint_counts.weights(limit.kind, "candidate")
    scale = weights.totals(p)[1]
    g = here.linear(here.state(p))
    return math.fsum(share * (w / scale) ** 2 for share, w in zip(p, g, strict=True))


def _rows(null: float, truth: float, room: float, levels: tuple[float, float]) -> int:
    alpha, power = levels
    spread = normal.upper_z(alpha) * math.sqrt(null) + normal.upper_z(1 - power) * math.sqrt(truth)
    return max(1, math.ceil((spread / room) ** 2))


def _check(room: float, alpha: float, power: float) -> None:
    arguments.open_interval("alpha", alpha, 0, 1)
    arguments.open_interval("power", power, 0, 1)
    if not room > 0:
        raise ValueError("the expected value does not meet the limit: no number of rows proves it.")
