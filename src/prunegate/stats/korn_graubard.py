"""One proportion when rows come in groups: Clopper-Pearson on the effective sample size.

For floors and caps on a single rate of grouped rows. The sample size is divided by the design
effect and, because that is estimated from few groups, by the squared ratio of Student's and the
normal critical value at the level in question; the exact binomial tails are then taken at
fractional counts. A p-value is the level at which its own limit is just reached. By simulation a
floor is approved at its limit about .05 of the time where groups hold 1 to 10 rows and up to .07
where they hold 1 to 50; where a few groups hold most of the rows, only if those count as the few
that they are (`prunegate.stats.clusters.Grouped.evened`; else up to .2).

Source: Korn & Graubard (1998), Survey Methodology 24, 193-201.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.special import betainc, betaincc, stdtrit

from prunegate.stats import arguments, normal
from prunegate.stats.result import Interval, TestResult, statistical_test

METHOD = "Korn-Graubard (Clopper-Pearson on the effective sample size)"
_STEPS = 60
_FLAT = 0.45
"""Levels from which both critical values are next to nothing, and no correction is left."""


@statistical_test
def test_at_least(x: float, n: float, limit: float, groups: int) -> TestResult:
    """Is the rate at least ``limit`` (0 to 1)?

    Args:
        x: Effective successes: counted ones over the design effect.
        n: Effective rows.
        limit: The floor; 0 always holds.
        groups: Groups that the design effect rests on; with fewer than two nothing is shown.
    """
    _check(x, n, limit, groups)
    if limit == 0:
        return TestResult(p_value=0.0, p_harm=1.0, method=METHOD)
    return TestResult(
        p_value=_level(x, n, limit, groups, at_least=True),
        p_harm=_level(x, n, limit, groups, at_least=False),
        method=METHOD,
    )


@statistical_test
def test_at_most(x: float, n: float, limit: float, groups: int) -> TestResult:
    """Is the rate at most ``limit`` (0 to 1)? Arguments as for `test_at_least`."""
    found = test_at_least(n - x, n, 1 - limit, groups)
    return TestResult(p_value=found.p_value, p_harm=found.p_harm, method=METHOD)


def interval(x: float, n: float, groups: int, confidence: float = 0.95) -> Interval:
    """Two-sided interval of the rate; [0, 1] with fewer than two groups."""
    arguments.open_interval("confidence", confidence, 0, 1)
    _check(x, n, 0.5, groups)
    tail = (1 - confidence) / 2
    if groups < 2 or n == 0:
        return Interval(low=0.0, high=1.0, method=METHOD)
    low = _where(lambda rate: _tail(x, n, rate, (groups, tail), at_least=True) < tail)
    high = _where(lambda rate: _tail(x, n, rate, (groups, tail), at_least=False) >= tail)
    return Interval(low=low if x > 0 else 0.0, high=high if x < n else 1.0, method=METHOD)


def _level(x: float, n: float, limit: float, groups: int, *, at_least: bool) -> float:
    """The level p at which the tail on the sample size for level p is p; at most 1/2 is sought."""
    if groups < 2 or n == 0 or _tail(x, n, limit, (groups, 0.5), at_least=at_least) > 0.5:
        return 1.0
    low, high = -300.0, -0.30103  # powers of ten
    for _ in range(_STEPS):
        middle = (low + high) / 2
        level = 10.0**middle
        if _tail(x, n, limit, (groups, level), at_least=at_least) > level:
            low = middle
        else:
            high = middle
    return float(10.0**high)


def _tail(x: float, n: float, rate: float, levels: tuple[int, float], *, at_least: bool) -> float:
    groups, level = levels
    shrink = 1.0
    if level < _FLAT:
        t = float(stdtrit(groups - 1, level))
        shrink = min(1.0, (normal.upper_z(level) / t) ** 2) if math.isfinite(t) else 0.0
    x, n = x * shrink, n * shrink
    if at_least:
        return float(betainc(x, n - x + 1, rate)) if x > 0 else 1.0
    return float(betaincc(x + 1, n - x, rate)) if x < n else 1.0


def _where(below: Callable[[float], bool]) -> float:
    """The rate at which a condition that holds for low rates stops to hold."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if below(middle):
            low = middle
        else:
            high = middle
    return low


def _check(x: float, n: float, limit: float, groups: int) -> None:
    arguments.part_of(n, x=x)
    arguments.counts(groups=groups)
    arguments.closed_interval("limit", limit, 0, 1)
