"""Grouped rates: the same rates as of independent rows, for rows that come in groups.

Counts are divided by their design effect, and tails are Student's with as many degrees of freedom
as there are groups that bear on the question, less one.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from prunegate.counting.cluster_sums import Clusters
from prunegate.evidence.overlapping_rates import OverlappingRate, as_linear
from prunegate.evidence.rates import PairedRate, SingleRate
from prunegate.metrics.hypothesis import Contrast, Difference, Hypothesis, Level, SuccessRatio
from prunegate.stats import clusters, joint_counts, korn_graubard
from prunegate.stats.clusters import Grouped, Roles
from prunegate.stats.reliable import SCORE_MINIMUM
from prunegate.stats.result import Interval, TestResult
from prunegate.text.said import joined, said

BOTH, LOST, GAINED, NEITHER = range(4)
Parts = Sequence[frozenset[object]]
"""Cells of a slice by role: both right, lost, gained, neither right."""


def grouped_by(groups: Clusters, parts: Parts, totals: Sequence[int]) -> Grouped:
    """A slice's groups by the roles that its cells play for one rate."""
    role = {cell: index for index, cells in enumerate(parts) for cell in cells}
    discordant = groups.holding(lambda cell: role.get(cell) in (LOST, GAINED))
    base = groups.holding(lambda cell: cell in role)
    return Grouped(
        totals=totals,
        cross=groups.cross(role.get, len(parts)),
        discordant_groups=discordant,
        groups=max(base, discordant),
    ).evened(range(len(parts)))


def _level(
    groups: Clusters, right: frozenset[object], wrong: frozenset[object], totals: tuple[int, int]
) -> tuple[float, float, int]:
    """Effective successes and rows of one rate, and the groups that bear on it."""
    informative = min(
        groups.holding(lambda cell: cell in right), groups.holding(lambda cell: cell in wrong)
    )
    every = groups.holding(lambda cell: cell in right or cell in wrong)
    role = {**dict.fromkeys(right, 0), **dict.fromkeys(wrong, 1)}
    data = Grouped(
        totals=totals,
        cross=groups.cross(role.get, 2),
        discordant_groups=informative,
        groups=max(every, informative),
    ).evened((0, 1))
    effect = clusters.effect(data, (0, 1), (1.0, 0.0))
    enough = data.discordant_groups >= clusters.ENOUGH_GROUPS
    bearing = data.discordant_groups if enough else data.groups
    return totals[0] / effect, sum(totals) / effect, bearing


def _test_level(level: Level, effective: tuple[float, float, int]) -> TestResult:
    x, n, groups = effective
    test = korn_graubard.test_at_least if level.at_least else korn_graubard.test_at_most
    return test(x, n, float(level.limit), groups)


@dataclass(frozen=True, kw_only=True)
class GroupedPairedRate(PairedRate):
    """Recall, specificity, accuracy or false positive rate of grouped rows."""

    parts: Parts
    groups: Clusters

    def _level(self, level: Level) -> TestResult:
        return _test_level(level, self._effective())

    def outweighed(self, hypothesis: Hypothesis, alpha: float) -> int | None:
        if isinstance(hypothesis, Level):
            return None
        cells = frozenset[object]().union(*self.parts)
        groups = self.groups.holding(cells.__contains__)
        weight = int(self.n / clusters.whole_effect(self._data, range(4)))

        def unshown(rows: int) -> bool:
            """Whether not even so many rows that both models get right would show it."""
            best = PairedRate(both=rows, lost=0, gained=0, neither=0)
            return best.test(hypothesis).p_value > alpha

        return weight if unshown(weight) and not unshown(groups) else None

    def _effective(self) -> tuple[float, float, int]:
        right, wrong = self.parts[BOTH] | self.parts[GAINED], self.parts[LOST] | self.parts[NEITHER]
        totals = self.both + self.gained, self.lost + self.neither
        return _level(self.groups, right, wrong, totals)

    @property
    def _data(self) -> Grouped:
        totals = (self.both, self.lost, self.gained, self.neither)
        return grouped_by(self.groups, self.parts, totals)

    def _contrast(self, contrast: Contrast) -> TestResult:
        lost, gained = ((GAINED,), (LOST,)) if contrast.swapped else ((LOST,), (GAINED,))
        if isinstance(contrast, Difference):
            roles = Roles(base=range(4), lost=lost, gained=gained)
            return clusters.test(self._data, roles, float(contrast.margin))
        if isinstance(contrast, SuccessRatio):
            roles = Roles(base=(BOTH, LOST, GAINED), lost=lost, gained=gained)
            return clusters.test_ratio(self._data, roles, float(contrast.ratio))
        roles = Roles(base=(LOST, GAINED, NEITHER), lost=lost, gained=gained)
        return clusters.test_ratio(self._data, roles, float(1 / contrast.ratio))

    def level_interval(self) -> Interval:
        return korn_graubard.interval(*self._effective())

    def change_interval(self) -> Interval:
        roles = Roles(base=range(4), lost=(LOST,), gained=(GAINED,))
        return clusters.interval(self._data, roles)


@dataclass(frozen=True, kw_only=True)
class GroupedSingleRate(SingleRate):
    """Negative flip rate or churn of grouped rows."""

    right: frozenset[object]
    wrong: frozenset[object]
    groups: Clusters

    def _level(self, level: Level) -> TestResult:
        return _test_level(level, self._effective())

    def _effective(self) -> tuple[float, float, int]:
        return _level(self.groups, self.right, self.wrong, (self.good, self.n - self.good))

    def level_interval(self) -> Interval:
        return korn_graubard.interval(*self._effective())


@dataclass(frozen=True, kw_only=True)
class GroupedOverlappingRate(OverlappingRate):
    """Precision or F1 of grouped rows."""

    groups: Clusters = field(kw_only=True)

    @property
    def reliable(self) -> bool:
        return self._independent >= SCORE_MINIMUM

    @property
    def _independent(self) -> int:
        """How many independent rows the smaller denominator weighs as much as."""
        effect, _ = self._effect(1.0, swapped=False)
        return int(min(self.parts(1)[1], self.parts(2)[1]) / effect)

    @property
    def too_few(self) -> str:
        if self.reliable:
            return ""
        return said("too_few.grouped", least=SCORE_MINIMUM, n=self._independent)

    @property
    def lacking(self) -> int:
        effect, _ = self._effect(1.0, swapped=False)
        smallest = min(self.parts(1)[1], self.parts(2)[1])
        return max(0, math.ceil(SCORE_MINIMUM * effect) - smallest)

    def _effect(self, slope: float, *, swapped: bool) -> tuple[float, int | None]:
        """Design effect of candidate - slope * baseline (or the reverse); degrees of freedom."""
        differing = self.groups.holding(lambda cell: cell in (1, 2, 5, 6))
        data = Grouped(
            totals=self.cells,
            cross=self.groups.cross(lambda cell: cell, 8),
            discordant_groups=differing,
            groups=self.groups.groups,
        )
        base = [i for i in range(1, 8) if i & 3 or self.f1]
        data = data.evened(base)
        effect = clusters.effect(data, base, self._influence(slope, swapped=swapped))
        bearing = data.discordant_groups
        return effect, bearing - 1 if bearing >= 2 else None

    def _influence(self, slope: float, *, swapped: bool) -> list[float]:
        kind: joint_counts.Kind = "f1" if self.f1 else "precision"
        candidate, baseline = (
            _centred(joint_counts.weights(kind, model), self.cells)
            for model in ("candidate", "baseline")
        )
        ahead, behind = (baseline, candidate) if swapped else (candidate, baseline)
        return [a - slope * b for a, b in zip(ahead, behind, strict=True)]

    def _contrast(self, contrast: Contrast) -> TestResult:
        effect, df = self._effect(as_linear(contrast)[0], swapped=contrast.swapped)
        found = self._tested([cell / effect for cell in self.cells], contrast, df)
        return (
            found
            if self.strict
            else replace(found, method=joined((found.method, "design effect"), ", "))
        )

    def _share_level(self, level: Level) -> TestResult:
        return _test_level(level, self._effective())

    def _effective(self) -> tuple[float, float, int]:
        right, about = self.places(1)
        hits, n = self.parts(1)
        return _level(
            self.groups, frozenset[object](right), frozenset(about - right), (hits, n - hits)
        )

    def _share_interval(self) -> Interval:
        return korn_graubard.interval(*self._effective())

    def change_interval(self) -> Interval:
        effect, _ = self._effect(1.0, swapped=False)
        return self._change([cell / effect for cell in self.cells])


def _centred(weights: joint_counts.Weights, cells: Sequence[int]) -> list[float]:
    """Influence of one row of each cell on a ratio of sums."""
    top, bottom = weights.totals(cells)
    return [(u - top / bottom * v) / bottom for u, v in zip(weights.u, weights.v, strict=True)]
