"""The exact p-values of every small table, from a full enumeration of the trinomial distribution.

Nothing is shared with the package: Tango's score is written out from his quadratic, probabilities
come from scipy's multinomial distribution, and the unknown rate runs over a dense grid, where the
package follows staircases and refines. One sum over all tables then gives the p-value of each.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy import stats
from tests.depth import THOROUGH

from prunegate.stats import paired_exact, unconditional
from prunegate.stats.margin_line import Boundary

pytestmark = pytest.mark.slow

MARGINS = (-0.4, -0.1, -0.02, 0.0, 0.01, 0.02, 0.05, 0.2, 0.6)
USUAL = {11: (-0.4, -0.1, 0.0, 0.02, 0.2, 0.6), 25: (0.02,)}
"""Margins of the larger tables by day, each a place of its own: below, at and above zero, far."""
CASES = [
    (n, margin)
    for n in (1, 2, 5, 11, 25)
    for margin in MARGINS
    if THOROUGH or margin in USUAL.get(n, MARGINS)
]
GRID = 8001
DEFAULTS = {"p_value": paired_exact.BETA, "p_harm": paired_exact.BETA_HARM}


def tango(lost, gained, n, margin):
    """Tango 1998, equations 12 to 15: theta = -margin, and the first rater is the candidate."""
    theta = -margin
    A, B, C = (
        2 * n,
        -lost - gained + (2 * n - gained + lost) * theta,
        -lost * theta * (1 - theta),
    )
    # his b is gained and his c lost; the root is the constrained estimate of the lost rate
    p_lost = (-B + np.sqrt(np.maximum(B * B - 4 * A * C, 0.0))) / (2 * A)
    variance = n * (2 * p_lost + theta * (1 - theta))
    excess = gained - lost - n * theta
    safe = np.where(variance > 1e-9, variance, 1.0)
    infinite = np.where(np.abs(excess) > 1e-9, np.copysign(np.inf, excess), 0.0)
    return np.where(variance > 1e-9, excess / np.sqrt(safe), infinite)


@cache
def every_table(n):
    """All tables (lost, gained) of n pairs."""
    return np.array([(b, c) for b in range(n + 1) for c in range(n + 1 - b)])


@cache
def enumerated(n, margin):
    """All tables, their scores, the grid of gained rates and the probabilities (table x rate)."""
    tables = every_table(n)
    lost, gained = tables.T
    low, high = max(0.0, -margin), (1 - margin) / 2
    angles = np.linspace(np.arcsin(np.sqrt(low)), np.arcsin(np.sqrt(high)), GRID)
    rates = np.clip(np.sin(angles) ** 2, low, high)
    losses = np.maximum(rates + margin, 0.0)
    cells = np.stack([losses, rates, np.maximum(1 - losses - rates, 0.0)], axis=1)
    rows = np.column_stack([tables, n - lost - gained])
    probabilities = stats.multinomial.pmf(rows[:, None, :], n, cells[None, :, :])
    return tables, tango(lost, gained, n, margin), rates, probabilities


@cache
def enumerated_p(n, margin, beta):
    """The p-value of every table: its and all better tables' probability, at the worst rate."""
    tables, scores, rates, probabilities = enumerated(n, margin)
    order = np.argsort(-scores, kind="stable")
    summed = np.cumsum(probabilities[order], axis=0)
    found = []
    for (_, gained), score in zip(tables, scores, strict=True):
        tie = 1e-9 * max(1.0, abs(score)) if np.isfinite(score) else 0.0
        last = np.searchsorted(-scores[order], -(score - tie), side="right") - 1
        found.append(_worst(summed[last], rates, (int(gained), n), beta))
    return np.minimum(np.array(found) + beta, 1.0)


def _worst(tail, rates, count, beta):
    if beta == 0:
        return tail.max()
    gained, n = count
    low = stats.beta.ppf(beta / 2, gained, n - gained + 1) if gained else 0.0
    high = stats.beta.ppf(1 - beta / 2, gained + 1, n - gained) if gained < n else 1.0
    if low > rates[-1]:
        return 0.0
    # the ends of the interval are no grid points: read between them
    ends = np.interp([max(low, rates[0]), min(max(high, rates[0]), rates[-1])], rates, tail)
    inside = tail[(rates >= low) & (rates <= high)]
    return max(inside.max(initial=0.0), ends.max())


@cache
def packaged(n, margin, beta):
    """Both p-values of every table, by the package: the same for each law about them."""
    tables = every_table(n).tolist()
    found = [paired_exact.test(b, c, n, margin, beta=beta) for b, c in tables]
    tails = "p_value", "p_harm"
    return {tail: np.array([getattr(one, tail) for one in found]) for tail in tails}


def swapped(n, p_values):
    """Harm is the mirrored table's question: p-values rearranged from (gained, lost)."""
    tables = every_table(n).tolist()
    place = {tuple(table): index for index, table in enumerate(tables)}
    return p_values[[place[c, b] for b, c in tables]]


@pytest.mark.parametrize(("n", "margin"), CASES)
def test_every_p_value_over_all_rates_is_the_enumerated_one(n, margin):
    holds = enumerated_p(n, margin, 0.0)
    assert packaged(n, margin, 0.0)["p_value"] == pytest.approx(holds, abs=1e-6)
    harm = swapped(n, enumerated_p(n, -margin, 0.0))
    assert packaged(n, margin, 0.0)["p_harm"] == pytest.approx(harm, abs=1e-6)


@pytest.mark.parametrize(("n", "margin"), CASES)
def test_the_default_p_values_are_those_of_their_interval_plus_beta(n, margin):
    for tail, sign in (("p_value", 1), ("p_harm", -1)):
        beta = DEFAULTS[tail]
        expected = enumerated_p(n, sign * margin, beta)
        everywhere = enumerated_p(n, sign * margin, 0.0)
        if sign < 0:
            expected, everywhere = swapped(n, expected), swapped(n, everywhere)
        found = packaged(n, margin, None)[tail]
        assert found == pytest.approx(expected, abs=2e-6)
        assert np.all(found >= beta)
        assert np.all(found <= everywhere + beta + 1e-6)


@pytest.mark.parametrize(("n", "margin"), CASES)
def test_no_true_state_is_misjudged_more_often_than_alpha(n, margin):
    for tail, sign in (("p_value", 1), ("p_harm", -1)):
        probabilities = enumerated(n, sign * margin)[3]
        found = packaged(n, margin, None)[tail]
        found = found if sign > 0 else swapped(n, found)
        for alpha in (0.1, 0.05, 0.01, 0.05 / 20, 0.05 / 100):
            assert ((found <= alpha) @ probabilities).max() <= alpha


def by_scipy(lost, gained, n, margin, rate):
    """P of the tables at least as good, at one rate: column by column, each end by bisection."""
    observed = float(tango(np.array(lost), np.array(gained), n, margin))
    spread = 12 * np.sqrt(n * rate * (1 - rate)) + 60
    c = np.arange(max(0, int(n * rate - spread)), min(n, int(n * rate + spread)) + 1)
    low, high = np.full(len(c), -1), n - c + 1
    while np.any(high - low > 1):
        middle = np.maximum((low + high) // 2, 0)
        inside = (high - low > 1) & (tango(middle, c, n, margin) >= observed - 1e-9)
        outside = (high - low > 1) & ~inside
        low, high = np.where(inside, middle, low), np.where(outside, middle, high)
    losing = stats.binom.cdf(low, n - c, (rate + margin) / (1 - rate))
    return float(stats.binom.pmf(c, n, rate) @ np.where(low < 0, 0.0, losing))


@pytest.mark.parametrize(
    ("lost", "gained", "n", "margin"),
    [
        (0, 0, 149, 0.02),
        (60, 20, 3_000, 0.02),
        (0, 90, 40_000, 0.0),
        (2_400, 1_900, 20_000, 0.02),
        (9_000, 4_000, 100_000, 0.05),
        (102_000, 100_000, 240_000, 0.02),
        (100_000, 120_500, 2_000_000, -0.01),
    ],
)
@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 3])
def test_large_tables_have_the_probability_that_scipy_sums(lost, gained, n, margin, shift):
    centre = min(max(gained / n, -margin, 1e-6), (1 - margin) / 2)
    rate = min(max(centre + shift * np.sqrt(centre / n), -margin, 1e-9), (1 - margin) / 2)
    found = unconditional.probability(lost, gained, n, Boundary(intercept=margin), rate)
    assert found == pytest.approx(by_scipy(lost, gained, n, margin, rate), rel=1e-6, abs=1e-9)
