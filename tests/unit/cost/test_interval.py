"""The interval of a median ratio: exact ranks, and the coverage that it promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from prunegate.cost.measure import _rank, median_ratio
from prunegate.errors import MeasurementError

pytestmark = pytest.mark.models

times = st.lists(st.floats(1e-6, 1e3), min_size=6, max_size=30)


@pytest.mark.slow
@pytest.mark.parametrize("rounds", range(6, 200))
def test_the_rank_is_the_largest_that_covers(rounds: int) -> None:
    rank = _rank(rounds)
    assert (
        2 * stats.binom.cdf(rank - 1, rounds, 0.5) <= 0.05 < 2 * stats.binom.cdf(rank, rounds, 0.5)
    )


@pytest.mark.parametrize(("rounds", "rank"), [(6, 1), (8, 1), (9, 2), (12, 3), (20, 6), (40, 14)])
def test_published_ranks(rounds: int, rank: int) -> None:
    """Sign-test table, two-sided 5 %: the critical value is one less than the rank."""
    assert _rank(rounds) == rank


@given(values=times)
def test_it_encloses_the_median_and_scales(values: list[float]) -> None:
    ones = [1.0] * len(values)
    found = median_ratio(values, ones)
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(float(np.median(values)), rel=1e-5)
    assert median_ratio(values, values).value == 1.0
    inverse = median_ratio(ones, values)
    assert inverse.low == pytest.approx(1 / found.high, rel=1e-5)
    assert inverse.high == pytest.approx(1 / found.low, rel=1e-5)


@pytest.mark.parametrize("rounds", [6, 9, 20])
def test_it_covers_the_median_of_heavy_tails(rounds: int) -> None:
    generator = np.random.default_rng(rounds)
    ones, hits = [1.0] * rounds, 0
    for _ in range(2000):
        found = median_ratio(np.exp(generator.standard_cauchy(rounds).clip(-300, 300)), ones)
        hits += found.low <= 1 <= found.high
    assert hits / 2000 >= 0.94


@pytest.mark.parametrize("numerators", [[1.0] * 5, [1.0] * 5 + [0.0], [1.0] * 5 + [float("nan")]])
def test_too_little_is_no_evidence(numerators: list[float]) -> None:
    with pytest.raises(MeasurementError):
        median_ratio(numerators, [1.0] * len(numerators))
