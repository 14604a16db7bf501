"""Mean of row differences against a margin, from four sums.

For scores, absolute errors and log-likelihoods. The t-test is too bold when losses are rare and
large (false approvals .16 at n = 300 with three expected), so its p-value is joined by that of
Hall's transformation, which corrects for the skewness, and the larger counts. Below 300 rows
neither is to be relied on, and a sample without any variation says nothing about rare losses.
Losses too rare to be in the sample escape every test of sums: with one of them expected, none is
seen 37 % of the time, and .33 of candidates at their margin are approved. Where a row's value is
bounded (`test_bounded`) the t-test therefore has to pass as well on a sample with one more row that
lost all there is to lose, which is what an exact binomial test does with no failure seen; then the
worst rate found is .054 (`tests/benchmarks/error_rates.py`). Where nothing is bounded
(log-likelihoods), a caller is to leave sums alone that are too `lopsided`: without that, up to .17
are approved where 2 % of the documents make up the change, with it .07 at n = 300 (.08 where a few
documents are very long) and .06 at n = 1,000. Losses of which none is seen escape even so: .22 with
1.5 expected.

Source: Hall (1992), JRSS B 54, 221-228; the added row is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtr, stdtrit

from prunegate.stats import arguments, normal
from prunegate.stats.result import Interval, TestResult, statistical_test

METHOD = "t and Hall's skewness-corrected t"
METHOD_BOUNDED = "t, Hall's skewness-corrected t, and t with one unseen loss"
MOST_LOPSIDED = 0.3
"""Skewness over the root of n beyond which neither test is relied on where nothing is bounded."""
_NO_VARIATION = 1e-12  # relative to the mean square: what rounding leaves of a constant


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Mean, spread and skewness of n rows."""

    n: int
    """Rows."""
    mean: float
    """Their mean."""
    sd: float
    """Sample standard deviation; 0 where the rows do not vary beyond rounding."""
    skewness: float
    """Third standardised moment; 0 where the rows do not vary."""


def moments(n: int, s1: float, s2: float, s3: float) -> Moments:
    """Moments from n and the sums of d, d^2 and d^3.

    Raises:
        ValueError: A sum is not finite, n is below 1, or no rows can have these sums.
    """
    arguments.counts(n=n)
    if n < 1 or not all(math.isfinite(value) for value in (s1, s2, s3)):
        raise ValueError(f"n = {n}, sums {s1}, {s2}, {s3}: pass n >= 1 and finite sums.")
    mean, square = s1 / n, s2 / n
    variance = square - mean * mean
    if variance < -1e-9 * square:
        raise ValueError(f"sum of squares {s2} is below s1^2 / n: the sums are not of n rows.")
    if n == 1 or variance <= _NO_VARIATION * square:
        return Moments(n=n, mean=mean, sd=0.0, skewness=0.0)
    third = s3 / n - 3 * mean * square + 2 * mean**3
    return Moments(
        n=n,
        mean=mean,
        sd=math.sqrt(variance * n / (n - 1)),
        skewness=third / variance**1.5,
    )


def lopsided(n: int, s1: float, s2: float, s3: float) -> float:
    """How much few rows make up the whole: the absolute skewness over the root of n, 0 to 1.

    A single row among equal ones gives 1, a sum as good as normal next to nothing.
    """
    return abs(moments(n, s1, s2, s3).skewness) / math.sqrt(n)


@statistical_test
def test(n: int, s1: float, s2: float, s3: float, margin: float) -> TestResult:
    """Is the mean of the differences (larger is better) at least ``-margin``?

    Its size is validated from 300 rows up; where rows do not vary, both p-values are 1.

    Raises:
        ValueError: a margin, a count or a sum that is not finite.
    """
    found = moments(n, s1, s2, s3)
    if not math.isfinite(margin):
        raise ValueError(f"margin is {margin}: pass a finite number.")
    if found.sd == 0:
        return TestResult(p_value=1.0, p_harm=1.0, method=METHOD)
    w = (found.mean + margin) / found.sd
    t, corrected = math.sqrt(n) * w, _hall(w, found)
    return TestResult(
        p_value=max(float(stdtr(n - 1, -t)), normal.upper_tail(corrected)),
        p_harm=max(float(stdtr(n - 1, t)), normal.upper_tail(-corrected)),
        method=METHOD,
    )


@statistical_test
def test_bounded(
    n: int, sums: tuple[float, float, float], margin: float, worst: float
) -> TestResult:
    """`test` of values that can change by at most ``worst`` (above 0), so that rare losses count.

    Args:
        n: Rows.
        sums: Sums of d, d^2 and d^3.
        margin: Allowed shortfall of the mean.
        worst: The most that one row can lose or gain.
    """
    arguments.open_interval("worst", worst, 0, math.inf)
    p_value = _one_more(n, sums, margin, -worst)
    p_harm = _one_more(n, sums, margin, worst)
    seen = test(n, *sums, margin)
    if moments(n, *sums).sd > 0:
        p_value, p_harm = max(seen.p_value, p_value), max(seen.p_harm, p_harm)
    return TestResult(p_value=p_value, p_harm=p_harm, method=METHOD_BOUNDED)


def _one_more(n: int, sums: tuple[float, float, float], margin: float, value: float) -> float:
    """One-sided p of the t-test with one more row; a row that lost speaks against approval."""
    found = moments(n + 1, sums[0] + value, sums[1] + value**2, sums[2] + value**3)
    if found.sd == 0:
        return 1.0
    t = math.sqrt(n + 1) * (found.mean + margin) / found.sd
    return float(stdtr(n, -t if value < 0 else t))


def all_unseen(room: float, worst: float, units: float) -> float:
    """Chance that of so many units none is seen that lost all, if as many do as use up the room.

    >>> round(all_unseen(0.02, 1.0, 149), 4)
    0.0493
    """
    if room <= 0:
        return 1.0
    return 0.0 if room >= worst else (1 - room / worst) ** units


def interval(n: int, s1: float, s2: float, s3: float, confidence: float = 0.95) -> Interval:
    """Two-sided t interval of the mean; unbounded where the rows do not vary."""
    arguments.open_interval("confidence", confidence, 0, 1)
    found = moments(n, s1, s2, s3)
    if found.sd == 0:
        return Interval(low=-math.inf, high=math.inf, method="t")
    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * found.sd / math.sqrt(n)
    return Interval(low=found.mean - half, high=found.mean + half, method="t")


def _hall(w: float, found: Moments) -> float:
    return _cubic(w, found.n, found.skewness)


def _cubic(w: float, n: int, g: float) -> float:
    """Hall's monotone cubic of the studentised mean, approximately standard normal."""
    return math.sqrt(n) * (w + g * w * w / 3 + g * g * w**3 / 27 + g / (6 * n))


def hall_tail(w: float, n: int, skewness: float) -> float:
    """One-sided p-value of a mean of n rows, w standard deviations above 0, by Hall's cubic."""
    return normal.upper_tail(_cubic(w, n, skewness))
