"""A costly function is looked at where its secant points, not too near and not too far."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from prunegate.stats.roots import first_crossing


def strides(f: Callable[[float], float], end: float, stride: float) -> tuple[list[float], float]:
    """How far apart the values are that are looked at up to the crossing; and where that is."""
    seen = [0.0]

    def looked_at(x: float) -> float:
        seen.append(x)
        return f(x)

    found = first_crossing(looked_at, (0.0, f(0.0)), end, stride)
    past = next((place for place, x in enumerate(seen) if f(x) <= 0), len(seen))
    return [b - a for a, b in pairwise(seen[: past + 1])], found


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("f", "ratios"),
    [
        (lambda _: 1.0, [8, 8, 8]),
        (lambda x: 1 + abs(x), [8, 8, 8]),
        (lambda x: math.exp(-50 * abs(x)), [0.1, 0.1]),
        (lambda x: 1e9 - abs(x), [8, 8, 8]),
        (lambda x: 3.0 - abs(x), [1.1 * 2]),
        (lambda x: math.exp(-abs(x)), [1.1 / (math.e - 1)]),
    ],
    ids=["flat", "rising", "steep", "far", "near", "bent"],
)
def test_a_stride_goes_past_the_secants_zero_by_a_tenth_of_to_eight_times_the_last(
    f: Callable[[float], float], ratios: list[float], side: int
) -> None:
    taken, _ = strides(f, side * 1e6, 1.0)
    assert taken[0] == side
    found = [b / a for a, b in pairwise(taken)]
    assert found[: len(ratios)] == pytest.approx(ratios)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("zero", [0.3, 2.5, 40.0, 999.0])
def test_the_crossing_is_found_wherever_it_is(zero: float, side: int) -> None:
    falling: list[Callable[[float], float]] = [
        lambda x: zero - abs(x),
        lambda x: zero**3 - abs(x) ** 3,
    ]
    for f in falling:
        taken, found = strides(f, side * 1000.0, 1.0)
        assert abs(f(found)) <= 1e-4
        assert len(taken) < 20
    _, found = strides(lambda _: 1.0, side * zero, 1.0)
    assert found == side * zero
