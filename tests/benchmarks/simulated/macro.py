"""Macro recall, precision and F1 of four classes, balanced or with a rarest class of 5 %.

The candidate loses either in all classes or in the rarest one alone; what it loses goes to the
other classes evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import brentq

from prunegate.counting.tallies import LabelCounts
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.evidence.rates import Evidence
from prunegate.metrics.hypothesis import Difference
from simulated.gates import Pool, Shares, judged, pool_of

NAMES = "abcd"
CELLS = list(product(range(4), repeat=3))
UNBALANCED, BALANCED = (0.6, 0.2, 0.15, 0.05), (0.25, 0.25, 0.25, 0.25)
MODELS = ((0.97, 0.0), (0.8, 0.08), (0.9, 0.02))
"""The baseline's share of right decisions in each class, and how many rows differ anyway."""


@dataclass(frozen=True, kw_only=True)
class MacroMetric:
    """An average over four classes."""

    name: str
    kind: str
    draws: float
    rows: tuple[int, ...] = (50, 100, 300, 1000)
    margins: tuple[float, ...] = (0.02, 0.05)
    models: tuple[tuple[float, float], ...] = MODELS

    def states(self, change: float) -> list[Shares]:
        """Shares of the cells (label, baseline, candidate); the last loses in all classes."""
        settings = product((UNBALANCED, BALANCED), ((3,), (0, 1, 2, 3)), self.models)
        found = [self._moved(*setting, change) for setting in settings]
        return [shares for shares in found if shares is not None]

    def _moved(
        self,
        classes: Sequence[float],
        losing: Sequence[int],
        model: tuple[float, float],
        change: float,
    ) -> Shares | None:
        """The state with so much lost that the change comes out; None: there is too little."""

        def room(lost: float) -> float:
            return self._difference(_shares(classes, losing, model, lost)) - change

        most = model[0] - model[1] / 2
        if change == 0:
            return _shares(classes, losing, model, 0.0)
        if room(most) > 0:
            return None
        return _shares(classes, losing, model, float(brentq(room, 0.0, most)))

    def _difference(self, shares: Shares) -> float:
        # exact enough as counts of 10^12 rows, and so the gate's own definition of the metric
        found = self._evidence(np.round(shares * 1e12).astype(np.int64).tolist())
        assert found.candidate is not None
        assert found.baseline is not None
        return float(found.candidate - found.baseline)

    def pool(self, shares: Shares, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n rows in this state; equal tables are judged once."""
        size = max(1, round(draws * self.draws))
        drawn = np.random.default_rng(seed).multinomial(n, shares / shares.sum(), size=size)
        tables, place = np.unique(drawn, axis=0, return_inverse=True)
        claim = Difference(margin=Fraction(str(margin)))
        found = [judged(self._evidence(table), claim) for table in tables.tolist()]
        return pool_of(found, place)

    def _evidence(self, counts: Sequence[int]) -> Evidence:
        named = [(NAMES[label], NAMES[b], NAMES[c]) for label, b, c in CELLS]
        cells = {cell: rows for cell, rows in zip(named, counts, strict=True) if rows}
        return evidence(WantedMetric(metric=self.kind), LabelCounts(cells=cells))


def _shares(
    classes: Sequence[float], losing: Sequence[int], model: tuple[float, float], lost: float
) -> Shares:
    right, differing = model
    gain = min(differing / 2, 1 - right)

    def share(label: int, baseline: int, candidate: int) -> float:
        loss = differing / 2 + (lost if label in losing else 0.0)
        if baseline == label == candidate:
            return right - loss
        if baseline == label:
            return loss / 3
        if candidate == label:
            return gain / 3
        return (1 - right - gain) / 3 if baseline == candidate else 0.0

    return np.array([classes[cell[0]] * share(*cell) for cell in CELLS]).clip(min=0.0)


MACRO = (
    MacroMetric(name="macro f1", kind="f1", draws=0.1),
    MacroMetric(name="macro recall", kind="recall", draws=0.05),
    MacroMetric(name="macro precision", kind="precision", draws=0.05),
)
