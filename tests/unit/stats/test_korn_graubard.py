"""One rate of grouped rows: Korn and Graubard's interval in their own form as the oracle, laws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.stats import clopper_pearson, clusters, korn_graubard
from prunegate.stats.clusters import Grouped


def published(x, n, groups, confidence=0.95):
    """Korn & Graubard 1998: F quantiles on the sample size shrunk by t of the design over z.

    Their n* is n / deff x (t_n / t_d)^2; with t_n taken as the normal quantile, and x and n here
    counted over the design effect already.
    """

    from scipy import stats

    tail = (1 - confidence) / 2
    shrink = (stats.norm.isf(tail) / stats.t.isf(tail, groups - 1)) ** 2
    x, n = x * shrink, n * shrink
    v1, v2, v3, v4 = 2 * x, 2 * (n - x + 1), 2 * (x + 1), 2 * (n - x)
    low, high = stats.f.ppf(tail, v1, v2), stats.f.isf(tail, v3, v4)
    return v1 * low / (v2 + v1 * low), v3 * high / (v4 + v3 * high)


@pytest.mark.slow
@given(
    n=st.floats(5, 3000),
    share=st.floats(0.02, 0.98),
    groups=st.integers(3, 400),
    confidence=st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
@settings(max_examples=times(24, thorough=120))
def test_the_interval_is_the_published_one(n, share, groups, confidence):
    found = korn_graubard.interval(share * n, n, groups, confidence)
    expected = published(share * n, n, groups, confidence)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
@given(n=st.integers(1, 2000), share=st.floats(0, 1), limit=st.floats(0.01, 0.99))
@settings(max_examples=times(24, thorough=120))
def test_many_groups_of_independent_rows_are_clopper_and_pearson(n, share, limit):
    x, many = round(share * n), 10**7
    found, exact = korn_graubard.interval(x, n, many), clopper_pearson.interval(x, n)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-5)
    for one, other in (
        (korn_graubard.test_at_least, clopper_pearson.test_at_least),
        (korn_graubard.test_at_most, clopper_pearson.test_at_most),
    ):
        got, want = one(x, n, limit, many), other(x, n, limit)
        for p, q in ((got.p_value, want.p_value), (got.p_harm, want.p_harm)):
            if 1e-12 < q < 0.4:  # above it everything counts as no evidence at all
                assert p == pytest.approx(q, rel=1e-2)


@pytest.mark.slow
@given(
    n=st.floats(20, 2000),
    share=st.floats(0.05, 0.95),
    groups=st.integers(5, 300),
    level=st.sampled_from([0.001, 0.01, 0.05, 0.2]),
)
@settings(max_examples=times(24, thorough=120))
def test_a_p_value_is_the_level_whose_own_limit_is_just_reached(n, share, groups, level):
    found = korn_graubard.interval(share * n, n, groups, 1 - 2 * level)
    floor = korn_graubard.test_at_least(share * n, n, found.low, groups)
    assert floor.p_value == pytest.approx(level, rel=1e-2)
    cap = korn_graubard.test_at_most(share * n, n, found.high, groups)
    assert cap.p_value == pytest.approx(level, rel=1e-2)


@pytest.mark.slow
@given(n=st.floats(5, 500), limit=st.floats(0.02, 0.98), groups=st.integers(2, 100))
@settings(max_examples=times(16, thorough=100))
def test_more_successes_are_more_evidence_for_a_floor(n, limit, groups):
    found = [korn_graubard.test_at_least(x * n, n, limit, groups) for x in np.linspace(0, 1, 21)]
    for one, other in itertools.pairwise(found):
        assert other.p_value <= one.p_value * (1 + 1e-9)
        assert other.p_harm >= one.p_harm * (1 - 1e-9)


def test_fewer_groups_are_less_evidence():
    p = [korn_graubard.test_at_least(190, 200, 0.9, groups).p_value for groups in (3, 10, 30, 300)]
    assert p == sorted(p, reverse=True)
    assert p[0] > 2 * p[-1]


@pytest.mark.slow
def test_every_p_value_lies_between_0_and_1_without_a_warning():
    """Warnings are errors here."""
    sizes, shares = (0.0, 0.3, 1.0, 7.5, 300.0, 1e6), (0.0, 1e-9, 0.1, 0.5, 1.0)
    limits, groups = (0.0, 1e-6, 0.05, 0.5, 0.999999, 1.0), (0, 1, 2, 3, 20, 10**6)
    tests = (korn_graubard.test_at_least, korn_graubard.test_at_most)
    for n, share, count in itertools.product(sizes, shares, groups):
        end = korn_graubard.interval(share * n, n, count)
        assert 0 <= end.low <= end.high <= 1
        for limit, test in itertools.product(limits, tests):
            found = test(share * n, n, limit, count)
            assert 0 <= found.p_value <= 1
            assert 0 <= found.p_harm <= 1
            # one direction at most is evidence
            assert max(found.p_value, found.p_harm) > 0.45


def test_one_group_shows_nothing():
    assert korn_graubard.test_at_least(500, 500, 0.5, 1).p_value == 1
    assert korn_graubard.test_at_most(500, 500, 0.5, 1).p_harm == 1
    assert korn_graubard.interval(500, 500, 1).low == 0


@pytest.mark.parametrize("bad", [(-1, 5, 0.5, 9), (6, 5, 0.5, 9), (1, 5, 1.5, 9), (1, 5, 0.5, -1)])
def test_what_is_no_count_or_rate_is_refused(bad):
    with pytest.raises(ValueError, match=r"\w"):
        korn_graubard.test_at_least(*bad)


def p_of_floor(right, wrong, limit):
    """The floor's p-value from counts per group, as the gate finds it."""
    x = np.stack([right, wrong], axis=1).astype(float)
    mixed = int(min((right > 0).sum(), (wrong > 0).sum()))
    data = Grouped(
        totals=x.sum(0).tolist(),
        cross=(x.T @ x).tolist(),
        discordant_groups=mixed,
        groups=len(right),
    )
    effect = clusters.effect(data, (0, 1), (1.0, 0.0))
    groups = mixed if mixed >= clusters.ENOUGH_GROUPS else len(right)
    successes, rows = x.sum(0)[0] / effect, x.sum() / effect
    return korn_graubard.test_at_least(successes, rows, limit, groups).p_value


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0.7, 0.9, 0.97])
@pytest.mark.parametrize("count", [40, 150])
@pytest.mark.parametrize("correlation", [0.05, 0.4])
def test_the_size_of_a_floor_is_about_alpha(limit, count, correlation):
    rng, repeats, approved = np.random.default_rng(3), times(300, thorough=1000), 0
    alike = 1 / correlation - 1
    for _ in range(repeats):
        sizes = rng.integers(1, 15, count)
        rate = rng.beta(limit * alike, (1 - limit) * alike, count)
        right = rng.binomial(sizes, rate)
        approved += p_of_floor(right, sizes - right, limit) <= 0.05
    assert approved / repeats <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats) + 0.015
