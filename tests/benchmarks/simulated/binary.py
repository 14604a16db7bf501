"""Recall, accuracy, precision and F1 of independent rows, drawn from the eight cells.

Cells are numbered 4*label + 2*baseline + candidate.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from prunegate.evidence.of_metric import of_decisions
from prunegate.metrics.hypothesis import Difference
from simulated.gates import Pool, Shares, judged, pool_of


@dataclass(frozen=True, kw_only=True)
class CellMetric:
    """A metric of yes/no decisions; rows are drawn from the cells that it is about."""

    name: str
    about: tuple[int, ...]
    """Cells whose rows count."""
    rate: float
    """Share of them in which the two models agree and are right, before any change."""
    ways: tuple[tuple[int | None, int], ...]
    """How the candidate gets worse: rows go from this cell to that one, or (None) are added."""
    alike: tuple[tuple[int, int], ...] = ()
    """Cells whose rows count as the other cell's: a test of a difference sees lost and gained."""
    draws: float = 1.0
    """Share of the wanted draws, where a test takes long."""
    rows: tuple[int, ...] = (50, 100, 300, 1000)
    margins: tuple[float, ...] = (0.02, 0.05)

    def states(self, change: float) -> list[Shares]:
        """States of nature in which the candidate's value changes by so much."""
        found = [
            self._moved(self._unchanged(differing), source, target, change)
            for differing, (source, target) in product((0.0, 0.02), self.ways)
        ]
        return [shares for shares in found if shares is not None]

    def _unchanged(self, differing: float) -> Shares:
        """Both models alike; a share of the rows differs, as often for the better as the worse."""
        right = [cell for cell in self.about if cell in (0, 7)]
        wrong = [cell for cell in self.about if cell in (3, 4)]
        shares = np.zeros(8)
        shares[right] = self.rate / len(right)
        shares[wrong] = (1 - self.rate) / len(wrong)
        differ = [cell for cell in self.about if cell in (1, 2, 5, 6)]
        shares *= 1 - differing
        shares[differ] = differing / len(differ)
        return shares

    def _moved(
        self, shares: Shares, source: int | None, target: int, change: float
    ) -> Shares | None:
        """The state with so many rows moved that the change comes out; None: there are too few."""
        if change == 0:
            return shares
        step, most = np.zeros(8), 10.0
        step[target] = 1.0
        if source is not None:
            step[source], most = -1.0, float(shares[source]) * (1 - 1e-9)
        if self._difference(shares + most * step) > change:
            return None
        amount = brentq(lambda x: self._difference(shares + x * step) - change, 0.0, most)
        moved: Shares = shares + amount * step
        return moved

    def _difference(self, shares: Shares) -> float:
        # exact enough as counts of 10^12 rows, and so the gate's own definition of the metric
        counts = np.round(shares * 1e12).astype(np.int64).tolist()
        found = of_decisions(self.name, tuple(counts))
        assert found.candidate is not None
        assert found.baseline is not None
        return float(found.candidate - found.baseline)

    def pool(self, shares: Shares, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n rows in this state; equal tables are judged once."""
        size = max(1, round(draws * self.draws))
        drawn = np.random.default_rng(seed).multinomial(n, shares / shares.sum(), size=size)
        tables, place = np.unique(self._sufficient(drawn), axis=0, return_inverse=True)
        claim = Difference(margin=Fraction(str(margin)))
        found = [judged(of_decisions(self.name, tuple(c)), claim) for c in tables.tolist()]
        return pool_of(found, place)

    def _sufficient(self, drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tables with the alike cells merged: fewer different ones to judge."""
        merged = drawn.copy()
        for source, target in self.alike:
            merged[:, target] += merged[:, source]
            merged[:, source] = 0
        return merged


BINARY = (
    CellMetric(name="recall", about=(4, 5, 6, 7), rate=0.85, ways=((7, 6),), alike=((4, 7),)),
    CellMetric(
        name="accuracy",
        about=tuple(range(8)),
        rate=0.92,
        ways=((7, 6), (0, 1)),
        alike=((0, 7), (3, 7), (4, 7), (1, 6), (2, 5)),
    ),
    CellMetric(
        name="precision", about=(1, 2, 3, 5, 6, 7), rate=0.85, ways=((7, 6), (None, 1)), draws=0.2
    ),
    CellMetric(name="f1", about=tuple(range(1, 8)), rate=0.75, ways=((7, 6), (None, 1)), draws=0.2),
)
