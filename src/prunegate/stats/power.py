"""Exact power of the exact paired test: how often it approves a given truth.

Enumerates, for every plausible number of gained rows, the most losses that are still approved.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaincc, gammaln, xlog1py, xlogy

from prunegate.stats import arguments, paired_exact, unconditional
from prunegate.stats.margin_line import Boundary, Floats


def exact_power(n: int, discordance: float, change: float, margin: float, alpha: float) -> float:
    """Probability that the exact test approves (p <= alpha).

    Args:
        n: Rows.
        discordance: Rate of rows on which the models differ, psi = P(lost) + P(gained).
        change: True change of the rate, P(gained) - P(lost).
        margin: Allowed drop, in (-1, 1).
        alpha: One-sided level, in (0, 1).

    Raises:
        ValueError: Rates that cannot be, or arguments out of range.
    """
    arguments.counts(n=n)
    lost, gained = rates(discordance, change)
    arguments.open_interval("margin", margin, -1, 1)
    arguments.open_interval("alpha", alpha, 0, 1)
    c = unconditional.window(gained, gained, n).astype(float)
    k = _approved(n, c, margin, alpha)
    weights = np.exp(
        gammaln(n + 1)
        - gammaln(c + 1)
        - gammaln(n - c + 1)
        + xlogy(c, gained)
        + xlog1py(n - c, -gained)
    )
    return float(weights @ _at_most(k, n - c, min(1.0, lost / (1 - gained))))


def rates(discordance: float, change: float) -> tuple[float, float]:
    """Rates of lost and gained rows from their sum and difference.

    Raises:
        ValueError: a change that is larger than the discordance, or shares outside of 0 to 1.
    """
    arguments.closed_interval("discordance", discordance, 0, 1)
    if not abs(change) <= discordance or (change == 1):
        raise ValueError(f"change {change} with discordance {discordance}: it cannot be larger.")
    return (discordance - change) / 2, (discordance + change) / 2


def _approved(n: int, gained: Floats, margin: float, alpha: float) -> Floats:
    """Most losses that are approved with each number of gained rows; -1 for none."""
    boundary = Boundary(intercept=margin)
    beta = paired_exact.BETA

    def approves(lost: int, c: int) -> bool:
        return unconditional.unconditional_p(lost, c, n, boundary, beta) <= alpha

    found, k = [], -1
    for c in gained.astype(int):
        k = min(k + 1, n - int(c))  # from one to the next, the limit rises by about one
        while k < n - c and approves(k + 1, int(c)):
            k += 1
        while k >= 0 and not approves(k, int(c)):
            k -= 1
        found.append(k)
    return np.array(found, dtype=float)


def _at_most(k: Floats, trials: Floats, rate: float) -> Floats:
    """P(X <= k) for X binomial(trials, rate); 0 below zero, 1 from trials on."""
    inside = (k >= 0) & (k < trials)
    safe = np.where(inside, k, 0.0)
    spread = np.where(inside, trials - safe, 1.0)
    return np.where(inside, betaincc(safe + 1, spread, rate), np.where(k < 0, 0.0, 1.0))
