"""Coefficients of all classes: bounded, perfect where all is right, and their slope is a slope."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from prunegate.stats.class_coefficients import COEFFICIENTS

STEP = 1e-6
TABLES = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.integers(0, 30), min_size=k * k, max_size=k * k).map(
        lambda counts: np.array(counts, dtype=float).reshape(k, k)
    )
)


def coefficient(kind: str, shares: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Of a table of shares by label (rows) and decision (columns)."""
    return COEFFICIENTS[kind](float(np.trace(shares)), shares.sum(axis=1), shares.sum(axis=0))


@pytest.mark.parametrize("kind", COEFFICIENTS)
@given(counts=TABLES)
def test_a_row_more_moves_the_value_by_its_slope(kind: str, counts: NDArray[np.float64]) -> None:
    assume(((counts.sum(axis=0) > 0).sum() > 1) and ((counts.sum(axis=1) > 0).sum() > 1))
    shares = counts / counts.sum()
    value, slope = coefficient(kind, shares)
    assert -1 - 1e-12 <= value <= 1 + 1e-12
    centred = slope - (shares * slope).sum()
    for cell in np.ndindex(counts.shape):
        moved = (1 - STEP) * shares
        moved[cell] += STEP
        after, _ = coefficient(kind, moved)
        assert math.isclose((after - value) / STEP, centred[cell], rel_tol=1e-3, abs_tol=1e-3)


@pytest.mark.parametrize("kind", COEFFICIENTS)
def test_all_right_is_perfect_and_one_class_alone_has_no_value(kind: str) -> None:
    assert coefficient(kind, np.diag([0.2, 0.3, 0.5]))[0] == pytest.approx(1, abs=1e-12)
    value, slope = coefficient(kind, np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert math.isnan(value)
    assert slope.shape == (2, 2)
