"""Wilson's score interval of one proportion.

The limits that MOVER and Newcombe's method build on; never used alone for a verdict (its
one-sided size reaches .069, see `prunegate.stats.clopper_pearson`).

Source: Wilson (1927), JASA 22, 209-212; Newcombe (1998), Statistics in Medicine 17, 857-872.
"""

from __future__ import annotations

import math

from prunegate.stats import arguments, normal
from prunegate.stats.result import Interval


def interval(x: float, n: float, confidence: float = 0.95) -> Interval:
    """Two-sided interval from ``x`` of ``n``; both may be fractional (design-effect corrected).

    >>> found = interval(15, 148)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0624, 0.1605)
    """
    arguments.part_of(n, x=x)
    arguments.open_interval("confidence", confidence, 0, 1)
    if n == 0:
        return Interval(low=0.0, high=1.0, method="Wilson")
    low, high = limits(x, n, normal.two_sided_z(confidence))
    return Interval(low=low, high=high, method="Wilson")


def limits(x: float, n: float, z: float) -> tuple[float, float]:
    """Both limits at the critical value ``z`` >= 0, for n > 0."""
    if z == 0:
        return x / n, x / n
    centre = x + z * z / 2
    half = z * math.sqrt(x * (n - x) / n + z * z / 4)
    # limits at zero and n successes are exact; rounding would leave them just inside, or outside
    low = 0.0 if x == 0 else max(0.0, (centre - half) / (n + z * z))
    high = 1.0 if x == n else min(1.0, (centre + half) / (n + z * z))
    return low, high
