"""Unseen loss: how many rows outweigh one more that lost all there is to lose.

A bounded mean is tested with one row more than there are (``stats/mean.py``). What that row costs
shrinks with the number of the others and not with the root of it, so that rows cannot be scaled
from the p-value seen: their number is sought at which that very test, on the sums that so many rows
would have, is passed. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from scipy.special import ndtri

from prunegate.stats import mean
from prunegate.stats.least_rows import least_rows


@dataclass(frozen=True, kw_only=True)
class UnseenLoss:
    """The test of a limit on a bounded mean: whether what its units sum up to lies above 0."""

    units: int
    """Rows, or groups of rows that depend on each other; at least 1."""
    sums: tuple[float, float, float]
    """Of the units' distances from the limit, their squares and cubes."""
    room: float
    """The mean distance, had nothing changed."""
    worst: float
    """The most that one unit can lose."""
    rows_of_unit: float = 1.0
    all_of_them: bool = False
    """Whether so many such losses as use up the room have to be unlikely to be all unseen."""

    @cached_property
    def seen(self) -> mean.Moments:
        """Of the distances."""
        return mean.moments(self.units, *self.sums)

    def p_value(self, units: int, distance: float) -> float:
        """Of so many units that are spread as those seen, and lie so far from the limit."""
        sums = _sums(self.seen, units, distance)
        found = mean.test_bounded(units, sums, 0.0, self.worst).p_value
        if not self.all_of_them:
            return found
        return max(found, mean.all_unseen(distance, self.worst, units))


@dataclass(frozen=True, kw_only=True)
class Sureness:
    """How sure further rows shall make it."""

    alpha: float
    power: float
    most: int
    """Rows beyond which there is no answer."""


def further_rows(loss: UnseenLoss, to_come: float, sure: Sureness) -> int | None:
    """Further rows until the test of all together is likely to show the limit; None: too many.

    Args:
        loss: the limit's test, and the rows that are there.
        to_come: the mean distance from the limit of those that are not.
        sure: level and power.
    """
    slack = float(ndtri(sure.power)) * loss.seen.sd

    def enough(further: int) -> bool:
        more = further / loss.rows_of_unit
        units = loss.units + more
        expected = (loss.seen.mean * loss.units + to_come * more) / units
        distance = expected - slack * math.sqrt(more) / units
        return distance > 0 and loss.p_value(int(units), distance) <= sure.alpha

    return least_rows(enough, sure.most)


def _sums(seen: mean.Moments, units: int, distance: float) -> tuple[float, float, float]:
    """Of so many units around another mean, with spread and skewness as seen."""
    variance = seen.sd**2 * (seen.n - 1) / seen.n
    square = variance + distance**2
    third = seen.skewness * variance**1.5 + 3 * distance * square - 2 * distance**3
    return units * distance, units * square, units * third
