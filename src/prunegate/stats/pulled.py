"""Statistics of ranks against a margin, from what their rows pull: to first order they are means.

What is tested is a weighted sum of two models' values and a constant. To first order it is a mean
of what its rows (or groups of rows) pull, so that the tests of means serve: Student's t, with as
many degrees of freedom as the rarest kind of row has units less one, and Hall's correction for the
skewness. What a value owes to every row counting for itself is taken off first. As for areas under
ROC curves, rare losses escape such tests. So the test has to pass as well with one more row, of
either kind, that lost what a row can lose, and that such losses all stay unseen, were there as many
as use up the margin, has to be unlikely. Uneven groups count as equally large ones (Kish's factor).
Below ``RELIABLE`` rows of any kind nothing is claimed.

Source: the infinitesimal jackknife (Efron 1982, The Jackknife, the Bootstrap and Other Resampling
Plans, chapter 6); Hall (1992), JRSS B 54, 221-228; the added row is ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtr, stdtrit

from prunegate.stats import arguments, mean
from prunegate.stats.mean import all_unseen
from prunegate.stats.result import Interval, TestResult, statistical_test

METHOD = "t and Hall's skewness-corrected t of what rows pull, and with one unseen loss"
RELIABLE = {"average_precision": 100, "rank_correlation": 300}
"""Rows of the rarest kind (or what groups of such weigh) from which error rates were measured."""


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """A weighted sum of two values, plus a constant, and what its units say of its sureness."""

    units: int
    sums: tuple[float, float, float]
    """Over units, of what they contribute, of its square and its cube."""
    weight: float
    """What the first of these is divided by."""
    own: float
    """What of the first sum is owed to rows counting for themselves."""
    weighing: tuple[float, ...]
    """For each kind of row, as many equally large units as those that have it weigh."""
    falls: tuple[float, ...]
    """For each kind: what it would be worth if every row of it lost what one can lose."""

    @property
    def value(self) -> float:
        """The estimate."""
        return (self.sums[0] - self.own) / self.weight

    @property
    def freedom(self) -> float:
        """Degrees of freedom: what the units with the rarest kind weigh, less one."""
        return min(self.weighing) - 1

    @property
    def error(self) -> float:
        """Standard error of the estimate; 0: nothing varies, or there is one unit of a kind."""
        if self.units < 2 or self.freedom <= 0:
            return 0.0
        sd = mean.moments(self.units, *self.sums).sd
        fewest = min(self.weighing)
        return sd * math.sqrt(self.units * fewest / (fewest - 1)) / self.weight


@statistical_test
def test(pulled: Pulled) -> TestResult:
    """Is the value at least 0?

    Its size is validated from ``RELIABLE`` rows of every kind up; where nothing varies, both
    p-values are 1.
    """
    return TestResult(p_value=_p(pulled, 1), p_harm=_p(pulled, -1), method=METHOD)


def _p(pulled: Pulled, sign: int) -> float:
    """One-sided p-value of the value lying on the other side of 0."""
    error, room = pulled.error, sign * pulled.value
    if not error > 0:
        return 1.0
    found = mean.moments(pulled.units, *pulled.sums)
    p = [
        float(stdtr(pulled.freedom, -room / error)),
        mean.hall_tail(
            room * pulled.weight / pulled.units / found.sd, found.n, sign * found.skewness
        ),
    ]
    for units, fall in zip(pulled.weighing, pulled.falls, strict=True):
        shift = fall / (units + 1)  # one more row that lost all
        p.append(float(stdtr(pulled.freedom, (shift - room) / math.hypot(error, shift))))
        p.append(all_unseen(room, fall, units))
    return max(p)


def interval(pulled: Pulled, confidence: float = 0.95) -> Interval:
    """Two-sided t interval of the value; unbounded where nothing varies."""
    arguments.open_interval("confidence", confidence, 0, 1)
    if not pulled.error > 0:
        return Interval(low=-math.inf, high=math.inf, method="t")
    half = float(stdtrit(pulled.freedom, (1 + confidence) / 2)) * pulled.error
    return Interval(low=pulled.value - half, high=pulled.value + half, method="t")
