"""Rows that are asked for of a score with a range come true: after them the limit is likely shown.

What the unseen row costs is settled by numbers of rows, not by their root; the advice is held
against the test itself, on rows that are drawn as it assumes.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from prunegate.counting.feature_sums import FeatureSums
from prunegate.evidence import further_rows
from prunegate.evidence.mean_value import MeanValue
from prunegate.evidence.root_mean import RootMean
from prunegate.metrics.hypothesis import Contrast, Difference, ErrorsAtMost

ALPHA, HELD, DRAWS = 0.05, 300, 150
CLAIM = Difference(margin=Fraction(1, 50))
Floats = NDArray[np.float64]


def errors(rng: np.random.Generator, rows: int, moves: float) -> tuple[Floats, Floats]:
    """Errors of a baseline, and of a candidate that is as good and differs by so much."""
    shared = rng.normal(0, 0.3, rows)
    return shared + rng.normal(0, moves, rows), shared + rng.normal(0, moves, rows)


def evidence(metric: str, pair: tuple[Floats, Floats], span: int) -> Any:
    before, after = (abs(one) if metric == "mae" else one**2 for one in pair)
    rows = np.stack([after - before, before, np.ones(len(before))])

    def sums(power: int) -> tuple[Fraction, ...]:
        places = combinations_with_replacement(range(3), power)
        return tuple(Fraction(float(rows[list(at)].prod(axis=0).sum())) for at in places)

    moments = FeatureSums(
        units=len(before), first=sums(1), rough=sums(1), second=sums(2), third=sums(3)
    )
    if metric == "mae":
        wide = Fraction(span)
        return MeanValue(n=len(before), moments=moments, span=wide, lower_is_better=True)
    return RootMean(n=len(before), moments=moments, span=Fraction(span) ** 2)


def advice(about: Any, claim: Contrast = CLAIM) -> further_rows.Further:
    interval = about.change_interval()
    width = interval.high - interval.low
    tested = further_rows.Tested(
        claim=claim,
        result=about.test(claim),
        width=width if np.isfinite(width) else None,
        whole=Fraction(0),
    )
    return further_rows.further(about, tested, ALPHA)


def shown(metric: str, span: int, held: Any, rows: int, moves: float) -> float:
    """How often the held rows and so many further ones show the limit."""
    rng, hits = np.random.default_rng(rows), 0
    for _ in range(DRAWS):
        more = errors(rng, rows, moves)
        both = tuple(np.concatenate(pair) for pair in zip(held, more, strict=True))
        hits += evidence(metric, both, span).test(CLAIM).p_value <= ALPHA
    return hits / DRAWS


@pytest.mark.parametrize("metric", ["mae", "rmse"])
@pytest.mark.parametrize(("span", "moves"), [(3, 0.05), (5, 0.05), (5, 0.2)])
def test_as_many_rows_as_are_asked_for_show_it_with_the_power_that_is_told(
    metric: str, span: int, moves: float
) -> None:
    held = errors(np.random.default_rng(7), HELD, moves)
    about = evidence(metric, held, span)
    assert about.test(CLAIM).p_value > ALPHA
    asked = advice(about).unchanged
    assert asked is not None
    assert shown(metric, span, held, asked, moves) >= 0.9 - 3 * (0.09 / DRAWS) ** 0.5
    assert shown(metric, span, held, asked // 3, moves) < 0.9


WIDE = Difference(margin=Fraction(1, 2))


@pytest.mark.parametrize(
    ("metric", "span", "claim"),
    [
        ("mae", 5, CLAIM),
        ("mae", 200, CLAIM),
        ("mae", 5, ErrorsAtMost(ratio=Fraction(11, 10))),
        ("rmse", 5, CLAIM),
        ("rmse", 30, WIDE),
        ("rmse", 5, ErrorsAtMost(ratio=Fraction(6, 5))),
    ],
)
def test_of_equal_models_the_rows_asked_for_are_the_least_that_show_it(
    metric: str, span: int, claim: Contrast
) -> None:
    alike, _ = errors(np.random.default_rng(7), HELD, 0.0)
    found = advice(evidence(metric, (alike, alike), span), claim)
    assert found.unchanged is not None
    for rows, holds in ((found.unchanged, True), (found.unchanged * 7 // 10, False)):
        more = np.resize(alike, HELD + rows)
        p_value = evidence(metric, (more, more), span).test(claim).p_value
        assert (p_value <= ALPHA) == holds


def going_on(about: Any, rows: int) -> Any:
    """The evidence once so many further rows came that are like those seen, without any noise."""
    moments, times = about.moments, 1 + Fraction(rows, about.n)
    scaled = {
        name: tuple(times * value for value in getattr(moments, name))
        for name in ("first", "rough", "second", "third")
    }
    return replace(about, n=about.n + rows, moments=FeatureSums(units=about.n + rows, **scaled))


@settings(max_examples=40)
@given(
    metric=st.sampled_from(["mae", "rmse"]),
    seed=st.integers(0, 99),
    moves=st.sampled_from([0.0, 0.02, 0.2]),
    span=st.integers(2, 40),
    claim=st.sampled_from([CLAIM, WIDE, ErrorsAtMost(ratio=Fraction(6, 5))]),
)
def test_advice_that_came_true_is_not_given_again(
    metric: str, seed: int, moves: float, span: int, claim: Contrast
) -> None:
    """The test itself, on as many rows as are asked for, whatever range, limit and models."""
    about = evidence(metric, errors(np.random.default_rng(seed), HELD, moves), span)
    assume(about.test(claim).p_value > ALPHA)
    found = advice(about, claim)
    assume(found.as_seen is not None and found.shows == "holds")
    assert going_on(about, found.as_seen).test(claim).p_value <= ALPHA


def test_rows_beyond_any_plan_are_not_asked_for() -> None:
    """200 of squares against 2 hundredths: only a narrower range helps."""
    held = errors(np.random.default_rng(7), HELD, 0.05)
    found = advice(evidence("rmse", held, 200))
    assert found.unchanged is None
