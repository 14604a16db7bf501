"""How often the whole gate errs, by simulation: one table of rates per metric, rows and slices.

A slice is drawn again and again at a known true change and judged by the gate's own evidence; that
gives a pool of outcomes per metric, number of rows and truth. K independent slices are K draws from
the pools, and the gate's decision on them is the verdict's: approve if every slice is shown to
hold, reject if one is shown to be broken after Holm.

- false approve: one slice is worse by exactly its margin, the others have not changed.
- false reject: every slice is worse by exactly its margin, so that every rejection is one too many.
- power: one slice is worse by 2 or 5 margins, the others have not changed; how often it is
  rejected. The last column is how often a candidate that changes nothing is approved.

Each false rate is that of the worst of several boundary states (how many decisions differ, and
which way the candidate gets worse). n counts the rows that the metric is about: positives for
recall, all rows for accuracy, rows that either model calls positive for precision, and those or
positive for F1. Slices too small for a method count as never approved and never rejected.

    python tests/benchmarks/error_rates.py --metrics recall accuracy --draws 20000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from prunegate.evaluation.evidence import Evidence
from prunegate.evaluation.hypothesis import Difference
from prunegate.evaluation.metrics import of_decisions
from prunegate.verdict.drafts import Draft
from prunegate.verdict.finding import Finding
from prunegate.verdict.settle import outcome, settle

ALPHA = 0.05
SLICES = (5, 20, 100)
GATES = 10_000
CHECKED = 20
Shares = NDArray[np.float64]


def judged(metric: str, cells: Sequence[int], margin: float) -> tuple[float, float, bool]:
    """p-value, p-value of harm, and whether the gate takes them for evidence."""
    found: Evidence = of_decisions(metric, tuple(cells))
    if found.baseline is None or found.candidate is None or found.too_few:
        return 1.0, 1.0, False
    result = found.test(Difference(margin=Fraction(str(margin))))
    return result.p_value, result.p_harm, True


# --- metrics: shares of the eight cells (4*label + 2*baseline + candidate) ----------------------


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
        outcomes = np.array([judged(self.name, cells, margin) for cells in tables.tolist()])
        p, harm, usable = outcomes[place.ravel()].T
        return Pool(p=p, harm=harm, usable=usable.astype(bool))

    def _sufficient(self, drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tables with the alike cells merged: fewer different ones to judge."""
        merged = drawn.copy()
        for source, target in self.alike:
            merged[:, target] += merged[:, source]
            merged[:, source] = 0
        return merged


METRICS = (
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


# --- the gate on K slices ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What was concluded about slices drawn in one state of nature."""

    p: Shares
    harm: Shares
    usable: NDArray[np.bool_]

    def take(self, rng: np.random.Generator, shape: tuple[int, int]) -> Pool:
        """So many gates (rows) of so many slices (columns), at random from this pool."""
        at = rng.integers(len(self.p), size=shape)
        return Pool(p=self.p[at], harm=self.harm[at], usable=self.usable[at])

    def beside(self, other: Pool) -> Pool:
        """The slices of both, gate by gate."""
        pairs = [(getattr(self, f), getattr(other, f)) for f in ("p", "harm", "usable")]
        p, harm, usable = (np.concatenate(pair, axis=1) for pair in pairs)
        return Pool(p=p, harm=harm, usable=usable)

    def approved(self) -> NDArray[np.bool_]:
        """Per gate: every slice is shown to hold."""
        return np.asarray(np.all((self.p <= ALPHA) & self.usable, axis=1))

    def rejected(self) -> NDArray[np.bool_]:
        """Per gate: some slice is shown to be broken, after Holm."""
        order = np.argsort(self.harm, axis=1)
        harm = np.take_along_axis(self.harm, order, axis=1)
        count = harm.shape[1]
        adjusted = np.maximum.accumulate(harm * (count - np.arange(count)), axis=1)
        usable = np.take_along_axis(self.usable, order, axis=1)
        return np.asarray(np.any((adjusted <= ALPHA) & usable, axis=1))

    def require_verdict(self) -> Pool:
        """These gates, after the verdict's own code has decided some of them the same way.

        Raises:
            RuntimeError: it decides otherwise.
        """
        few = Pool(p=self.p[:CHECKED], harm=self.harm[:CHECKED], usable=self.usable[:CHECKED])
        words = np.where(few.approved(), "approve", "inconclusive")
        for gate, ours in enumerate(np.where(few.rejected(), "reject", words)):
            found = outcome(settle(list(few._drafts(gate)), ALPHA))
            if found != ours:
                raise RuntimeError(f"the verdict says {found}, this script {ours}")
        return self

    def _drafts(self, gate: int) -> Iterator[Draft]:
        for p, harm, usable in zip(
            self.p[gate], self.harm[gate], self.usable[gate].tolist(), strict=True
        ):
            finding = Finding(
                rule=0,
                metric="recall",
                slice="drawn",
                check="max_drop",
                status="pass" if usable and p <= ALPHA else "inconclusive",
                severity="block",
                evidence="proven",
                baseline=None,
                candidate=None,
                difference=None,
                ci_low=None,
                ci_high=None,
                limit=0.0,
                p_value=float(p),
                p_harm=float(harm),
                n=0,
                method="",
            )
            yield Draft(finding=finding, contestable=usable)


@dataclass(frozen=True, kw_only=True)
class Pools:
    """Pools of one metric, number of rows and margin."""

    unchanged: Pool
    at_margin: tuple[Pool, ...]
    """One per boundary state."""
    worse: tuple[Pool, ...]
    """A change of 2 and of 5 margins."""


def pools(metric: CellMetric, n: int, margin: float, draws: int) -> Pools:
    """Draw and judge; every pool has a seed of its own."""

    def drawn(times: int, shares: Shares, place: int = 0) -> Pool:
        seed = [n, round(1e4 * margin), times, place]
        return metric.pool(shares, n, margin, draws, seed)

    boundary = metric.states(-margin)
    return Pools(
        unchanged=drawn(0, metric.states(0)[-1]),
        at_margin=tuple(drawn(1, shares, place) for place, shares in enumerate(boundary)),
        worse=tuple(drawn(times, metric.states(-times * margin)[-1]) for times in (2, 5)),
    )


def rates(known: Pools, slices: int) -> list[str]:
    """The columns of one row."""
    rng = np.random.default_rng(slices)
    rest = known.unchanged.take(rng, (GATES, slices - 1))

    def one(pool: Pool) -> Pool:
        return pool.take(rng, (GATES, 1)).beside(rest).require_verdict()

    draws = len(known.unchanged.p)
    approve = max(one(pool).approved().mean() for pool in known.at_margin)
    every = [pool.take(rng, (GATES, slices)).require_verdict() for pool in known.at_margin]
    reject = max(gates.rejected().mean() for gates in every)
    power = [one(pool).rejected().mean() for pool in known.worse]
    return [
        _error_rate(approve, math.sqrt(ALPHA * (1 - ALPHA) / draws)),
        # a rejection rests on the pool's few draws below alpha / K
        _error_rate(reject, ALPHA / math.sqrt(draws * ALPHA / slices)),
        *(f"{rate:.3f}" for rate in (*power, one(known.unchanged).approved().mean())),
    ]


def _error_rate(rate: float, of_pool: float) -> str:
    """An error rate; above alpha by more than two standard errors it is said so."""
    error = math.hypot(of_pool, math.sqrt(ALPHA * (1 - ALPHA) / GATES))
    return f"{rate:.3f}" + (" **above**" if rate - ALPHA > 2 * error else "")


def main() -> None:
    """Print a Markdown table."""
    names = [metric.name for metric in METRICS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", nargs="+", choices=names, default=names)
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 100, 300, 1000])
    parser.add_argument("--margins", type=float, nargs="+", default=[0.02, 0.05])
    parser.add_argument("--draws", type=int, default=20_000)
    chosen = parser.parse_args()
    print("| metric | n | margin | K | false approve | false reject | rejects 2 x | 5 x |", end="")
    print(" approves no change |\n|---|---|---|---|---|---|---|---|---|")
    metrics = [metric for metric in METRICS if metric.name in chosen.metrics]
    for metric, n, margin in product(metrics, chosen.rows, chosen.margins):
        known = pools(metric, n, margin, chosen.draws)
        for slices in SLICES:
            columns = [metric.name, n, margin, slices, *rates(known, slices)]
            print(f"| {' | '.join(map(str, columns))} |", flush=True)


if __name__ == "__main__":
    main()
