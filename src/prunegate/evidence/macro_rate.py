"""Rates over classes: a macro average, in which every class weighs the same, or a coefficient.

Macro recall (of two classes the balanced accuracy), precision and F1, and Matthews' correlation
coefficient. All are one number of the whole table of labels and decisions.
"""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.tallies import Triple
from prunegate.evidence.overlapping_rates import as_linear
from prunegate.evidence.rates import TestedEvidence
from prunegate.metrics.hypothesis import Contrast, Level
from prunegate.stats import clusters, macro
from prunegate.stats.class_coefficients import COEFFICIENTS
from prunegate.stats.result import Interval, TestResult
from prunegate.text.said import said


def class_share(
    cells: Mapping[tuple[Any, Any, Any], int], name: Any, model: int, kind: macro.Kind
) -> Fraction | None:
    """Recall, precision or F1 of one class; None where it is not defined.

    Args:
        cells: rows by label, baseline's and candidate's answer.
        name: the class.
        model: place of the model's answer in a cell.
        kind: which of the three.
    """
    hits = labelled = called = 0
    for cell, n in cells.items():
        hits += n * (cell[0] == name == cell[model])
        labelled += n * (cell[0] == name)
        called += n * (cell[model] == name)
    if kind == "f1":
        return Fraction(2 * hits, labelled + called) if labelled + called else None
    below = labelled if kind == "recall" else called
    return Fraction(hits, below) if below else None


@dataclass(frozen=True, kw_only=True)
class OfConfusion(TestedEvidence):
    """One number of a table of labels and of both models' decisions."""

    exact_levels: ClassVar = False

    kind: macro.Kind
    cells: Mapping[tuple[Any, Any, Any], int]
    """Rows by label, baseline's and candidate's decision."""

    @property
    def n(self) -> int:
        return sum(self.cells.values())

    @property
    def baseline(self) -> Fraction | None:
        return self._average(1)

    @property
    def candidate(self) -> Fraction | None:
        return self._average(2)

    @property
    def lost(self) -> int:
        return sum(n for (y, b, c), n in self.cells.items() if b == y != c)

    @property
    def gained(self) -> int:
        return sum(n for (y, b, c), n in self.cells.items() if c == y != b)

    @abstractmethod
    def _average(self, model: int) -> Fraction | None:
        """The value of the model at this place of a cell."""

    @abstractmethod
    def _table(
        self, slope: float, *, swapped: bool = False
    ) -> tuple[macro.ConfusionCounts, int | None]:
        """The counts to be tested, and degrees of freedom where there are few groups."""

    def _level(self, level: Level) -> TestResult:
        table, df = self._table(0.0)
        found = macro.test(table, 0.0, -float(level.limit), df)
        if level.at_least:
            return found
        return replace(found, p_value=found.p_harm, p_harm=found.p_value)

    def _contrast(self, contrast: Contrast) -> TestResult:
        slope, margin = as_linear(contrast)
        table, df = self._table(slope, swapped=contrast.swapped)
        return macro.test(table, slope, margin, df)

    def level_interval(self) -> Interval:
        return macro.interval(self._table(0.0)[0], 0.0)

    def change_interval(self) -> Interval:
        return macro.interval(self._table(1.0)[0], 1.0)


@dataclass(frozen=True, kw_only=True)
class MacroRate(OfConfusion):
    """The average over the classes that occur as a label among the rows.

    A decision for a class that no row is labelled with is an error of the row's own class; for the
    coefficient it is a class like any other.
    """

    cells: Mapping[Triple, int]
    least_classes: int = 1
    """With fewer classes as labels there is no value."""
    least_rows: int = 0
    """Rows of the rarest class from which the method's error rates have been measured."""
    groups: Clusters | None = field(default=None, compare=False)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes that are averaged; of the coefficient all that occur."""
        counted = 3 if self.kind in COEFFICIENTS else 1
        return tuple(sorted({name for cell in self.cells for name in cell[:counted]}))

    @cached_property
    def _support(self) -> dict[str, int]:
        """Rows of every class that occurs as a label."""
        found: dict[str, int] = {}
        for (label, _, _), n in self.cells.items():
            found[label] = found.get(label, 0) + n
        return found

    @property
    def too_few(self) -> str:
        if self.reliable:
            return ""
        return said("too_few.macro", least=self.least_rows, n=min(self._support.values()))

    @property
    def lacking(self) -> int:
        return max(0, self.least_rows - min(self._support.values(), default=0))

    def _average(self, model: int) -> Fraction | None:
        if len(self._support) < max(self.least_classes, 1):
            return None
        if self.kind in COEFFICIENTS:
            candidate, baseline = self._numbered.models
            value = macro.average(self._numbered, baseline if model == 1 else candidate)
            return Fraction(value) if math.isfinite(value) else None
        total = Fraction(0)
        for name in self.classes:
            share = class_share(self.cells, name, model, self.kind)
            if share is None:
                return None
            total += share
        return total / len(self.classes)

    @cached_property
    def _cells(self) -> tuple[Triple, ...]:
        """In an order of their own: the engine's differs from run to run, and sums with it."""
        return tuple(sorted(self.cells))

    @cached_property
    def _numbered(self) -> macro.ConfusionCounts:
        place = {name: index for index, name in enumerate(self.classes)}
        numbers = [[place.get(part, len(place)) for part in cell] for cell in self._cells]
        label, baseline, candidate = np.array(numbers, dtype=np.intp).T
        return macro.ConfusionCounts(
            kind=self.kind,
            classes=len(place),
            label=label,
            baseline=baseline,
            candidate=candidate,
            count=np.array([self.cells[cell] for cell in self._cells], dtype=float),
        )

    def _table(
        self, slope: float, *, swapped: bool = False
    ) -> tuple[macro.ConfusionCounts, int | None]:
        """The counts, over their design effect where rows come in groups; degrees of freedom."""
        table = self._numbered.swapped if swapped else self._numbered
        if self.groups is None:
            return table, None
        place: dict[Hashable, int] = {cell: index for index, cell in enumerate(self._cells)}
        wrong = self.groups.holding(lambda cell: not cell[0] == cell[1] == cell[2])
        grouped = clusters.Grouped(
            totals=table.count.tolist(),
            cross=self.groups.cross(place.get, len(place)),
            discordant_groups=wrong,
            groups=self.groups.groups,
        ).evened(range(len(place)))
        scores = macro.influence(table, slope).tolist()
        effect = clusters.effect(grouped, range(len(place)), scores)
        enough = grouped.discordant_groups >= clusters.ENOUGH_GROUPS
        df = max((grouped.discordant_groups if enough else grouped.groups) - 1, 1)
        return replace(table, count=table.count / effect), df
