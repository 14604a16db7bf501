"""What units say of how sure a value that they pull on is."""

from __future__ import annotations

import math

import pytest

from prunegate.stats.pulled import Pulled


def pulled(units: int, weighing: tuple[float, ...]) -> Pulled:
    return Pulled(
        units=units, sums=(6.0, 14.0, 36.0), weight=2.0, own=1.0, weighing=weighing, falls=(0.5,)
    )


@pytest.mark.parametrize(("units", "weighing"), [(1, (3.0,)), (3, (1.0, 3.0)), (3, (0.5, 9.0))])
def test_one_unit_of_a_kind_tells_nothing_of_scatter(
    units: int, weighing: tuple[float, ...]
) -> None:
    assert pulled(units, weighing).error == 0.0


def test_a_sample_of_three_units_scatters_as_the_textbook_says_and_wider_for_the_rarest() -> None:
    """1, 2 and 3: the standard error of their sum over the weight, times sqrt(k / (k - 1))."""
    found = pulled(3, (3.0,))
    assert found.value == 2.5
    assert found.freedom == 2.0
    assert math.isclose(found.error, math.sqrt(3) * 1.0 / 2.0 * math.sqrt(3 / 2))
