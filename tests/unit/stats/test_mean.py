"""Mean differences: scipy as the oracle for t, and what little or constant data may not prove."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prunegate.stats import mean

samples = st.lists(st.floats(-5, 5).map(lambda x: round(x, 3)), min_size=3, max_size=60)


def sums(d):
    d = np.asarray(d, dtype=float)
    return len(d), float(d.sum()), float((d**2).sum()), float((d**3).sum())


@settings(deadline=None)
@given(samples, st.sampled_from([-0.5, 0.0, 0.02, 1.0]))
def test_never_bolder_than_the_t_test(d, margin):
    from scipy.stats import ttest_1samp

    found = mean.test(*sums(d), margin)
    if np.std(d) < 1e-3:
        assert found.p_value > 0
        return
    t = ttest_1samp(d, -margin)
    upper = t.pvalue / 2 if t.statistic > 0 else 1 - t.pvalue / 2
    assert found.p_value >= upper - 1e-6
    assert found.p_harm >= 1 - upper - 1e-6


@settings(deadline=None)
@given(samples)
def test_the_moments_are_those_of_the_rows(d):
    from scipy.stats import skew

    found = mean.moments(*sums(d))
    assert found.mean == pytest.approx(np.mean(d), abs=1e-9)
    if np.std(d) > 1e-2:
        assert found.sd == pytest.approx(np.std(d, ddof=1), rel=1e-6)
        assert found.skewness == pytest.approx(skew(d), rel=1e-3, abs=1e-3)


def test_symmetric_rows_need_no_correction():
    from scipy.stats import ttest_1samp

    d = np.tile([-1.0, 1.0], 200)
    assert mean.test(*sums(d), 0.1).p_value == pytest.approx(
        ttest_1samp(d, -0.1, alternative="greater").pvalue, rel=1e-6
    )


def test_rare_large_losses_weaken_the_evidence():
    from scipy.stats import ttest_1samp

    d = np.zeros(1000)
    d[:3] = -5.0
    t = ttest_1samp(d, -0.04, alternative="greater").pvalue
    assert mean.test(*sums(d), 0.04).p_value > 2 * t


@pytest.mark.parametrize("value", [0.0, 0.1, -3.0])
def test_rows_without_variation_prove_nothing(value):
    found = mean.test(*sums([value] * 500), 0.02)
    assert (found.p_value, found.p_harm) == (1, 1)


def test_the_interval_is_students():
    from scipy.stats import ttest_1samp

    d = np.linspace(-1, 2, 50) ** 3
    expected = ttest_1samp(d, 0).confidence_interval(0.95)
    found = mean.interval(*sums(d))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert mean.interval(*sums([2.0] * 9)).high == math.inf


@pytest.mark.parametrize("bad", [(0, 0, 0, 0), (5, math.nan, 1, 1), (5, 10.0, 1.0, 1.0)])
def test_impossible_sums_are_refused(bad):
    with pytest.raises(ValueError, match=r"pass n >= 1|not of n rows"):
        mean.test(*bad, 0.1)


def bounded(d, margin, worst=1.0):
    n, *three = sums(d)
    return mean.test_bounded(n, tuple(three), margin, worst)


@pytest.mark.parametrize("margin", [0.005, 0.01, 0.02, 0.05])
def test_rows_that_all_agree_prove_about_as_much_as_no_failure_in_as_many_trials(margin):
    """The exact rule is (1 - margin)^n <= alpha: 149 rows for two points."""
    exact = math.log(0.05) / math.log(1 - margin)
    n = next(n for n in range(2, 2000) if bounded(np.zeros(n), margin).p_value <= 0.05)
    assert 0.8 * exact <= n <= 1.1 * exact


def test_identical_rows_are_approved_from_a_few_hundred_on():
    assert bounded(np.zeros(300), 0.02).p_value <= 0.05
    assert bounded(np.zeros(100), 0.02).p_value > 0.05
    assert bounded(np.zeros(300), 0.02).p_harm > 0.5


@settings(deadline=None)
@given(samples, st.sampled_from([-0.5, 0.0, 0.02, 1.0]), st.sampled_from([1.0, 10.0]))
def test_a_bound_never_makes_the_test_bolder(d, margin, worst):
    plain, found = mean.test(*sums(d), margin), bounded(d, margin, worst)
    if mean.moments(*sums(d)).sd > 0:
        assert found.p_value >= plain.p_value
        assert found.p_harm >= plain.p_harm
    assert 0 < found.p_value <= 1


@settings(deadline=None)
@given(samples, st.sampled_from([-0.5, 0.02, 1.0]), st.sampled_from([2.0, 1 / 1024, 4096.0]))
def test_the_unit_of_a_score_does_not_matter(d, margin, scale):
    one = bounded(d, margin, 10.0)
    other = bounded(np.array(d) * scale, margin * scale, 10.0 * scale)
    assert (one.p_value, one.p_harm) == pytest.approx((other.p_value, other.p_harm), rel=1e-6)


@settings(deadline=None)
@given(samples, st.sampled_from([-0.5, 0.02, 1.0]))
def test_a_gain_is_a_loss_with_the_models_exchanged(d, margin):
    one, other = bounded(d, margin, 10.0), bounded(-np.array(d), -margin, 10.0)
    assert one.p_value == pytest.approx(other.p_harm, rel=1e-6)
    assert one.p_harm == pytest.approx(other.p_value, rel=1e-6)


def test_what_bounds_nothing_is_refused():
    with pytest.raises(ValueError, match="worst"):
        mean.test_bounded(9, (0.0, 0.0, 0.0), 0.1, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("n", [300, 1000])
@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("share", [0.005, 0.02, 0.05])
def test_the_size_holds_under_rare_losses(n, noise, share):
    """Every row loses all or next to nothing; the candidate sits exactly at its margin."""
    rng, repeats = np.random.default_rng(2), 2000
    approved = 0
    for lost in rng.binomial(n, share, repeats):
        d = rng.normal(0, noise, n) if noise else np.zeros(n)
        d[:lost] -= 1.0
        approved += bounded(d, share, 1.0).p_value <= 0.05
    assert approved / repeats <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats) + 0.015


def test_lopsided_is_one_for_a_single_row_among_equal_ones_and_small_for_normal_rows():
    single = [0.0] * 399 + [-3.0]
    assert mean.lopsided(*sums(single)) == pytest.approx(1, abs=0.01)
    assert mean.lopsided(*sums(np.random.default_rng(0).normal(size=400))) < 0.05
    assert mean.lopsided(*sums([0.25] * 400)) == 0


@pytest.mark.slow
@settings(deadline=None)
@given(samples)
def test_lopsided_is_the_skewness_over_the_root_of_the_rows(d):
    from scipy.stats import skew

    found = mean.lopsided(*sums(d))
    assert 0 <= found <= 1 + 1e-6
    if np.std(d) > 0.1:
        assert found == pytest.approx(abs(skew(d)) / math.sqrt(len(d)), abs=1e-6)
