"""Tango's score statistic and interval for the difference of two paired proportions.

The interval is the one shown next to a difference (minimum coverage .936 at 95 %, where Wald's
falls to .332). The statistic orders the tables for the exact test; alone it is slightly liberal
in small samples.

Source: Tango (1998), Statistics in Medicine 17, 891-908.
"""

from __future__ import annotations

from prunegate.stats import arguments, normal, roots
from prunegate.stats.margin_line import Boundary
from prunegate.stats.result import Interval


def statistic(lost: float, gained: float, n: float, margin: float) -> float:
    """Z of "the candidate's rate minus the baseline's is at least -margin"; margin in [-1, 1].

    >>> round(statistic(1, 0, 44, 0.1), 4)
    1.7086
    """
    arguments.part_of(n, lost=lost, gained=gained)
    arguments.closed_interval("margin", margin, -1, 1)
    return Boundary(intercept=margin).score_of(lost, gained, n)


def interval(lost: float, gained: float, n: float, confidence: float = 0.95) -> Interval:
    """Two-sided interval of (gained - lost) / n, within [-1, 1]; counts may be fractional.

    >>> found = interval(3, 9, 32)
    >>> round(found.low, 6), round(found.high, 6)
    (-0.02709, 0.389697)
    """
    arguments.part_of(n, lost=lost, gained=gained)
    arguments.open_interval("confidence", confidence, 0, 1)
    return interval_at(lost, gained, n, normal.two_sided_z(confidence))


def interval_at(lost: float, gained: float, n: float, z: float) -> Interval:
    """The interval at the critical value ``z``; [-1, 1] when n = 0."""
    if n == 0:
        return Interval(low=-1.0, high=1.0, method="Tango score")
    low = -_furthest_drop(lost, gained, n, z)
    return Interval(low=low, high=_furthest_drop(gained, lost, n, z), method="Tango score")


def _furthest_drop(lost: float, gained: float, n: float, z: float) -> float:
    """The largest margin m at which a drop of m is not yet refuted at ``z``."""
    if lost == n:
        return 1.0
    observed = (lost - gained) / n
    return roots.crossing(
        lambda margin: z - Boundary(intercept=margin).score_of(lost, gained, n), observed, 1.0
    )
