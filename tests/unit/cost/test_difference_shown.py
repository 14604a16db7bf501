"""A difference in speed is shown only beyond what the baseline shows against itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.cost.measure import median_ratio
from prunegate.cost.measurement import Estimate95, difference_shown

pytestmark = pytest.mark.models

ratios = st.lists(st.floats(0.5, 2.0), min_size=3, max_size=3).map(
    lambda ends: Estimate95(low=min(ends), value=float(np.median(ends)), high=max(ends))
)


def turned(one: Estimate95) -> Estimate95:
    return Estimate95(value=1 / one.value, low=1 / one.high, high=1 / one.low)


@given(ratio=ratios, noise=ratios)
def test_intervals_that_overlap_show_nothing_and_sides_are_alike(
    ratio: Estimate95, noise: Estimate95
) -> None:
    found = difference_shown(ratio, noise)
    apart = ratio.high < noise.low or noise.high < ratio.low
    one_sided = ratio.high < 1 or ratio.low > 1
    assert (found is not None) <= (apart and one_sided)
    other = {"faster": "slower", "slower": "faster", None: None}[found]
    assert difference_shown(turned(ratio), turned(noise)) == other
    alone = difference_shown(ratio, None)
    assert (alone is not None) == one_sided
    assert found in (None, alone)


def test_a_difference_within_the_baselines_own_is_none() -> None:
    ratio = Estimate95(value=1 / 0.998, low=1 / 0.999, high=1 / 0.989)
    assert difference_shown(ratio, Estimate95(value=1.0, low=0.996, high=1.01)) is None
    assert difference_shown(ratio, None) == "slower"


@pytest.mark.parametrize("drift", [0.0, 0.01])
def test_equal_models_are_seldom_told_apart(drift: float) -> None:
    """Also where each slot of a round is slower than the one before, as on a warming machine."""
    rng, rounds, draws, told = np.random.default_rng(3), 20, 400, 0
    for _ in range(draws):
        before, candidate, after = (
            np.exp(place * drift + rng.normal(0, 0.02, rounds)) for place in range(3)
        )
        ratio = median_ratio([*candidate], [*((before + after) / 2)])
        told += difference_shown(ratio, median_ratio([*after], [*before])) is not None
    assert told / draws <= 0.05


def test_a_real_difference_is_told() -> None:
    ratio = Estimate95(value=0.8, low=0.79, high=0.82)
    assert difference_shown(ratio, Estimate95(value=1.0, low=0.99, high=1.01)) == "faster"
