"""The highest value: found between the grid's points, on either of two hills, and at the ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.stats import maximize

GRID = np.linspace(0.0, 1.0, 15)
DENSE = np.linspace(0.0, 1.0, 40_001)


@given(st.floats(-0.1, 0.45), st.floats(0.55, 1.1), st.floats(0.9, 1.1), st.floats(0.08, 0.3))
def test_it_is_the_highest_of_a_dense_grid(left, right, ratio, width):
    def hills(x):
        one, other = (np.exp(-(((x - at) / width) ** 2)) for at in (left, right))
        return one + ratio * other

    assert maximize.highest(hills, GRID) == pytest.approx(hills(DENSE).max(), rel=1e-6)


@pytest.mark.parametrize("slope", [1.0, -1.0])
def test_a_slope_is_highest_at_its_end(slope):
    assert maximize.highest(lambda x: 2 + slope * x, GRID) == 2 + max(slope, 0.0)


def test_a_flat_line_is_its_own_height():
    assert maximize.highest(np.ones_like, GRID) == 1.0


def test_what_is_too_low_is_not_climbed():
    seen = []

    def low(x):
        seen.append(len(x))
        return 1e-9 * x

    assert maximize.highest(low, GRID, ignore=1e-6) == 1e-9
    assert seen == [15]
