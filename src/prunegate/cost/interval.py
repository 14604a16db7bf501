"""The median of paired rounds with an interval that assumes nothing about their distribution.

The sign-test interval: the median lies between the k-th smallest and the k-th largest of n rounds
with a probability that only n and k decide (Conover, Practical Nonparametric Statistics, 3rd ed.,
section 3.2). Timings have heavy tails; this holds whatever they are, as long as rounds are
independent.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from prunegate.cost.measurement import Interval
from prunegate.errors import MeasurementError

FEWEST_ROUNDS = 6
"""With fewer, even the smallest and the largest round enclose the median in under 95 % of runs."""


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Interval:
    """Return the median of paired ratios with its 95 % two-sided interval, to six digits.

    >>> median_ratio([1, 2, 3, 4, 5, 6], [2] * 6)
    Interval(value=1.75, low=0.5, high=3.0)

    Raises:
        MeasurementError: fewer than six pairs, or a time that is not above zero.
    """
    pairs = list(zip(numerators, denominators, strict=True))
    if len(pairs) < FEWEST_ROUNDS:
        raise MeasurementError(
            f"{len(pairs)} rounds are too few; measure at least {FEWEST_ROUNDS}."
        )
    if not all(0 < x < math.inf and 0 < y < math.inf for x, y in pairs):
        raise MeasurementError(
            "a round took no time at all; measure longer rounds or larger batches."
        )
    ratios = sorted(x / y for x, y in pairs)
    rank = _rank(len(ratios))
    ends = (ratios[rank - 1], statistics.median(ratios), ratios[-rank])
    low, value, high = (float(f"{ratio:.6g}") for ratio in ends)
    return Interval(value=value, low=low, high=high)


def _rank(rounds: int) -> int:
    """Return the largest k with 2 P(Binomial(rounds, 1/2) < k) <= 5 %."""
    tail, rank = 0, 0
    # Integers, so that no rounding decides: 40 tail <= 2**rounds is 2 tail / 2**rounds <= 1/20.
    while 40 * (tail + math.comb(rounds, rank)) <= 2**rounds:
        tail += math.comb(rounds, rank)
        rank += 1
    return rank
