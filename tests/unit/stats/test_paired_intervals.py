"""Tango's and Newcombe's intervals: symmetric, closed, and consistent with their statistics."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles import newcombe

from prunegate.stats import normal, tango

tables = st.tuples(*[st.integers(0, 60)] * 4).filter(lambda table: sum(table) > 0)


@settings(deadline=None)
@given(tables)
def test_swapping_the_models_mirrors_the_interval(table):
    a, b, c, d = table
    n = sum(table)
    one, other = tango.interval(c, b, n), tango.interval(b, c, n)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)
    one, other = newcombe.interval(a, b, c, d), newcombe.interval(a, c, b, d)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


@settings(deadline=None)
@given(tables, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_intervals_are_finite_closed_and_hold_the_estimate(table, confidence):
    _, gained, lost, _ = table
    n = sum(table)
    for found in (
        tango.interval(lost, gained, n, confidence),
        newcombe.interval(*table, confidence),
    ):
        assert -1 <= found.low <= (gained - lost) / n + 1e-12
        assert (gained - lost) / n - 1e-12 <= found.high <= 1


@settings(deadline=None)
@given(tables)
def test_the_interval_ends_where_the_statistic_is_critical(table):
    _, gained, lost, _ = table
    n = sum(table)
    found = tango.interval(lost, gained, n, 0.9)
    if found.low > -1:
        z = tango.statistic(lost, gained, n, -found.low)
        assert z == pytest.approx(normal.two_sided_z(0.9), abs=1e-5)


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (5, 0), (0, 5), (10, 0), (0, 10)])
def test_zero_cells_have_an_interval(lost, gained):
    found = tango.interval(lost, gained, 10)
    assert -1 <= found.low < found.high <= 1


def test_without_rows_anything_is_possible():
    assert (tango.interval(0, 0, 0).low, tango.interval(0, 0, 0).high) == (-1, 1)
    assert (newcombe.interval(0, 0, 0, 0).low, newcombe.interval(0, 0, 0, 0).high) == (-1, 1)


def test_identical_models_leave_the_statistic_at_zero_without_margin():
    assert tango.statistic(0, 0, 50, 0.0) == 0.0
    assert tango.statistic(0, 0, 50, 0.02) > 0
    assert tango.statistic(0, 0, 50, -0.02) < 0
