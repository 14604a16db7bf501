"""Laws of the signed distance functions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.demo.shapes import SAFE, UNSAFE, box, circle, star

SHAPES = UNSAFE | SAFE
coordinate = st.floats(-3, 3, width=32)


def grid(reach: float, points: int = 121):
    v, u = np.mgrid[-reach : reach : points * 1j, -reach : reach : points * 1j]
    return u.astype(np.float32), v.astype(np.float32)


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_float32_and_fits_the_unit_square(name):
    u, v = grid(1.5)
    distance = SHAPES[name](u, v)
    assert distance.dtype == np.float32
    inside = distance < 0
    assert np.abs(u[inside]).max() <= 1.02
    assert np.abs(v[inside]).max() <= 1.02
    assert 0.08 < inside.mean() * 1.5**2 < 0.7  # neither a speck nor the whole square


@pytest.mark.parametrize("name", SHAPES)
def test_a_distance_never_grows_faster_than_the_step(name):
    u, v = grid(1.5)
    distance = SHAPES[name](u, v)
    step = float(u[0, 1] - u[0, 0])
    limit = step * (1.05 if name == "pistol" else 1.0) + 1e-4  # the sheared grip stretches a little
    assert np.abs(np.diff(distance, axis=1)).max() <= limit
    assert np.abs(np.diff(distance, axis=0)).max() <= limit


def test_no_two_shapes_cover_the_same_pixels():
    u, v = grid(1.0, 64)
    covers = {name: shape(u, v) < 0 for name, shape in SHAPES.items()}
    for one, other in combinations(covers.values(), 2):
        assert (one & other).sum() / (one | other).sum() < 0.7


@given(u=coordinate, v=coordinate)
def test_circle_and_box_agree_with_the_textbook(u, v):
    at = np.array([u], np.float32), np.array([v], np.float32)
    assert circle(*at, 0.5)[0] == pytest.approx(np.sqrt(u * u + v * v) - 0.5, abs=1e-5)
    across, down = abs(u) - 0.6, abs(v) - 0.3
    outside = np.sqrt(max(across, 0) ** 2 + max(down, 0) ** 2)
    expected = outside if outside > 0 else max(across, down)
    assert box(*at, (0.6, 0.3))[0] == pytest.approx(expected, abs=1e-5)


def test_the_star_has_five_equal_points():
    turns = np.linspace(0, 2 * np.pi, 5, endpoint=False)
    tips = np.sin(turns).astype(np.float32), -np.cos(turns).astype(np.float32)
    assert star(*tips) == pytest.approx(np.zeros(5), abs=1e-5)
    dents = np.sin(turns + np.pi / 5), -np.cos(turns + np.pi / 5)
    assert star(*(0.45 * each.astype(np.float32) for each in dents)) == pytest.approx(
        np.zeros(5), abs=1e-5
    )
