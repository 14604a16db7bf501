"""Unseen loss: how many rows outweigh one more that lost all there is to lose.

A bounded mean is tested with one row more than there are (``stats/mean.py``). What that row costs
shrinks with the number of the others and not with the root of it, so that rows cannot be scaled
from the p-value seen: the test is solved for their number. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import ndtri

from prunegate.stats import mean, normal


@dataclass(frozen=True, kw_only=True)
class UnseenLoss:
    """A limit on a bounded mean, in the terms of its test: of one unit of rows."""

    room: float
    """What the mean of a unit may lose."""
    worst: float
    """The most that one unit can lose."""
    scale: float = 1.0
    """Of a change of the metric, in the same terms."""
    rows_of_unit: float = 1.0
    all_of_them: bool = False
    """Whether so many such losses as use up the room have to be unlikely to be all unseen."""


@dataclass(frozen=True, kw_only=True)
class RowsSeen:
    """The rows that are there, in the metric's terms."""

    rows: int
    change: float
    """Larger is better."""
    spread: float
    """Standard deviation of one row's change; 0: there was none."""
    p_value: float
    """That the limit is broken."""


@dataclass(frozen=True, kw_only=True)
class Sureness:
    """How sure further rows shall make it."""

    alpha: float
    power: float
    most: int
    """Rows beyond which there is no answer."""


def further_rows(loss: UnseenLoss, seen: RowsSeen, to_come: float, sure: Sureness) -> int | None:
    """Further rows until the test of all together is likely to show the limit; None: too many.

    Args:
        loss: the limit.
        seen: the rows that are there.
        to_come: the mean change of those that are not.
        sure: level and power.
    """
    stricter = _stricter(loss, seen)
    level, slack = -float(ndtri(sure.alpha)), float(ndtri(sure.power))

    def enough(further: int) -> bool:
        units = (seen.rows + further) / loss.rows_of_unit
        drift = (seen.change * seen.rows + to_come * further) / (seen.rows + further)
        doubt = slack * _spread(loss, seen) * math.sqrt(further / loss.rows_of_unit) / units
        room = loss.room + loss.scale * drift - doubt
        if room <= 0:
            return False
        clear = _score(loss, seen, room, units) >= level + stricter
        return clear and (
            not loss.all_of_them or mean.all_unseen(room, loss.worst, units) <= sure.alpha
        )

    return _least(enough, sure.most)


def _least(enough: Callable[[int], bool], most: int) -> int | None:
    high = 1
    while not enough(high):
        high *= 2
        if high > most:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _spread(loss: UnseenLoss, seen: RowsSeen) -> float:
    return seen.spread * abs(loss.scale) / math.sqrt(loss.rows_of_unit)


def _score(loss: UnseenLoss, seen: RowsSeen, room: float, units: float) -> float:
    """Standard errors by which the mean clears the limit, the unseen loss among the rows."""
    around = units * _spread(loss, seen) ** 2 + (loss.worst + room) ** 2
    return (units * room - loss.worst) / math.sqrt(around)


def _stricter(loss: UnseenLoss, seen: RowsSeen) -> float:
    """By how many standard errors the test of the rows that are there is stricter than this."""
    room, units = loss.room + loss.scale * seen.change, seen.rows / loss.rows_of_unit
    if not 0 < seen.p_value < 1:
        return 0.0
    lies = normal.upper_tail(_score(loss, seen, room, units))
    if loss.all_of_them:
        lies = max(lies, mean.all_unseen(room, loss.worst, units))
    if not 0 < lies < 1:
        return 0.0
    return max(0.0, float(ndtri(seen.p_value) - ndtri(lies)))
