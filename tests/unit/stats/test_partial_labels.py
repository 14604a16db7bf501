"""Where labels are partial: limits of a finite number, and the largest p over unknown numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from prunegate.stats import finite_sample, paired_exact, unknown_rows
from prunegate.stats.unknown_rows import PossibleRows


@given(st.data())
def test_the_lower_limit_is_the_first_number_that_the_sample_does_not_refute(data):
    rows = data.draw(st.integers(1, 80))
    sample = data.draw(st.integers(0, rows))
    found = data.draw(st.integers(0, sample))
    low = finite_sample.count_at_least(found, sample, rows, 0.01)
    possible = range(found, rows - (sample - found) + 1)
    kept = [k for k in possible if hypergeom.sf(found - 1, rows, k, sample) > 0.01]
    assert low == kept[0]
    assert finite_sample.count_at_most(sample - found, sample, rows, 0.01) == rows - low


def test_the_lower_limit_says_too_much_no_oftener_than_promised():
    rows, sample, level = 200, 40, 0.002
    for truth in range(0, rows + 1, 20):
        wrong = sum(
            hypergeom.pmf(x, rows, truth, sample)
            for x in range(max(0, sample - rows + truth), min(sample, truth) + 1)
            if finite_sample.count_at_least(x, sample, rows, level) > truth
        )
        assert wrong <= level


@pytest.mark.parametrize(
    ("lost", "gained", "low", "margin"),
    [
        (0, 0, 140, 0.02),
        (3, 2, 180, 0.02),
        (9, 5, 220, 0.05),
        (1, 6, 60, 0.1),
        (12, 12, 90, 0.01),
        (3, 3, 103, 0.02),
        (5, 5, 75, 0.02),
    ],
)
def test_the_largest_p_is_that_of_looking_at_every_number(lost, gained, low, margin):
    high = low + 25
    every = [paired_exact.test(lost, gained, n, margin) for n in range(low, high + 1)]
    found = unknown_rows.test_unknown(
        lost, gained, PossibleRows(fewest=low, most=high, likely=low), margin
    )
    for name in ("p_value", "p_harm"):
        largest = max(getattr(one, name) for one in every)
        if largest >= unknown_rows.NO_EVIDENCE:
            largest = 1.0
        assert largest - 1e-12 <= getattr(found, name) <= largest + max(1e-4, largest / 100)


def test_one_possible_number_is_the_exact_test():
    exact = paired_exact.test(4, 3, 300, 0.02)
    one = PossibleRows(fewest=300, most=300, likely=300)
    found = unknown_rows.test_unknown(4, 3, one, 0.02)
    assert found.p_value == exact.p_value
    assert found.p_harm == (1.0 if exact.p_harm >= unknown_rows.NO_EVIDENCE else exact.p_harm)


def test_the_chance_of_a_wrong_bound_is_added():
    rows = PossibleRows(fewest=20, most=900, likely=300)
    sure = unknown_rows.test_unknown(2, 2, rows, 0.02)
    doubted = unknown_rows.test_unknown(
        2, 2, PossibleRows(fewest=20, most=900, likely=300, level=0.002), 0.02
    )
    assert doubted.p_value == pytest.approx(sure.p_value + 0.002)
    assert doubted.p_harm == sure.p_harm
