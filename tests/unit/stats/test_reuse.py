"""Alpha over attempts: what each may spend, and what all of them add up to."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.stats.reuse import level_of_attempt, of_all, rows_ratio

ALPHAS = st.floats(0.001, 0.4)


@given(ALPHAS, st.integers(1, 3000))
def test_no_number_of_attempts_spends_more_than_the_bound(alpha: float, attempts: int) -> None:
    for reuse in ("ledger", "strict"):
        total = math.fsum(level_of_attempt(reuse, alpha, k) for k in range(1, attempts + 1))
        bound = of_all(reuse, alpha)
        assert bound is not None
        assert total <= bound * (1 + 1e-12)


def test_the_bound_is_reached_in_the_end() -> None:
    total = math.fsum(level_of_attempt("ledger", 0.05, k) for k in range(1, 100_000))
    assert total == pytest.approx(of_all("ledger", 0.05), rel=1e-4)
    assert of_all("ledger", 0.05) == pytest.approx(1.392 * 0.05, rel=1e-3)  # STATISTICS: 1.39 alpha


@given(ALPHAS, st.integers(1, 10**9))
def test_the_first_costs_nothing_and_no_later_one_costs_less_than_strict(
    alpha: float, number: int
) -> None:
    assert level_of_attempt("ledger", alpha, 1) == alpha
    assert level_of_attempt("none", alpha, number) == alpha
    assert (
        level_of_attempt("strict", alpha, number)
        <= level_of_attempt("ledger", alpha, number)
        <= alpha
    )
    assert of_all("none", alpha) is None
    if number > 1:
        assert level_of_attempt("ledger", alpha, number) == level_of_attempt(
            "strict", alpha, number
        )


def test_attempts_are_numbered_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        level_of_attempt("ledger", 0.05, 0)


def test_rows_against_the_planning_formula() -> None:
    # n ~ (z_alpha + z_power)^2, z from tables: 1.6449, 2.4273 (0.0076), 1.2816
    expected = ((2.4273 + 1.2816) / (1.6449 + 1.2816)) ** 2
    assert rows_ratio(0.05, 0.0076, 0.9) == pytest.approx(expected, rel=1e-3)
    assert rows_ratio(0.05, 0.05, 0.9) == pytest.approx(1)
    assert rows_ratio(0.05, 0.0, 0.9) is None
