"""Balanced accuracy and MCC of a yes/no task, at 50, 20 or 5 % positives.

The candidate loses hits, adds false alarms, or both; what differs anyway is 0, 2 or 8 % of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import brentq

from prunegate.evidence.of_metric import of_decisions
from prunegate.metrics.hypothesis import Difference
from prunegate.stats import macro
from simulated.gates import Pool, Shares, judged, pool_of

PREVALENCES, MODELS, DIFFERING = (0.5, 0.2, 0.05), ((0.9, 0.8), (0.97, 0.97)), (0.08, 0.02, 0.0)
LOSING = ((1,), (0,), (0, 1))
"""Labels of the rows that the candidate gets worse on."""


@dataclass(frozen=True, kw_only=True)
class OfTwo:
    """One number of a two by two table for either model."""

    name: str
    metric: str
    kind: macro.Kind
    draws: float = 0.05
    rows: tuple[int, ...] = (50, 100, 300, 1000)
    margins: tuple[float, ...] = (0.02, 0.05)

    def states(self, change: float) -> list[Shares]:
        """Shares of the eight cells; the last loses on both labels."""
        found = [
            self._moved(*setting, change)
            for setting in product(PREVALENCES, MODELS, DIFFERING, LOSING)
        ]
        return [shares for shares in found if shares is not None]

    def _moved(
        self,
        prevalence: float,
        model: tuple[float, float],
        differing: float,
        losing: Sequence[int],
        change: float,
    ) -> Shares | None:
        """The state in which the change comes out; None: it cannot."""

        def shares(lost: float) -> Shares:
            each = [_share(cell, prevalence, model, differing, losing, lost) for cell in range(8)]
            return np.array(each).clip(min=0.0)

        def room(lost: float) -> float:
            table = macro.of_two(self.kind, shares(lost).tolist())
            return macro.room(table, 1.0, -change)

        if change == 0:
            return shares(0.0)
        right = [model[0] if label else model[1] for label in losing]
        most = min(right) - differing / 2 - 1e-9
        if not (room(0.0) > 0 > room(most)):
            return None
        return shares(float(brentq(room, 0.0, most)))

    def pool(self, shares: Shares, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n rows in this state; equal tables are judged once."""
        size = max(1, round(draws * self.draws))
        drawn = np.random.default_rng(seed).multinomial(n, shares / shares.sum(), size=size)
        tables, place = np.unique(drawn, axis=0, return_inverse=True)
        claim = Difference(margin=Fraction(str(margin)))
        found = [judged(of_decisions(self.metric, tuple(t)), claim) for t in tables.tolist()]
        return pool_of(found, place)


def _share(
    cell: int,
    prevalence: float,
    model: tuple[float, float],
    differing: float,
    losing: Sequence[int],
    lost: float,
) -> float:
    label, baseline, candidate = cell >> 2 & 1, cell >> 1 & 1, cell & 1
    right = model[0] if label else model[1]
    loss = differing / 2 + (lost if label in losing else 0.0)
    gain = min(differing / 2, 1 - right)
    roles = {(True, True): right - loss, (True, False): loss, (False, True): gain}
    share = roles.get((baseline == label, candidate == label), 1 - right - gain)
    return (prevalence if label else 1 - prevalence) * share


TWO_CLASSES = (
    OfTwo(name="balanced accuracy", metric="balanced_accuracy", kind="recall"),
    OfTwo(name="mcc", metric="mcc", kind="mcc"),
)
