"""The posterior of weighted cells: Clopper and Pearson, its size by enumeration, its laws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from prunegate.stats import clopper_pearson, weighted
from prunegate.stats.weighted import WeightedCells, WeightedContrast, interval

pytestmark = pytest.mark.slow

ALPHA = 0.05


def level(
    totals: list[float], squares: list[float], limit: float, heaviest: float
) -> WeightedContrast:
    """Is the share of the first cell at least a limit?"""
    return WeightedContrast(
        cells=WeightedCells(
            units=[t * t / p if p else 0.0 for t, p in zip(totals, squares, strict=True)],
            weight=[p / t if t else 0.0 for t, p in zip(totals, squares, strict=True)],
            heaviest=heaviest,
        ),
        scores=lambda _: [1 - limit, -limit],
    )


@pytest.mark.parametrize(
    ("right", "rows", "limit"),
    [
        (149, 149, 0.98),
        (95, 100, 0.9),
        (290, 300, 0.95),
        (18, 20, 0.7),
        (0, 30, 0.1),
        (60, 100, 0.6),
    ],
)
@pytest.mark.parametrize("weight", [1.0, 0.01, 250.0])
def test_of_equal_weights_it_is_clopper_and_pearson(
    right: int, rows: int, limit: float, weight: float
) -> None:
    counts = [right, rows - right]
    contrast = level([weight * n for n in counts], [weight**2 * n for n in counts], limit, weight)
    found, exact = contrast.test(), clopper_pearson.test_at_least(right, rows, limit)
    assert found.p_value == pytest.approx(exact.p_value, rel=0.02)
    assert found.p_harm == pytest.approx(exact.p_harm, rel=0.02)
    turned = contrast.test(at_least=False)
    assert (turned.p_value, turned.p_harm) == (found.p_harm, found.p_value)


@pytest.mark.parametrize(("ratio", "heavy", "light"), [(5, 50, 150), (100, 40, 160)])
def test_no_more_than_alpha_is_approved_at_the_margin(ratio: int, heavy: int, light: int) -> None:
    """Enumerated: losses in both strata, all in the heavy one, or in between."""
    total = heavy * ratio + light
    errors = [(a, b) for a, b in product(range(41), range(21)) if a <= heavy and b <= light]
    for margin in (0.02, 0.1):
        passing = []
        for a, b in errors:
            lost, square = a * ratio + b, a * ratio**2 + b
            contrast = level(
                [total - lost, lost],
                [heavy * ratio**2 + light - square, square],
                1 - margin,
                ratio,
            )
            if contrast.p_value <= ALPHA:
                passing.append((a, b))
        for share in (1.0, 0.8, 0.0):
            p = share * margin * total / (heavy * ratio), (1 - share) * margin * total / light
            if max(p) >= 1 or not passing:
                continue
            a, b = np.array(passing).T
            size = (binom.pmf(a, heavy, p[0]) * binom.pmf(b, light, p[1])).sum()
            assert size <= ALPHA


def test_an_unseen_heavy_loss_is_reckoned_with() -> None:
    """Without any loss it takes as many rows of the heaviest weight as of equal ones."""
    all_right = level([149 * 20.0, 0.0], [149 * 400.0, 0.0], 0.98, 20.0).p_value
    assert all_right == pytest.approx(0.98**149, rel=0.03)
    one_light = level([149 * 20.0 + 1, 0.0], [149 * 400.0 + 1, 0.0], 0.98, 20.0).p_value
    assert one_light <= all_right
    heavier = level([149 * 20.0, 0.0], [149 * 400.0, 0.0], 0.98, 40.0).p_value
    assert heavier > all_right


def test_scores_of_one_sign_decide_without_a_tail() -> None:
    cells = WeightedCells(units=[10.0], weight=[1.0], heaviest=1.0)
    assert WeightedContrast(cells=cells, scores=lambda _: [0.5]).test().p_value == 0
    assert WeightedContrast(cells=cells, scores=lambda _: [-0.5]).test().p_value == 1


def test_the_interval_ends_where_the_tails_do() -> None:
    def at(value: float) -> WeightedContrast:
        return level([900.0, 40.0], [3000.0, 200.0], value, 9.0)

    found = interval(at, (0.0, 1.0), 900 / 940)
    assert at(found.low).p_value == pytest.approx(0.025, rel=0.01)
    assert at(found.high).p_harm == pytest.approx(0.025, rel=0.01)


def f1_change(limit: float) -> Callable[[Sequence[float]], list[float]]:
    """Scores of "F1 rises by a limit", of the cells (label, baseline, candidate) in order."""

    def scores(masses: Sequence[float]) -> list[float]:
        total, change = [0.0] * 8, -limit
        for place, sign in ((1, 1.0), (2, -1.0)):  # of the candidate, then of the baseline
            kinds = [(cell >> 2 & 1, cell // place & 1) for cell in range(8)]
            counted = sum(m * (y + d) for m, (y, d) in zip(masses, kinds, strict=True)) or 1.0
            right = sum(m for m, kind in zip(masses, kinds, strict=True) if kind == (1, 1))
            value = 2 * right / counted
            change += sign * value
            for cell, (y, d) in enumerate(kinds):
                total[cell] += sign * (2 * (y and d) - value * (y + d)) / counted
        return [one + change / sum(masses) for one in total]

    return scores


def test_contrasts_that_bend_are_mostly_followed_without_a_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The damped steps lead to the point themselves; the search far away is for the few others."""
    searched: list[float] = []
    monkeypatch.setattr(weighted, "_far_tail", lambda *_: searched.append(1.0) or 1.0)
    rng = np.random.default_rng(0)
    for limit in np.tile([-0.3, -0.02, 0.05], 12):
        weights = rng.choice([1.0, 50.0, 0.02], 8) * rng.uniform(0.1, 3, 8)
        cells = WeightedCells(
            units=[*rng.uniform(0.5, 30, 8)], weight=[*weights], heaviest=max(weights)
        )
        WeightedContrast(cells=cells, scores=f1_change(float(limit))).test()
    assert len(searched) <= 8  # of 72
