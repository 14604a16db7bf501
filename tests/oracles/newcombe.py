"""Newcombe's method 10: a hybrid score interval for the difference of two paired proportions.

Kept as a second opinion and an oracle; Tango's interval is the one reported.

Source: Newcombe (1998), Statistics in Medicine 17, 2635-2650.
"""

from __future__ import annotations

import math

from tests.oracles import wilson

from prunegate.stats import arguments, normal
from prunegate.stats.result import Interval

_METHOD = "Newcombe method 10"


def interval(both: int, gained: int, lost: int, neither: int, confidence: float = 0.95) -> Interval:
    """Two-sided interval of (gained - lost) / n, from the paired table (a, b, c, d).

    >>> found = interval(20, 12, 2, 16)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0562, 0.3292)
    """
    arguments.counts(both=both, gained=gained, lost=lost, neither=neither)
    arguments.open_interval("confidence", confidence, 0, 1)
    n = both + gained + lost + neither
    if n == 0:
        return Interval(low=-1.0, high=1.0, method=_METHOD)
    z = normal.two_sided_z(confidence)
    first, second = (both + gained) / n, (both + lost) / n
    low_1, high_1 = wilson.limits(both + gained, n, z)
    low_2, high_2 = wilson.limits(both + lost, n, z)
    phi = _correlation(both, gained, lost, neither)
    return Interval(
        low=first - second - _reach(first - low_1, high_2 - second, phi),
        high=first - second + _reach(high_1 - first, second - low_2, phi),
        method=_METHOD,
    )


def _reach(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2 * phi * one * other + other * other, 0.0))


def _correlation(a: int, b: int, c: int, d: int) -> float:
    """Phi with Newcombe's continuity correction of positive values; 0 when a margin is empty."""
    product = (a + b) * (c + d) * (a + c) * (b + d)
    if product == 0:
        return 0.0
    cross: float = a * d - b * c
    if cross > 0:
        cross = max(cross - (a + b + c + d) / 2, 0.0)
    return cross / math.sqrt(product)
