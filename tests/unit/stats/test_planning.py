"""Power and sample sizes, enumerated independently of the code that plans."""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.stats import clopper_pearson, paired_exact, power, ratio_score, sample_size
from prunegate.stats.margin_line import Boundary


@pytest.mark.slow
def test_exact_power_is_the_mean_of_decisions():
    from scipy.stats import binom

    n, lost, gained, margin = times(24, thorough=40), 0.03, 0.02, 0.15
    expected = 0.0
    for c in range(n + 1):
        for b in range(n + 1 - c):
            if paired_exact.tail_of_holding(b, c, n, Boundary(intercept=margin)) <= 0.05:
                expected += binom.pmf(c, n, gained) * binom.pmf(b, n - c, lost / (1 - gained))
    found = power.exact_power(n, lost + gained, gained - lost, margin, 0.05)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
def test_a_plan_that_falls_short_is_raised():
    for discordance, margin in ((0.01, 0.02), (0.005, 0.05), (0.1, 0.05)):
        n = sample_size.paired(discordance, 0.0, margin, 0.05, 0.8)
        assert power.exact_power(n, discordance, 0.0, margin, 0.05) >= 0.8


def test_large_plans_use_the_formula():
    assert sample_size.paired(0.1, 0.0, 0.005, 0.05, 0.9) == pytest.approx(34_255, rel=0.01)


def approved_from(size: int, limit: float) -> int:
    """The fewest successes that are approved: more of them are never weaker evidence."""

    def approved(successes: int) -> bool:
        return clopper_pearson.test_at_least(successes, size, limit).p_value <= 0.05

    return bisect_left(range(size + 1), True, key=approved)


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "limit"), [(0.95, 0.9), (1.0, 0.98), (0.6, 0.5), (0.99, 0.985)])
def test_floors_reach_the_power_from_the_planned_size_on(rate, limit):
    from scipy.stats import binom

    n = sample_size.proportion_at_least(rate, limit, 0.05, 0.9)
    for size in range(n - 1, n + 60):
        approved = binom.sf(approved_from(size, limit) - 1, size, rate)
        assert approved >= 0.9 - 1e-9 if size >= n else approved < 0.9


def test_a_perfect_rate_needs_the_rule_of_three():
    assert sample_size.proportion_at_least(1.0, 0.98, 0.05, 0.9) == 149


@pytest.mark.parametrize(
    ("rate", "limit", "alpha", "power"),
    [(0.107, 0.084, 0.2, 0.5), (0.995, 0.986, 0.2, 0.8), (0.991, 0.972, 0.2, 0.9)],
)
def test_a_guess_that_the_sawtooth_leaves_far_behind_is_looked_for_further_on(
    rate, limit, alpha, power
):
    """Up to the rows found there is a dip, and none in the fifth that follows (binomial tails)."""
    from scipy.stats import binom

    rows = sample_size.proportion_at_least(rate, limit, alpha, power)
    n = np.arange(rows - 1, math.floor(rows * 1.2) + 1)
    shown = binom.sf(binom.isf(alpha, n, limit), n, rate)
    assert shown[0] < power
    assert shown[1:].min() >= power


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["precision", "f1"])
def test_ratio_plans_deliver_about_their_power(kind):
    cells = np.array([0, 8, 8, 40, 10, 12, 12, 300], dtype=float)
    n = sample_size.ratio_rows(cells.tolist(), kind, 0.03, 0.05, 0.9)
    rng = np.random.default_rng(3)
    test = ratio_score.test_f1 if kind == "f1" else ratio_score.test_precision
    repeats = times(500, thorough=1500)
    draws = rng.multinomial(n, cells / cells.sum(), size=repeats).tolist()
    approved = np.mean([test(table, 1.0, 0.03).p_value <= 0.05 for table in draws])
    noise = 3 * math.sqrt(0.9 * 0.1 / repeats)
    assert 0.893 - noise <= approved <= 0.917 + noise


def test_what_cannot_be_proven_is_refused():
    with pytest.raises(ValueError, match="no number of rows"):
        sample_size.paired(0.1, -0.05, 0.02, 0.05, 0.9)
    with pytest.raises(ValueError, match="no number of rows"):
        sample_size.proportion_at_least(0.9, 0.9, 0.05, 0.9)
    with pytest.raises(ValueError, match="cannot be larger"):
        sample_size.paired(0.01, 0.05, 0.02, 0.05, 0.9)
    with pytest.raises(ValueError, match="power is"):
        sample_size.paired(0.01, 0.0, 0.02, 0.05, 1.0)


@given(
    st.floats(0.02, 0.95), st.floats(0.05, 1), st.sampled_from([0.01, 0.05, 0.2]),
    st.sampled_from([0.5, 0.8, 0.95]),
)  # fmt: skip
@settings(max_examples=times(25, thorough=500))
def test_a_floor_asks_for_the_first_number_of_rows_that_does_for_the_next_fifth(
    limit: float, way: float, alpha: float, power: float
) -> None:
    """From chances that are all but sure on one row up (binomial tails)."""
    from scipy.stats import binom

    rate = limit + way * (1 - limit)
    rows = sample_size.proportion_at_least(rate, limit, alpha, power)
    if rows > sample_size.NORMAL_FROM:
        return
    n = np.arange(max(rows - 1, 1), math.floor(rows * 1.2) + 1)
    shown = binom.sf(binom.isf(alpha, n, limit), n, rate)
    assert shown[n >= rows].min() >= power - 1e-9
    assert rows == 1 or shown[0] < power + 1e-9
