"""One proportion, exactly: the Clopper-Pearson interval and its two one-sided tests.

For floors and caps on a single rate. The size never exceeds alpha (worst .0485 by enumeration,
where Wilson's reaches .069 and Wald's .668).

Source: Clopper & Pearson (1934), Biometrika 26, 404-413.
"""

from __future__ import annotations

from scipy.special import betainc, betaincc, betaincinv

from prunegate.stats import arguments
from prunegate.stats.result import Interval, TestResult, statistical_test

_METHOD = "exact binomial (Clopper-Pearson)"


def interval(x: int, n: int, confidence: float = 0.95) -> Interval:
    """Two-sided interval of a proportion from ``x`` successes of ``n``; [0, 1] when n = 0.

    >>> found = interval(15, 148)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0578, 0.1617)
    """
    arguments.part_of(n, x=x)
    arguments.open_interval("confidence", confidence, 0, 1)
    tail = (1 - confidence) / 2
    return Interval(low=lower(x, n, tail), high=upper(x, n, tail), method=_METHOD)


def lower(x: int, n: int, tail: float) -> float:
    """One-sided lower limit: the rate at which ``P(X >= x) = tail``."""
    return float(betaincinv(x, n - x + 1, tail)) if x > 0 else 0.0


def upper(x: int, n: int, tail: float) -> float:
    """One-sided upper limit: the rate at which ``P(X <= x) = tail``."""
    # betaincinv(n-x, x+1) gives the complement, accurate when the limit is near one
    return 1.0 - float(betaincinv(n - x, x + 1, tail)) if x < n else 1.0


@statistical_test
def test_at_least(x: int, n: int, limit: float) -> TestResult:
    """Is the rate at least ``limit`` (0 to 1)? A limit of 0 always holds."""
    _check(x, n, limit)
    if limit == 0:
        return TestResult(p_value=0.0, p_harm=1.0, method=_METHOD, exact=True)
    return TestResult(
        p_value=tail_at_least(x, n, limit),
        p_harm=tail_at_most(x, n, limit),
        method=_METHOD,
        exact=True,
    )


@statistical_test
def test_at_most(x: int, n: int, limit: float) -> TestResult:
    """Is the rate at most ``limit`` (0 to 1)? A limit of 1 always holds."""
    _check(x, n, limit)
    if limit == 1:
        return TestResult(p_value=0.0, p_harm=1.0, method=_METHOD, exact=True)
    return TestResult(
        p_value=tail_at_most(x, n, limit),
        p_harm=tail_at_least(x, n, limit),
        method=_METHOD,
        exact=True,
    )


def tail_at_least(x: int, n: int, rate: float) -> float:
    """``P(X >= x)`` for X binomial(n, rate), accurate far into the tail."""
    return float(betainc(x, n - x + 1, rate)) if x > 0 else 1.0


def tail_at_most(x: int, n: int, rate: float) -> float:
    """``P(X <= x)`` for X binomial(n, rate), accurate far into the tail."""
    return float(betaincc(x + 1, n - x, rate)) if x < n else 1.0


def _check(x: int, n: int, limit: float) -> None:
    arguments.part_of(n, x=x)
    arguments.closed_interval("limit", limit, 0, 1)
