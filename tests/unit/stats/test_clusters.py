"""Grouped rows: single rows are no groups, whole groups count once, and the size is held."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.depth import times

from prunegate.stats import clusters, paired_exact, tango
from prunegate.stats.clusters import Grouped, Roles

RECALL = Roles(base=(4, 5, 6, 7), lost=(6,), gained=(5,))


def grouped(per_group):
    x = np.asarray(per_group, dtype=float)
    differs = x[:, list(RECALL.lost + RECALL.gained)].sum(1) > 0
    present = x[:, list(RECALL.base)].sum(1) > 0
    return Grouped(
        totals=x.sum(0).tolist(),
        cross=(x.T @ x).tolist(),
        discordant_groups=int(differs.sum()),
        groups=int(present.sum()),
    )


def rows(lost, gained, same, size=1):
    table = np.zeros((lost + gained + same, 8))
    table[:lost, 6] = size
    table[lost : lost + gained, 5] = size
    table[lost + gained :, 7] = size
    return table


def test_groups_of_one_row_have_no_design_effect():
    data = grouped(rows(15, 12, 500))
    assert clusters.design_effect(data, RECALL) == pytest.approx(1, abs=0.01)


def test_groups_that_decide_as_one_count_once():
    data = grouped(rows(15, 12, 500, size=8))
    assert clusters.design_effect(data, RECALL) == pytest.approx(8, rel=0.01)
    found = clusters.interval(data, RECALL, 0.95)
    single = tango.interval(15, 12, 527)
    assert found.low == pytest.approx(single.low, abs=0.002)


def test_few_differing_groups_are_taken_to_be_single_rows():
    data = grouped(rows(3, 2, 100, size=6))
    assert clusters.design_effect(data, RECALL) == pytest.approx(6)


def test_identical_models_need_as_many_groups_as_single_rows():
    data = grouped(rows(0, 0, 160, size=5))
    found = clusters.test(data, RECALL, 0.02)
    assert found.p_value == paired_exact.test(0, 0, 160, 0.02).p_value
    assert found.p_harm == 1
    assert clusters.interval(data, RECALL).low == pytest.approx(tango.interval(0, 0, 160).low)


@pytest.mark.parametrize("size", [1, 4])
def test_few_differing_groups_are_as_many_rows_as_there_are_groups(size):
    data = grouped(rows(3, 5, 400, size=size))
    found, single = clusters.test(data, RECALL, 0.02), paired_exact.test(3, 5, 408, 0.02)
    assert (found.p_value, found.p_harm) == (single.p_value, single.p_harm)
    shown, alone = clusters.interval(data, RECALL), tango.interval(3, 5, 408)
    assert (shown.low, shown.high) == pytest.approx((alone.low, alone.high))


def test_pairs_beside_single_rows_cost_little():
    """Nearly single rows are judged nearly as single ones, however many differ."""
    singles = rows(20, 12, 968)
    pairs = np.concatenate([singles[:, :], rows(0, 0, 100, size=2)])
    found = clusters.test(grouped(pairs), RECALL, 0.02)
    alone = paired_exact.test(20, 12, 1200, 0.02)
    assert alone.p_value < found.p_value < 3 * alone.p_value


def test_more_correlated_groups_are_weaker_evidence():
    spread = grouped(rows(40, 40, 2000))
    clumped = grouped(np.concatenate([rows(10, 10, 0, size=4), rows(0, 0, 500, size=4)]))
    assert (
        clusters.test(spread, RECALL, 0.02).p_value < clusters.test(clumped, RECALL, 0.02).p_value
    )


@pytest.mark.slow
@pytest.mark.parametrize("count", [60, 150])
def test_the_size_is_about_alpha(count):
    rng = np.random.default_rng(5)
    approved, repeats = 0, times(600, thorough=1500)
    for _ in range(repeats):
        sizes = rng.integers(1, 12, count)
        lost = rng.beta(0.09, 0.91, count)  # mean .09, groups decide much alike
        gained = rng.beta(0.04, 0.96, count) * (1 - lost)
        share = 0.04 * 0.91
        table = np.zeros((count, 8))
        drawn = rng.multinomial(sizes, np.stack([lost, gained, 1 - lost - gained], axis=1))
        table[:, 6], table[:, 5], table[:, 7] = drawn.T
        approved += clusters.test(grouped(table), RECALL, 0.09 - share).p_value <= 0.05
    assert approved / repeats <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repeats) + 0.008


def test_sums_that_do_not_fit_are_refused():
    good = grouped(rows(1, 1, 10))
    with pytest.raises(ValueError, match="as many rows and columns"):
        clusters.test(
            Grouped(totals=[1], cross=good.cross, discordant_groups=1, groups=2), RECALL, 0.1
        )
    with pytest.raises(ValueError, match="no row in the base"):
        clusters.test(grouped(np.eye(8)[:1]), RECALL, 0.1)
    with pytest.raises(ValueError, match="count each group once"):
        clusters.test(
            Grouped(totals=good.totals, cross=good.cross, discordant_groups=3, groups=2),
            RECALL,
            0.1,
        )


def test_equally_large_groups_count_as_many_as_they_are():
    data = grouped(rows(15, 12, 500, size=8))
    assert data.evened(RECALL.base) == data


def test_groups_beside_one_that_holds_half_of_the_rows_are_worth_few():
    table = rows(15, 12, 500)
    table[-1, 7] = 526
    data = grouped(table).evened(RECALL.base)
    assert data.groups == 3  # (526 + 526)^2 / (526 + 526^2) = 3.99
    assert data.discordant_groups == 0


def uneven(rng, lost, n=1000):
    """Groups that decide as one, most of a single row and a few of up to 200."""
    sizes = (1 + rng.pareto(1.2, size=n)).clip(max=200).astype(int)
    sizes = np.diff(sizes.cumsum().clip(max=n), prepend=0)
    sizes = sizes[sizes > 0]
    table = np.zeros((sizes.size, 8))
    table[np.arange(sizes.size), np.where(rng.random(sizes.size) < lost, 6, 7)] = sizes
    return grouped(table)


@pytest.mark.slow
def test_a_few_huge_groups_do_not_make_the_test_liberal():
    rng = np.random.default_rng(4)
    drawn = [uneven(rng, 0.1) for _ in range(times(300, thorough=600))]
    naive = [
        paired_exact.test(int(one.totals[6]), int(one.totals[5]), int(sum(one.totals)), 0.1)
        for one in drawn
    ]
    assert np.mean([found.p_value <= 0.05 for found in naive]) > 0.1  # rows taken as independent
    for evened in (drawn, [one.evened(RECALL.base) for one in drawn]):
        assert np.mean([clusters.test(one, RECALL, 0.1).p_value <= 0.05 for one in evened]) <= 0.05
