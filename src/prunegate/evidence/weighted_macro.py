"""Weighted macro averages and coefficients: of rows that have unlike design weights."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

import numpy as np

from prunegate.evidence.macro_rate import MacroRate
from prunegate.evidence.overlapping_rates import as_linear
from prunegate.evidence.weighted_rates import LEAST_EFFECTIVE, WeightedRows
from prunegate.metrics.hypothesis import Contrast, Hypothesis, Level
from prunegate.stats import macro, weighted
from prunegate.stats.macro import ConfusionCounts
from prunegate.stats.result import Interval, TestResult
from prunegate.stats.weighted import WeightedContrast
from prunegate.text.said import said


@dataclass(frozen=True, kw_only=True)
class WeightedMacroRate(MacroRate):
    """The average over the classes, or a coefficient; ``cells`` are sums of weights."""

    exact_levels: ClassVar = False

    rows: WeightedRows

    @property
    def n(self) -> int:
        return self.rows.plain.n

    @property
    def lost(self) -> int:
        return self.rows.plain.lost or 0

    @property
    def gained(self) -> int:
        return self.rows.plain.gained or 0

    @property
    def effective(self) -> int | None:
        return self.rows.effective

    @property
    def _rarest(self) -> int:
        """As many rows of equal weight as those of the class that is worth least."""
        return min(
            math.floor(self.rows.weights.effective([c for c in self._cells if c[0] == name]))
            for name in self._support
        )

    @property
    def lacking(self) -> int:
        return max(0, self.least_rows - self._rarest, LEAST_EFFECTIVE - self.rows.effective)

    @property
    def too_few(self) -> str:
        if not self.lacking:
            return ""
        return said(
            "too_few.macro_weighted",
            least=LEAST_EFFECTIVE,
            each=self.least_rows,
            rows=self.rows.effective,
            rarest=self._rarest,
        )

    def _level(self, level: Level) -> TestResult:
        return self._level_from(float(level.limit)).test(at_least=level.at_least)

    def _contrast(self, contrast: Contrast) -> TestResult:
        return self._weigh(contrast).test()

    def _level_from(self, limit: float) -> WeightedContrast:
        return self._less(self._numbered, 0.0, -limit)

    def _weigh(self, contrast: Contrast) -> WeightedContrast:
        slope, margin = as_linear(contrast)
        table = self._numbered.swapped if contrast.swapped else self._numbered
        return self._less(table, slope, margin)

    def _less(self, table: ConfusionCounts, slope: float, margin: float) -> WeightedContrast:
        wider, ends = _with_ends(table, slope)

        def scores(masses: Sequence[float]) -> Sequence[float]:
            held = np.asarray(masses, dtype=float)
            shares = held / held.sum()
            added = macro.influence(wider, slope, shares) + macro.room(wider, slope, margin, shares)
            found: list[float] = added.tolist()
            return found

        unseen = (*self._cells, "worst", "best")
        cells = self.rows.cells(unseen, scores(wider.count.tolist()))
        return WeightedContrast(cells=cells, scores=scores, ends=ends)

    def level_interval(self) -> Interval:
        seen = float(self.candidate or 0)
        return weighted.interval(self._level_from, macro.ends(self.kind, 0.0), seen)

    def change_interval(self) -> Interval:
        seen = float((self.candidate or 0) - (self.baseline or 0))
        return weighted.interval(self._change_from, macro.ends(self.kind, 1.0), seen)

    def _change_from(self, change: float) -> WeightedContrast:
        return self._less(self._numbered, 1.0, -change)

    def reliable_for(self, hypothesis: Hypothesis) -> bool:
        del hypothesis
        return not self.lacking


def _with_ends(table: ConfusionCounts, slope: float) -> tuple[ConfusionCounts, tuple[int, int]]:
    """The table with two cells more, empty: where one row harms most, and where it helps most."""
    names = range(table.classes)
    decided = range(table.decided)
    changes = [(y, y, d) for y, d in product(names, decided)]
    changes += [(y, d, y) for y, d in product(names, decided)]
    every = np.array(changes, dtype=np.intp).T
    scored = macro.influence(_longer(table, every), slope)[table.count.size :]
    picked = every[:, [int(scored.argmin()), int(scored.argmax())]]
    size = table.count.size
    return _longer(table, picked), (size, size + 1)


def _longer(
    table: ConfusionCounts, cells: np.ndarray[tuple[int, int], np.dtype[np.intp]]
) -> ConfusionCounts:
    label, baseline, candidate = cells
    return replace(
        table,
        label=np.concatenate([table.label, label]),
        baseline=np.concatenate([table.baseline, baseline]),
        candidate=np.concatenate([table.candidate, candidate]),
        count=np.concatenate([table.count, np.zeros(label.size)]),
    )
