"""One proportion: scipy as the oracle, and the laws every interval and test obeys."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles import wilson

from prunegate.stats import clopper_pearson

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
rates = st.floats(0.001, 0.999)


@pytest.mark.slow
@settings(deadline=None)
@given(counts, st.sampled_from([0.8, 0.9, 0.95, 0.999]))
def test_intervals_equal_scipy(xn, confidence):
    from scipy.stats import binomtest

    oracle = binomtest(*xn)
    for estimator, method in ((clopper_pearson, "exact"), (wilson, "wilson")):
        found = estimator.interval(*xn, confidence)
        expected = oracle.proportion_ci(confidence, method)
        assert (found.low, found.high) == pytest.approx(tuple(expected), abs=1e-10)


@settings(deadline=None)
@given(counts, rates)
def test_tests_equal_scipy(xn, limit):
    from scipy.stats import binom

    x, n = xn
    above, below = binom.sf(x - 1, n, limit), binom.cdf(x, n, limit)
    floor = clopper_pearson.test_at_least(x, n, limit)
    cap = clopper_pearson.test_at_most(x, n, limit)
    assert (floor.p_value, floor.p_harm) == pytest.approx((above, below), rel=1e-8)
    assert (cap.p_value, cap.p_harm) == pytest.approx((below, above), rel=1e-8)


@settings(deadline=None)
@given(counts, rates)
def test_a_cap_on_successes_is_a_floor_on_failures(xn, limit):
    x, n = xn
    cap = clopper_pearson.test_at_most(x, n, limit)
    floor = clopper_pearson.test_at_least(n - x, n, 1 - limit)
    assert (cap.p_value, cap.p_harm) == pytest.approx((floor.p_value, floor.p_harm), rel=1e-6)


@pytest.mark.parametrize(("x", "n"), [(0, 0), (0, 5), (3, 5), (5, 5)])
def test_limits_that_cannot_be_missed_always_hold(x, n):
    assert clopper_pearson.test_at_least(x, n, 0).p_value == 0
    assert clopper_pearson.test_at_least(x, n, 0).p_harm == 1
    assert clopper_pearson.test_at_most(x, n, 1).p_value == 0
    assert clopper_pearson.test_at_most(x, n, 1).p_harm == 1


def test_a_limit_of_everything_is_never_proven_and_broken_by_one_failure():
    assert clopper_pearson.test_at_least(5, 5, 1).p_value == 1
    assert clopper_pearson.test_at_least(5, 5, 1).p_harm == 1
    assert clopper_pearson.test_at_least(4, 5, 1).p_harm == 0
    assert clopper_pearson.test_at_most(1, 5, 0).p_harm == 0


def test_no_rows_are_no_evidence():
    found = clopper_pearson.test_at_least(0, 0, 0.5)
    assert (found.p_value, found.p_harm) == (1, 1)
    for estimator in (clopper_pearson, wilson):
        assert (estimator.interval(0, 0).low, estimator.interval(0, 0).high) == (0, 1)


@settings(deadline=None)
@given(st.floats(0, 50), st.floats(0, 50))
def test_wilson_takes_fractional_counts(x, more):
    found = wilson.interval(x, x + more)
    assert 0 <= found.low <= found.high <= 1


@pytest.mark.parametrize(("x", "n"), [(-1, 5), (6, 5), (math.nan, 5), (1, math.inf)])
def test_impossible_counts_are_refused(x, n):
    with pytest.raises(ValueError, match=r"pass a finite|count each row once"):
        clopper_pearson.interval(x, n)
    with pytest.raises(ValueError, match="limit is"):
        clopper_pearson.test_at_least(1, 5, math.nan)
