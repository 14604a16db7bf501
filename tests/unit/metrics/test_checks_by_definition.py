"""Checks and what they claim against their definitions, on exact values."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from prunegate.metrics.checks import CHECKS, ChangeCheck
from prunegate.metrics.hypothesis import (
    Difference,
    ErrorsAtMost,
    Hypothesis,
    Level,
    SuccessRatio,
    holds,
)
from prunegate.metrics.metric import Better


@pytest.mark.parametrize("check", [c for c in CHECKS.values() if isinstance(c, ChangeCheck)])
def test_a_movement_is_an_improvement_where_it_goes_towards_the_better(check: ChangeCheck) -> None:
    ways: tuple[tuple[Better, int], ...] = (("higher", 1), ("lower", -1))
    for better, up in ways:
        towards = check.sign(better) == up
        assert check.improves(better) == (check.loss and towards)
        assert towards or check.loss, "a gain goes nowhere else"
    assert check.loss == (check.name in ("max_drop", "max_rise"))
    assert check.at_most == check.name.startswith("max_")


HALF, MOST = Fraction(1, 2), Fraction(9, 10)


@pytest.mark.parametrize(
    ("claim", "candidate", "told"),
    [
        (ErrorsAtMost(ratio=Fraction(3, 2)), Fraction(85, 100), True),  # 15 errors for 10
        (ErrorsAtMost(ratio=Fraction(3, 2)), Fraction(8, 10), False),
        (SuccessRatio(ratio=MOST), Fraction(81, 100), True),
        (SuccessRatio(ratio=MOST), Fraction(80, 100), False),
        (Difference(margin=Fraction(1, 10)), Fraction(8, 10), True),
        (Difference(margin=Fraction(1, 10)), Fraction(79, 100), False),
        (Level(limit=HALF, at_least=True), HALF, True),
        (Level(limit=HALF, at_least=False), MOST, False),
    ],
)
def test_a_claim_on_exact_values_holds_up_to_its_limit(
    claim: Hypothesis, candidate: Fraction, told: bool
) -> None:
    assert holds(claim, MOST, candidate) is told
    if not isinstance(claim, Level):
        assert holds(claim, None, candidate) is None
        assert holds(replace(claim, swapped=True), candidate, MOST) is told
    if isinstance(claim, ErrorsAtMost):
        assert holds(claim, Fraction(1), candidate) is None, "no errors to grow from"
