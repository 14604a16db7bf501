"""Sign flips: each way of flipping has the distribution it claims, and p counts the data too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.stats.sign_flips import (
    NormalFlips,
    UnitFlips,
    WholeFlips,
    guarded_p,
    largest_of_flips,
)


@pytest.mark.parametrize("moved", [0, 1, 2, 7, 63, 64, 65, 1000])
def test_whole_flips_are_twice_a_binomial_less_its_count(moved: int) -> None:
    from scipy import stats

    source = WholeFlips(moved=np.array([moved, moved]))
    drawn = source.draw(np.random.default_rng(5), 4000)
    heads = (drawn + moved) / 2
    assert drawn.shape == (2, 4000)
    assert (heads == heads.round()).all()
    assert ((heads >= 0) & (heads <= moved)).all()
    if moved:
        cuts = np.unique(stats.binom.ppf(np.linspace(0.1, 0.9, 9), moved, 0.5))
        edges = np.concatenate([[-1], cuts, [moved]])
        expected = np.diff(stats.binom.cdf(edges, moved, 0.5)) * drawn.size
        observed = np.histogram(heads, np.append(edges[:-1] + 0.5, moved + 0.5))[0]
        keep = expected > 0
        # Seeded: one draw, far from the edge of a chi-squared test at 1 in 1,000.
        assert stats.chisquare(observed[keep], expected[keep]).pvalue > 0.001


def _sources() -> list[WholeFlips | UnitFlips | NormalFlips]:
    from scipy.sparse import csr_array

    moved = np.array([3, 40, 0, 200, 1])
    cells = np.repeat(np.arange(5), moved)
    changes = csr_array((np.ones(len(cells)), (cells, np.arange(len(cells)))), shape=(5, 244))
    return [
        WholeFlips(moved=moved),
        UnitFlips(changes=changes),
        NormalFlips(squares=moved.astype(float)),
    ]


def test_the_three_ways_have_one_covariance() -> None:
    from scipy.sparse import csr_array

    members = csr_array(np.array([[1.0, 1, 0, 0, 0], [0, 1, 1, 1, 1]]))
    weights = np.array([0.5, -1, 2, 0.25, 1])
    exact = [3 + 40, 40 + 0 + 200 + 1]
    for source in _sources():
        assert source.variances(members).tolist() == exact
        assert source.times(weights).tolist() == [1.5, -40, 0, 50, 1]
        drawn = source.draw(np.random.default_rng(1), 20_000)
        # The standard error of a variance over 20,000 draws is 1 %; five of them are allowed.
        assert np.var(members @ drawn, axis=1) == pytest.approx(exact, rel=0.05)


def test_rows_flipped_one_by_one_or_by_count_give_one_null() -> None:
    from scipy.sparse import csr_array

    members = csr_array(np.array([[1.0, 1, 0, 0, 0], [0, 1, 1, 1, 1], [0, 0, 0, 1, 1]]))
    spreads = np.sqrt(members @ np.array([3, 40, 0, 200, 1.0]))
    ninety = [
        np.quantile(largest_of_flips(members, spreads, source, flips=20_000, seed=2), 0.95)
        for source in _sources()
    ]
    # The largest of few z is discrete; its quantile over 20,000 flips is good to about 0.05.
    assert max(ninety) - min(ninety) < 0.1


def test_a_group_flips_as_one() -> None:
    from scipy.sparse import csr_array

    both = UnitFlips(changes=csr_array(np.array([[2.0, 0], [3, 0], [0, 1]])))
    drawn = both.draw(np.random.default_rng(0), 50)
    assert (drawn[0] * 3 == drawn[1] * 2).all()
    assert set(np.unique(drawn[0])) == {-2.0, 2.0}
    assert both.variances(csr_array(np.array([[1.0, 1, 1]]))).tolist() == [25 + 1]
    assert both.times(np.ones(3)).tolist() == [10, 15, 1]


def test_flips_do_not_hang_on_how_many_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy import stats
    from scipy.sparse import csr_array

    source = _sources()[0]
    members = csr_array(np.eye(5)[[1, 3]])
    arguments = (members, np.sqrt([40.0, 200.0]), source)
    whole = largest_of_flips(*arguments, flips=500, seed=1)
    assert (np.diff(whole) >= 0).all()
    assert whole.tolist() == largest_of_flips(*arguments, flips=500, seed=1).tolist()
    monkeypatch.setattr("prunegate.stats.sign_flips._NUMBERS_AT_ONCE", 35)
    parts = largest_of_flips(*arguments, flips=500, seed=1)
    assert len(parts) == 500
    assert stats.ks_2samp(whole, parts).pvalue > 0.001


def test_some_of_the_cells_are_the_same_cells() -> None:
    some = np.array([1, 3])
    for source in _sources():
        assert source.among(some).times(np.ones(2)).tolist() == [40, 200]


@given(
    largest=st.lists(st.floats(-5, 5), min_size=1, max_size=40),
    z=st.lists(st.floats(-6, 6), min_size=1, max_size=5),
)
def test_guarded_p_counts_flips_at_least_as_large_and_the_data(
    largest: list[float], z: list[float]
) -> None:
    found = guarded_p(np.sort(np.array(largest)), np.array(z))
    for p, value in zip(found, z, strict=True):
        at_least = sum(one >= value - 1e-9 * abs(value) for one in largest)
        assert p == pytest.approx((1 + at_least) / (1 + len(largest)))
        assert 0 < p <= 1
