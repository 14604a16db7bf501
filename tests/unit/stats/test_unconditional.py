"""The exact tests against a full double sum, written without any of their shortcuts."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.depth import THOROUGH, times

from prunegate.stats import normal, paired_exact, paired_ratio, unconditional
from prunegate.stats.margin_line import Boundary

ABSOLUTE = [-0.3, -0.02, 0.0, 0.01, 0.02, 0.1, 0.5]
RATIOS = [0.5, 0.9, 0.97, 1.03, 1.2, 3.0]
BOUNDARIES = [(m, 1.0) for m in ABSOLUTE] + [(1 - r, r) for r in RATIOS]


def most_likely_gains(lost, gained, n, line):
    """Constrained estimates by ternary search on the likelihood, not by the quadratic."""
    a, k = line
    low = np.full(len(lost), max(0.0, -a / k))
    high = np.full(len(lost), (1 - a) / (1 + k))

    def likelihood(q):
        total = np.zeros(len(lost))
        for count, p in ((gained, q), (lost, a + k * q), (n - lost - gained, 1 - a - k * q - q)):
            logs = np.where(p > 0, np.log(np.where(p > 0, p, 1.0)) * count, -1e300)
            total += np.where(count > 0, logs, 0.0)
        return total

    for _ in range(120):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        less = likelihood(one) < likelihood(two)
        low, high = np.where(less, one, low), np.where(less, high, two)
    return (low + high) / 2


@cache
def tables_and_scores(n, line):
    """Losses and gains of every table of n rows, and their scores: each line and n solved once."""
    a, k = line
    lost, gained = np.array([(b, c) for b in range(n + 1) for c in range(n + 1 - b)], dtype=float).T
    q = most_likely_gains(lost, gained, n, line)
    variance = n * (a + k * q + k * k * q - a * a)
    excess = a * n - lost + k * gained
    whole = np.where(np.abs(excess) < 1e-9, 0.0, np.copysign(np.inf, excess))
    plain = excess / np.sqrt(np.where(variance < 1e-9, 1.0, variance))
    return lost, gained, np.where(variance < 1e-9, whole, plain)


def brute_force(lost, gained, n, line, beta):
    """Sum the trinomial over every table, for 1,200 nuisance rates."""

    from scipy.stats import beta as beta_distribution

    a, k = line
    b, c, scores = tables_and_scores(n, line)
    (observed,) = scores[(b == lost) & (c == gained)]
    good = scores >= observed - 1e-6
    b, c = b[good], c[good]
    rest = n - b - c
    choose = np.array(
        [
            math.lgamma(n + 1) - sum(math.lgamma(x + 1) for x in row)
            for row in zip(b, c, rest, strict=True)
        ]
    )
    low = beta_distribution.ppf(beta / 2, gained, n - gained + 1) if beta and gained else 0.0
    high = (
        beta_distribution.ppf(1 - beta / 2, gained + 1, n - gained) if beta and gained < n else 1.0
    )
    end = (1 - a) / (1 + k)
    if low > end:
        return beta
    best = 0.0
    kink = min(max(low, -a / k), high)  # left of it no loss is allowed at all
    grid = np.linspace(math.sqrt(low), math.sqrt(min(high, end)), 1200)
    for q in (kink, *grid**2):
        p = max(0.0, a + k * q)
        probabilities = np.maximum([q, p, 1 - q - p], 1e-300)
        logs = choose + np.log(probabilities) @ np.array([c, b, rest])
        best = max(best, float(np.exp(logs).sum()))
    return min(1.0, best + beta)


small = (
    st.integers(1, 14)
    .flatmap(lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n)))
    .filter(lambda t: t[0] + t[1] <= t[2])
)


def agree(found, expected):
    assert found == pytest.approx(expected, rel=1e-3)


@settings(max_examples=times(10, thorough=40), deadline=None)
@given(small, st.sampled_from(BOUNDARIES), st.sampled_from([0.0, 1e-6, 1e-4]))
def test_both_tails_equal_the_double_sum(table, line, beta):
    lost, gained, n = table
    found = paired_exact.against(
        lost, gained, n, Boundary(intercept=line[0], slope=line[1]), beta=beta
    )
    agree(found.p_value, brute_force(lost, gained, n, line, beta))
    agree(found.p_harm, brute_force(gained, lost, n, (-line[0] / line[1], 1 / line[1]), beta))


@pytest.mark.slow
@pytest.mark.parametrize("line", BOUNDARIES)
@pytest.mark.parametrize("n", [25, 40])
def test_larger_tables_equal_the_double_sum(line, n):
    tables = ((0, 0), (3, 1), (1, 4), (8, 7))
    for lost, gained in tables if THOROUGH else tables[1::2] if n == 25 else tables[2:3]:
        boundary = Boundary(intercept=line[0], slope=line[1])
        found = paired_exact.against(lost, gained, n, boundary, beta=1e-6)
        agree(found.p_value, brute_force(lost, gained, n, line, 1e-6))


medium = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(81, 900))
margins = st.sampled_from([-0.05, -0.01, 0.0, 0.005, 0.02, 0.1])


@pytest.mark.slow
@settings(deadline=None)
@given(medium, margins)
def test_one_more_lost_row_never_lowers_the_p_value(table, margin):
    lost, gained, n = table
    before = paired_exact.test(lost, gained, n, margin).p_value
    after = paired_exact.test(lost + 1, gained, n, margin).p_value
    assert after >= min(before, 0.49) * (1 - 1e-4)


@pytest.mark.slow
@settings(deadline=None)
@given(medium, margins)
def test_harm_is_the_same_question_asked_the_other_way_round(table, margin):
    lost, gained, n = table
    one = paired_exact.test(lost, gained, n, margin, beta=1e-5)
    other = paired_exact.test(gained, lost, n, -margin, beta=1e-5)
    assert (one.p_value, one.p_harm) == (other.p_harm, other.p_value)


@pytest.mark.slow
@settings(deadline=None)
@given(medium, margins)
def test_a_table_never_speaks_for_both_sides(table, margin):
    found = paired_exact.test(*table, margin)
    assert found.p_value + found.p_harm >= 1 - 1e-3


@pytest.mark.parametrize(("n", "margin"), [(149, 0.02), (299, 0.01), (50, 0.05)])
def test_without_any_difference_the_p_is_that_of_seeing_none(n, margin):
    found = paired_exact.test(0, 0, n, margin, beta=0.0)
    assert found.p_value == pytest.approx((1 - margin) ** n, rel=1e-6)


@pytest.mark.parametrize("margin", [-0.3, 0.0, 0.02, 0.5])
def test_extreme_tables_give_probabilities(margin):
    for table in ((0, 0, 1), (1, 0, 1), (0, 1, 1), (0, 50, 50), (50, 0, 50), (0, 0, 50)):
        found = paired_exact.test(*table, margin)
        assert 0 < found.p_value <= 1
        assert 0 < found.p_harm <= 1


@pytest.mark.slow
@pytest.mark.parametrize("n", [240_000, 4_000_000])
@pytest.mark.parametrize("line", [(0.0, 1.0), (0.05, 1.0), (0.1, 0.9), (-0.03, 1.03)])
@pytest.mark.parametrize("z", [1.645, -1.645, -4.5])
def test_the_score_that_takes_over_is_close_to_exact(n, line, z):
    gained, size = paired_exact.ASYMPTOTIC_FROM, n
    boundary = Boundary(intercept=line[0], slope=line[1])
    low, high = 0, size - gained  # losses with about the wanted score, by bisection
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if boundary.score_of(middle, gained, size) > z else (low, middle)
    taken = paired_exact.against(max(low, gained), gained, size, boundary)
    exact_p = unconditional.unconditional_p(low, gained, size, boundary, 1e-6) - 1e-6
    exact_harm = unconditional.unconditional_p(gained, low, size, boundary.reversed, 1e-6) - 1e-6
    score_z = boundary.score_of(low, gained, size)
    assert taken.method == paired_exact.METHOD_LARGE
    assert normal.upper_tail(score_z) == pytest.approx(exact_p, abs=1e-3)
    assert normal.upper_tail(-score_z) == pytest.approx(exact_harm, rel=0.04)


def test_the_score_takes_over_no_earlier_than_it_is_right_where_every_row_differs():
    half = paired_exact.ASYMPTOTIC_FROM
    taken = paired_exact.test(half, half, 2 * half, 0.0)
    exact_p = unconditional.unconditional_p(half, half, 2 * half, Boundary(intercept=0.0), 1e-6)
    assert taken.method == paired_exact.METHOD_LARGE
    assert taken.p_value == pytest.approx(exact_p, abs=1e-3)


def test_no_rows_are_no_evidence():
    found = paired_exact.test(0, 0, 0, 0.02)
    assert (found.p_value, found.p_harm) == (1, 1)


@pytest.mark.parametrize(
    ("lost", "gained", "n", "margin", "message"),
    [
        (-1, 0, 5, 0.1, "lost is -1"),
        (3, 3, 5, 0.1, "more than n = 5"),
        (0, 0, 5, 1.0, "margin is 1.0"),
        (0, 0, 5, math.nan, "margin is nan"),
    ],
)
def test_impossible_arguments_are_refused(lost, gained, n, margin, message):
    with pytest.raises(ValueError, match=message):
        paired_exact.test(lost, gained, n, margin)


def false_approvals(n, line, alpha, rates):
    """Largest probability of approval on the boundary, by full enumeration of the test."""
    boundary = Boundary(intercept=line[0], slope=line[1])
    worst = 0.0
    limit, k = {}, -1
    for c in range(n + 1):  # from the border of one gain fewer, which is near
        while k >= 0 and unconditional.unconditional_p(k, c, n, boundary, 1e-4) > alpha:
            k -= 1
        k = min(k, n - c)
        while k < n - c and unconditional.unconditional_p(k + 1, c, n, boundary, 1e-4) <= alpha:
            k += 1
        limit[c] = k
    for q in rates:
        p = line[0] + line[1] * q
        for_rate = 0.0
        for c, k in limit.items():
            for b in range(k + 1):
                logs = (
                    math.lgamma(n + 1)
                    - math.lgamma(b + 1)
                    - math.lgamma(c + 1)
                    - math.lgamma(n - b - c + 1)
                )
                logs += sum(
                    x * math.log(y) if y > 0 else (0 if x == 0 else -1e300)
                    for x, y in ((b, p), (c, q), (n - b - c, 1 - p - q))
                )
                for_rate += math.exp(logs)
        worst = max(worst, for_rate)
    return worst


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "line"), [(30, (0.05, 1.0)), (60, (0.1, 1.0)), (40, (0.1, 0.9)), (40, (-0.1, 1.1))]
)
def test_the_size_is_at_most_alpha(n, line):
    first = max(0.0, -line[0] / line[1])
    rates = [first + step for step in (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.3)]
    assert false_approvals(n, line, 0.05, rates) <= 0.05


ratio_tables = st.tuples(*[st.integers(0, 40)] * 4)


@pytest.mark.slow
@settings(deadline=None)
@given(ratio_tables, st.sampled_from([-0.2, 0.05, 0.1, 0.5]))
def test_the_error_ratio_is_the_relative_rate_with_models_and_outcomes_swapped(table, r):
    both, lost, gained, neither = table
    # err_c <= (1 + r) err_b  is  err_b >= err_c / (1 + r): a relative drop of r / (1 + r)
    errors = paired_ratio.test_error_ratio(both, lost, gained, neither, r)
    mirrored = paired_ratio.test_relative(neither, lost, gained, both, 1 - 1 / (1 + r))
    assert errors.p_value == pytest.approx(mirrored.p_value, rel=1e-9)


@pytest.mark.slow
@settings(deadline=None)
@given(ratio_tables)
def test_a_relative_margin_of_zero_is_an_absolute_margin_of_zero(table):
    both, lost, gained, neither = table
    ratio = paired_ratio.test_relative(both, lost, gained, neither, 0.0)
    difference = paired_exact.test(lost, gained, both + lost + gained, 0.0)
    assert (ratio.p_value, ratio.p_harm) == (difference.p_value, difference.p_harm)


def test_ratios_without_informative_rows_are_no_evidence():
    perfect = paired_ratio.test_error_ratio(1000, 0, 0, 0, 0.1)
    hopeless = paired_ratio.test_relative(0, 0, 0, 1000, 0.1)
    assert (perfect.p_value, perfect.p_harm) == (1, 1)
    assert (hopeless.p_value, hopeless.p_harm) == (1, 1)


def test_new_errors_of_a_perfect_baseline_are_harm():
    found = paired_ratio.test_error_ratio(1000, 20, 0, 0, 0.1)
    assert found.p_value > 0.99
    assert found.p_harm < 1e-5


@pytest.mark.parametrize("r", [1.0, math.nan])
def test_impossible_ratios_are_refused(r):
    with pytest.raises(ValueError, match="relative margin r"):
        paired_ratio.test_relative(1, 1, 1, 1, r)
    with pytest.raises(ValueError, match="error ratio r"):
        paired_ratio.test_error_ratio(1, 1, 1, 1, -r)


@pytest.mark.parametrize("line", [(0.05, 1.0), (0.1, 0.9), (-0.2, 1.2)])
@pytest.mark.parametrize(("first", "last"), [(0, 30), (0, 4), (3, 6), (5, 5), (8, 30)])
def test_a_narrow_window_counts_in_full_what_lies_above_it(
    line: tuple[float, float], first: int, last: int
) -> None:
    """And what lies below it at its first count that admits losses, of which fewer are."""
    from scipy.stats import binom

    n, lost, gained, rate = 30, 3, 5, 0.3
    b, c, scores = tables_and_scores(n, line)
    (observed,) = scores[(b == lost) & (c == gained)]
    kept = np.arange(first, last + 1)
    admitted = np.array(
        [max(b[(c == one) & (scores >= observed - 1e-6)], default=-1) for one in kept]
    )
    losing = (line[0] + line[1] * rate) / (1 - rate)
    inside = binom.cdf(admitted, n - kept, losing)  # of -1 it is 0
    wanted = (binom.pmf(kept, n, rate) * inside).sum() + binom.sf(last, n, rate)
    wanted += binom.cdf(first - 1, n, rate) * inside[np.argmax(admitted >= 0)]
    boundary = Boundary(intercept=line[0], slope=line[1])
    stairs = unconditional._staircase(lost, gained, n, boundary, kept)
    assert stairs.tail(np.array([rate]))[0] == pytest.approx(min(wanted, 1), rel=1e-9)
