"""Fixed rate: the positives that two models flag at thresholds with a fixed false positive rate.

Each model has a threshold of its own: the lowest at which no more than the given share of the
slice's negatives is flagged. In the whole population that threshold lies a little higher or lower,
and it is not known where. So positives are counted not at one pair of thresholds but at all pairs
that the negatives leave possible, as a few bins of pairs: within each, one model flags as much as
it may and the other as little as it must.

With probability 1 - exp(-L) each: no more than f N + L/3 + root(L^2/9 + 2 f N L) negatives (of N)
lie at or above the one model's threshold (Bernstein), no fewer than f N - root(2 f N L) above the
other's next lower one (Chernoff), and of the d negatives on which the two are then divided, the
first has no more than root(2 d L) more than the second (Hoeffding). The last is what makes models
comparable that are much alike: hard negatives are hard for both. In a bin in which the first flags
more than u and at most v negatives, and both models have a of them among their u highest, d is at
most 2 (v - a) and how many fewer the second flags; so these are no more than
L + root(L^2 + 4 (v - a) L).

All that is said here is of rows at or above a threshold, so that a row which more negatives than
are possible have a score as high as lies below it: what has one score only is never above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

FlagCounts = tuple[int, int, int, int]
"""Positives by who flags them: neither, only the candidate, only the baseline, both."""
BINS = 8
UNLIKELY = 1e-4
"""What each of the three bounds is missed with at most."""
LOG = -math.log(UNLIKELY)
MISSED = 3 * UNLIKELY
"""What all together are missed with at most; a p-value is never below."""


def fewest_negatives(rate: float) -> int:
    """Negatives below which a threshold may lie above every one of them, so that nothing is known.

    >>> fewest_negatives(0.01)
    1843
    """
    return math.ceil(2 * LOG / rate)


@dataclass(frozen=True, kw_only=True)
class FixedRateCounts:
    """Positives flagged at thresholds with one false positive rate, and at what these may be."""

    negatives: int
    here: FlagCounts
    """At the thresholds of these negatives."""
    candidate_low: tuple[FlagCounts, ...]
    """Per bin: the baseline flags as much as it may, the candidate as little as it must."""
    candidate_high: tuple[FlagCounts, ...]
    """Per bin, the reverse."""

    @classmethod
    def none(cls) -> FixedRateCounts:
        """Of no rows."""
        nought = ((0, 0, 0, 0),) * BINS
        return cls(negatives=0, here=nought[0], candidate_low=nought, candidate_high=nought)
