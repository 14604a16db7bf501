"""Paired proportions when rows come in groups: Tango's test on effective counts.

Frames of one video or posts of one advertiser err together, and counting them as independent
approves far too often (.25 at alpha = .05). What is needed of each group is its eight counts, and
of those only their totals and the sum of outer products. Approximate (size at most .065 by
simulation); with fewer than 20 groups in which the models differ, the groups are taken to be
single rows (intraclass correlation 1), and with fewer than two the exact test is applied to the
shrunk counts.

Source: Rao & Scott (1992), Biometrics 48, 577-585; Durkalski et al. (2003), Stat. Med. 22,
2417-2428.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtr, stdtrit

from prunegate.stats import checks, paired_exact, tango
from prunegate.stats.result import Interval, TestResult

METHOD = "Tango on counts over the design effect, t"
METHOD_FEW = "exact test on counts over the design effect"
ENOUGH_GROUPS = 20


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """Joint cells of rows in groups; cells are indexed ``4*label + 2*baseline + candidate``."""

    totals: Sequence[float]
    """Eight totals over all groups."""
    cross: Sequence[Sequence[float]]
    """Sum over groups of the outer product of their eight counts, 8 x 8."""
    discordant_groups: int
    """Groups with at least one lost or gained row of the metric in question."""
    groups: int
    """Groups with at least one row of the metric's base."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Which cells are the base of a proportion, and which are lost or gained."""

    base: Sequence[int]
    """Cells that make up n (for recall: the positives, 4 to 7)."""
    lost: Sequence[int]
    """Cells where only the baseline is right."""
    gained: Sequence[int]
    """Cells where only the candidate is right."""

    def count(self, cells: Sequence[float], part: Sequence[int]) -> float:
        """Rows of the given cells."""
        return math.fsum(cells[index] for index in part)


def design_effect(data: Grouped, roles: Roles) -> float:
    """How many rows weigh as much as one independent row; at least 1.

    Raises:
        ValueError: No row in the base, or the sums do not fit together.
    """
    _check(data)
    n = roles.count(data.totals, roles.base)
    if n == 0:
        raise ValueError("no row in the base of the proportion: nothing to test.")
    sizes = [1.0 if index in roles.base else 0.0 for index in range(8)]
    if data.discordant_groups < ENOUGH_GROUPS:
        return max(1.0, _quadratic(sizes, data.cross) / n)
    lost = roles.count(data.totals, roles.lost)
    gained = roles.count(data.totals, roles.gained)
    delta = (gained - lost) / n
    residual = [
        (index in roles.gained) - (index in roles.lost) - delta * size
        for index, size in enumerate(sizes)
    ]
    between = _quadratic(residual, data.cross) * data.groups / (data.groups - 1)
    within = math.fsum(r * r * count for r, count in zip(residual, data.totals, strict=True))
    return max(1.0, between / within)


def test(data: Grouped, roles: Roles, margin: float) -> TestResult:
    """Is (gained - lost) / n at least ``-margin``, margin in (-1, 1)?"""
    checks.open_interval("margin", margin, -1, 1)
    lost, gained, n = _effective(data, roles)
    if data.discordant_groups < 2:
        whole = min(math.ceil(lost), math.floor(n)), 0  # gains are not taken on trust
        exact = paired_exact.test(*whole, math.floor(n), margin)
        return TestResult(p_value=exact.p_value, p_harm=1.0, method=METHOD_FEW)
    z = tango.statistic(lost, gained, n, margin)
    df = data.discordant_groups - 1
    return TestResult(p_value=float(stdtr(df, -z)), p_harm=float(stdtr(df, z)), method=METHOD)


def interval(data: Grouped, roles: Roles, confidence: float = 0.95) -> Interval:
    """Two-sided interval of (gained - lost) / n; [-1, 1] with fewer than two discordant groups."""
    checks.open_interval("confidence", confidence, 0, 1)
    if data.discordant_groups < 2:
        return Interval(low=-1.0, high=1.0, method=METHOD_FEW)
    lost, gained, n = _effective(data, roles)
    t = float(stdtrit(data.discordant_groups - 1, (1 + confidence) / 2))
    found = tango.interval_at(lost, gained, n, t)
    return Interval(low=found.low, high=found.high, method=METHOD)


def _effective(data: Grouped, roles: Roles) -> tuple[float, float, float]:
    deff = design_effect(data, roles)
    parts = (roles.lost, roles.gained, roles.base)
    lost, gained, n = (roles.count(data.totals, part) / deff for part in parts)
    return lost, gained, n


def _quadratic(weights: Sequence[float], cross: Sequence[Sequence[float]]) -> float:
    return math.fsum(
        one * other * cross[i][j]
        for i, one in enumerate(weights)
        for j, other in enumerate(weights)
        if one and other
    )


def _check(data: Grouped) -> None:
    if len(data.totals) != 8 or len(data.cross) != 8 or any(len(row) != 8 for row in data.cross):
        raise ValueError("pass 8 totals and an 8 x 8 sum of outer products.")
    checks.counts(**{f"total {index}": total for index, total in enumerate(data.totals)})
    if not 0 <= data.discordant_groups <= data.groups:
        raise ValueError(
            f"{data.discordant_groups} discordant of {data.groups} groups: count each group once."
        )


test.__test__ = False  # type: ignore[attr-defined]  # pytest must not collect it where imported
