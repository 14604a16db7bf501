"""Areas under two ROC curves of the same rows, compared by DeLong's placement values.

The area is the share of pairs of a positive and a negative row in which the positive has the higher
score, ties counting half. A row's placement is the share of the other class that it is on the right
side of; the area is the mean placement of the positives, and of the negatives, and how placements
of the two models vary together says how sure their difference is. Where rows come in groups, the
placements are added up within each group first.

DeLong's normal test is too bold where few rows of a class decide, and where losses are rare: of 149
positives none is seen that fell to the bottom, 5 % of the time, although 2 % do. So t quantiles are
used, with as many degrees of freedom as the rarer class has rows (or groups) less one; the test has
to pass as well with one more positive, or one more negative, that lost all there is to lose; and
that such losses, were there as many as use up the margin, all stay unseen has to be unlikely.
Uneven groups count as equally large ones (Kish's factor). Below ``RELIABLE`` rows of either class
nothing is claimed.

Source: DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837-845; groups: Obuchowski (1997),
Biometrics 53, 567-578; the added row is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtr, stdtrit

from prunegate.stats import arguments
from prunegate.stats.mean import all_unseen
from prunegate.stats.result import Interval, TestResult, statistical_test

METHOD = "DeLong with t, and with one unseen loss"
RELIABLE = 50
"""Positives and negatives (or what groups of such weigh) from which error rates were measured."""


@dataclass(frozen=True, kw_only=True)
class Area:
    """A weighted sum of two areas, plus a constant, and what its units say of its sureness."""

    value: float
    """The estimate."""
    lowest: float
    """What it would be for a unit on which the model that counts for more lost all."""
    highest: float
    """What it would be for one on which that model gained all."""
    spread: tuple[float, float, float]
    """Sums over units of the squares of what they pull it away: by their positives, by their
    negatives, and twice the products of both."""
    units: int
    holding: tuple[int, int]
    """Units with a positive, and with a negative."""
    weighing: tuple[float, float]
    """As many equally large units as these weigh (Kish); rows: their number."""

    @property
    def freedom(self) -> float:
        """Degrees of freedom: what the units of the rarer class weigh, less one."""
        return min(self.weighing) - 1

    @property
    def variance(self) -> float:
        """Of the estimate; 0: placements do not vary, or there is one unit of a class."""
        if self.freedom < 1 or min(self.holding) < 2:
            return 0.0
        one, two = self.holding
        own, other, both = self.spread
        apart = own * one / (one - 1) + other * two / (two - 1)
        return apart + max(0.0, both) * self.units / (self.units - 1)


@statistical_test
def test(area: Area) -> TestResult:
    """Is the value at least 0?

    Its size is validated from ``RELIABLE`` units of either class up; where placements do not vary,
    both p-values are 1.
    """
    return TestResult(
        p_value=_p(area, area.value, area.value - area.lowest),
        p_harm=_p(area, -area.value, area.highest - area.value),
        method=METHOD,
    )


def _p(area: Area, room: float, worst: float) -> float:
    """One-sided p-value of the value lying on the other side of 0."""
    variance = area.variance
    if not variance > 0:
        return 1.0
    p = [float(stdtr(area.freedom, -room / math.sqrt(variance)))]
    for units in area.weighing:
        shift = worst / (units + 1)  # one more unit of average size that lost all
        p.append(
            float(stdtr(area.freedom, (shift - room) / math.hypot(math.sqrt(variance), shift)))
        )
        p.append(all_unseen(room, worst, units))
    return max(p)


def interval(area: Area, confidence: float = 0.95) -> Interval:
    """Two-sided t interval of the value; unbounded where placements do not vary."""
    arguments.open_interval("confidence", confidence, 0, 1)
    variance = area.variance
    if not variance > 0:
        return Interval(low=-math.inf, high=math.inf, method="DeLong")
    half = float(stdtrit(area.freedom, (1 + confidence) / 2)) * math.sqrt(variance)
    return Interval(low=area.value - half, high=area.value + half, method="DeLong")
