"""Paired proportions when rows come in groups: score tests on effective counts.

Frames of one video or posts of one advertiser err together, and counting them as independent
approves far too often (.2 to .4 at alpha = .05). What is needed of each group is its count per
cell, and of those only their totals and the sum of outer products. Counts are divided by the design
effect, and the normal tail becomes Student's. With fewer than 20 groups in which the models differ
there is nothing to tell a design effect from, and where groups are hardly more than single rows
nothing to gain by it: there every group is taken to decide as one (intraclass correlation 1), and
the exact test is applied to the shrunk counts, rounded against what it is to show. Numbers of
groups are to be those of equally large ones (`Grouped.evened`): where a few of 200 rows hold most
of the slice, counting them as they are approves up to .24. Approximate: by simulation about .05
where groups hold 1 to 10 rows, up to .07 where they hold 1 to 50, below .05 where their sizes
differ most (`tests/benchmarks/error_rates.py`).

Source: Rao & Scott (1992), Biometrics 48, 577-585; Durkalski et al. (2003), Stat. Med. 22,
2417-2428.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.special import stdtr, stdtrit

from prunegate.stats import arguments, paired_exact, tango
from prunegate.stats.margin_line import Boundary
from prunegate.stats.result import Interval, TestResult, statistical_test

_ROUNDING = 1e-9
METHOD = "Tango on counts over the design effect, t"
METHOD_RATIO = "Nam-Blackwelder on counts over the design effect, t"
METHOD_FEW = "exact test on counts over the design effect"
ENOUGH_GROUPS = 20
UNSEEN = 2.0
"""Groups, one lost and one gained, that the design effect of a change reckons with although nobody
has seen them: large groups that all go one way are rare, and a slice that lacks them looks both
better and surer than it is."""
NEARLY_SINGLE = 1.25
"""Rows that weigh as one at most, below which groups are taken to decide as one: it costs less than
Student's tail does, and hangs on the groups' sizes alone."""


@dataclass(frozen=True, kw_only=True)
class Grouped:
    """Counts per cell of rows in groups; which cells there are is the caller's choice."""

    totals: Sequence[float]
    """Rows of each cell over all groups."""
    cross: Sequence[Sequence[float]]
    """Sum over groups of the outer product of their counts per cell."""
    discordant_groups: int
    """Groups with at least one row that bears on the question: lost or gained, for a change."""
    groups: int
    """Groups with at least one row of the base."""

    def evened(self, base: Sequence[int]) -> Grouped:
        """The same, with its numbers of groups as those of equally large ones.

        Where few groups hold most of the rows, what those few do decides, and whether they differ
        is not to be seen in how many small ones do. Kish's factor, the squared mean of the sizes
        over the mean of their squares, says how many groups of one size are worth as much.

        Source: Kish (1965), Survey Sampling, ch. 8.2.
        """
        n = math.fsum(self.totals[cell] for cell in base)
        squares = math.fsum(self.cross[i][j] for i in base for j in base)
        even = min(1.0, n * n / (self.groups * squares)) if squares else 1.0
        return replace(
            self,
            discordant_groups=math.floor(self.discordant_groups * even + 1e-9),
            groups=max(math.floor(self.groups * even + 1e-9), 1),
        )


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Which cells are the base of a proportion, and which are lost or gained."""

    base: Sequence[int]
    """Cells that make up n (for recall: the positives)."""
    lost: Sequence[int]
    """Cells where only the baseline is right."""
    gained: Sequence[int]
    """Cells where only the candidate is right."""

    def count(self, cells: Sequence[float], part: Sequence[int]) -> float:
        """Rows of the given cells."""
        return math.fsum(cells[index] for index in part)

    def scores(self, size: int, line: Boundary) -> list[float]:
        """What one row of each cell adds to allowed minus observed losses."""
        return [
            line.intercept * (cell in self.base)
            - (cell in self.lost)
            + line.slope * (cell in self.gained)
            for cell in range(size)
        ]


def design_effect(data: Grouped, roles: Roles, line: Boundary | None = None) -> float:
    """How many rows weigh as much as one independent row; at least 1.

    Raises:
        ValueError: No row in the base, or the sums do not fit together.
    """
    scores = roles.scores(len(data.totals), line or Boundary(intercept=0.0))
    return effect(data, roles.base, scores, UNSEEN)


def effect(
    data: Grouped, base: Sequence[int], scores: Sequence[float], unseen: float = 0.0
) -> float:
    """Variance of the mean score between groups over that of as many independent rows, at least 1.

    Args:
        data: The groups.
        base: Cells that the mean is over.
        scores: What one row of each cell counts for.
        unseen: Groups that decide as one, 1 away from the mean, to reckon with besides; each of the
            size that a row's group has on average.

    Raises:
        ValueError: No row in the base, or the sums do not fit together.
    """
    _check(data)
    whole, n = whole_effect(data, base), math.fsum(data.totals[cell] for cell in base)
    sizes = [1.0 if cell in base else 0.0 for cell in range(len(data.totals))]
    if data.discordant_groups < ENOUGH_GROUPS:
        return whole
    mean = math.fsum(s * total for s, total in zip(scores, data.totals, strict=True)) / n
    residual = [score - mean * size for score, size in zip(scores, sizes, strict=True)]
    within = math.fsum(r * r * count for r, count in zip(residual, data.totals, strict=True))
    if within <= 0:
        return whole
    between = _quadratic(residual, data.cross) + unseen * whole**2
    between *= data.groups / (data.groups - 1)
    return max(1.0, between / (within + unseen * whole))


def whole_effect(data: Grouped, base: Sequence[int]) -> float:
    """The design effect if every group decides as one: the largest that there is, at least 1.

    Raises:
        ValueError: No row in the base.
    """
    n = math.fsum(data.totals[cell] for cell in base)
    if n == 0:
        raise ValueError("no row in the base of the proportion: nothing to test.")
    return max(1.0, math.fsum(data.cross[i][j] for i in base for j in base) / n)


@statistical_test
def test(data: Grouped, roles: Roles, margin: float) -> TestResult:
    """Is (gained - lost) / n at least ``-margin``, margin in (-1, 1)?"""
    arguments.open_interval("margin", margin, -1, 1)
    return against(data, roles, Boundary(intercept=margin), METHOD)


@statistical_test
def test_ratio(data: Grouped, roles: Roles, ratio: float) -> TestResult:
    """Is p_lost at most ``1 - ratio + ratio * p_gained`` on the rows of the base?

    With the base of rows that either model gets right: is the candidate's success rate at least
    ``ratio`` times the baseline's? With the rows that either gets wrong: is its error rate at most
    the baseline's over ``ratio``? Without such rows there is no evidence: both p-values are 1.
    """
    arguments.open_interval("ratio", ratio, 0, math.inf)
    if roles.count(data.totals, roles.base) == 0:
        return TestResult(p_value=1.0, p_harm=1.0, method=METHOD_RATIO)
    return against(data, roles, Boundary(intercept=1 - ratio, slope=ratio), METHOD_RATIO)


def against(data: Grouped, roles: Roles, line: Boundary, method: str) -> TestResult:
    """The test against any boundary ``p_lost = intercept + slope * p_gained``."""
    _check(data)
    whole = _as_one(data, roles)
    if whole is not None:
        return _exact(data, roles, line, whole)
    lost, gained, n = _effective(data, roles, line)
    z = line.score_of(lost, gained, n)
    df = data.discordant_groups - 1
    return TestResult(p_value=float(stdtr(df, -z)), p_harm=float(stdtr(df, z)), method=method)


def interval(data: Grouped, roles: Roles, confidence: float = 0.95) -> Interval:
    """Two-sided interval of (gained - lost) / n."""
    arguments.open_interval("confidence", confidence, 0, 1)
    whole = _as_one(data, roles)
    if whole is not None:
        lost, gained, n = (roles.count(data.totals, part) / whole for part in _parts(roles))
        found = tango.interval(lost, gained, n, confidence)
        return Interval(low=found.low, high=found.high, method=METHOD_FEW)
    lost, gained, n = _effective(data, roles, Boundary(intercept=0.0))
    t = float(stdtrit(data.discordant_groups - 1, (1 + confidence) / 2))
    found = tango.interval_at(lost, gained, n, t)
    return Interval(low=found.low, high=found.high, method=METHOD)


def _as_one(data: Grouped, roles: Roles) -> float | None:
    """The design effect of groups that are taken to decide as one; None: it is estimated."""
    whole = whole_effect(data, roles.base)
    few = data.discordant_groups < ENOUGH_GROUPS
    return whole if few or whole <= NEARLY_SINGLE else None


def _exact(data: Grouped, roles: Roles, line: Boundary, whole: float) -> TestResult:
    """The exact test on counts over a design effect, each p-value on the counts less in its favour.

    Without any loss that is as many groups of one size, which is the fewest that could have shown
    none; so the p-value is never below the chance of that.
    """
    lost, gained, n = (roles.count(data.totals, part) / whole for part in _parts(roles))
    rows = max(1, math.floor(n + _ROUNDING))
    most_lost, least_gained = _whole_counts(lost, gained, rows)
    most_gained, least_lost = _whole_counts(gained, lost, rows)
    return TestResult(
        p_value=paired_exact.tail_of_holding(most_lost, least_gained, rows, line),
        p_harm=paired_exact.tail_of_harm(least_lost, most_gained, rows, line),
        method=METHOD_FEW,
    )


def _whole_counts(most: float, least: float, rows: int) -> tuple[int, int]:
    """Shrunk counts of two roles as whole ones: the first rounded up, the second down."""
    up = min(math.ceil(most - _ROUNDING), rows)
    return up, min(math.floor(least + _ROUNDING), rows - up)


def _parts(roles: Roles) -> tuple[Sequence[int], ...]:
    return roles.lost, roles.gained, roles.base


def _effective(data: Grouped, roles: Roles, line: Boundary) -> tuple[float, float, float]:
    deff = design_effect(data, roles, line)
    lost, gained, n = (roles.count(data.totals, part) / deff for part in _parts(roles))
    return lost, gained, n


def _quadratic(weights: Sequence[float], cross: Sequence[Sequence[float]]) -> float:
    return math.fsum(
        one * other * cross[i][j]
        for i, one in enumerate(weights)
        for j, other in enumerate(weights)
        if one and other
    )


def _check(data: Grouped) -> None:
    size = len(data.totals)
    if size == 0 or len(data.cross) != size or any(len(row) != size for row in data.cross):
        raise ValueError("pass as many rows and columns of outer products as there are totals.")
    arguments.counts(**{f"total {index}": total for index, total in enumerate(data.totals)})
    if not 0 <= data.discordant_groups <= data.groups:
        raise ValueError(
            f"{data.discordant_groups} discordant of {data.groups} groups: count each group once."
        )
