"""How often the whole gate errs, by simulation: one table of rates per metric, rows and slices.

A slice is drawn again and again at a known true change and judged by the gate's own evidence; that
gives a pool of outcomes per metric, number of rows and truth. K independent slices are K draws from
the pools, and the gate's decision on them is the verdict's: approve if every slice is shown to
hold, reject if one is shown to be broken after Holm.

- false approve: one slice is worse by exactly its margin, the others have not changed.
- false reject: every slice is worse by exactly its margin, so that every rejection is one too many.
- power: one slice is worse by 2 or 5 margins, the others have not changed; how often it is
  rejected. The last column is how often a candidate that changes nothing is approved.

Each false rate is that of the worst of several boundary states (how many decisions differ, which
way the candidate gets worse, how alike the rows of a group are). Where there are many, the worst
are found with a part of the draws and drawn afresh with all of them, so that the largest rate is
not just the luckiest. n counts the rows that the metric is about: positives for recall, all rows
for accuracy, macro averages and means, rows that either model calls positive for precision, and
those or positive for F1. Slices too small for a method count as never approved and never rejected.

    python tests/benchmarks/error_rates.py --metrics recall accuracy --draws 20000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
from simulated.binary import BINARY
from simulated.fixed_rates import FIXED_RATES
from simulated.fixed_recalls import FIXED_RECALLS
from simulated.gates import ALPHA, Pool
from simulated.grouped import GROUPED
from simulated.losses import LOSSES
from simulated.macro import MACRO
from simulated.means import MEANS
from simulated.pulls import PULLS
from simulated.ranking import RANKING
from simulated.roots import ROOTS
from simulated.two_classes import TWO_CLASSES

SLICES = (1, 5, 20, 100)
GATES = 10_000
FEW_STATES = 4
SCREENED = 0.2
"""Share of the draws that the worst states are found with, where there are more than a few."""


class Metric(Protocol):
    """What is simulated."""

    @property
    def name(self) -> str:
        """As in the table."""

    @property
    def rows(self) -> tuple[int, ...]:
        """Rows of a slice that are worth a line."""

    @property
    def margins(self) -> tuple[float, ...]:
        """Margins that are worth a line."""

    def states(self, change: float) -> list[Any]:
        """States of nature in which the candidate's value changes by so much."""

    def pool(self, state: Any, n: int, margin: float, draws: int, seed: Any) -> Pool:
        """Outcomes of slices of n rows in this state."""


METRICS: tuple[Metric, ...] = (
    *BINARY,
    *GROUPED,
    *MACRO,
    *TWO_CLASSES,
    *MEANS,
    *LOSSES,
    *RANKING,
    *PULLS,
    *FIXED_RATES,
    *FIXED_RECALLS,
    *ROOTS,
)


@dataclass(frozen=True, kw_only=True)
class Pools:
    """Pools of one metric, number of rows and margin."""

    unchanged: Pool
    at_margin: tuple[Pool, ...]
    """One per boundary state, or of the worst ones."""
    worse: tuple[Pool, ...]
    """A change of 2 and of 5 margins; without one where the value cannot fall that far."""


def pools(metric: Metric, n: int, margin: float, draws: int) -> Pools:
    """Draw and judge; every pool has a seed of its own."""

    def drawn(times: int, state: Any, place: int = 0, share: float = 1.0) -> Pool:
        seed = [n, round(1e4 * margin), times, place]
        return metric.pool(state, n, margin, round(share * draws), seed)

    boundary = metric.states(-margin)
    places = range(len(boundary))
    if len(boundary) > FEW_STATES:
        places = _worst([drawn(1, one, 100 + i, SCREENED) for i, one in enumerate(boundary)])
    fallen = [(times, metric.states(-times * margin)) for times in (2, 5)]
    return Pools(
        unchanged=drawn(0, metric.states(0)[-1]),
        at_margin=tuple(drawn(1, boundary[place], place) for place in places),
        worse=tuple(drawn(times, states[-1]) for times, states in fallen if states),
    )


def _worst(found: list[Pool]) -> Any:
    """Places of the pools most often shown to hold, and most often shown to be broken."""
    holds = [np.mean((pool.p <= ALPHA) & pool.usable) for pool in found]
    broken = [np.mean((pool.harm <= ALPHA) & pool.usable) for pool in found]
    return sorted({int(np.argmax(holds)), int(np.argmax(broken))})


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
    power = [f"{one(pool).rejected().mean():.3f}" for pool in known.worse]
    return [
        _error_rate(approve, math.sqrt(ALPHA * (1 - ALPHA) / draws)),
        # a rejection rests on the pool's few draws below alpha / K
        _error_rate(reject, ALPHA / math.sqrt(draws * ALPHA / slices)),
        *power,
        *["-"] * (2 - len(power)),
        f"{one(known.unchanged).approved().mean():.3f}",
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
    parser.add_argument("--rows", type=int, nargs="+", help="instead of each metric's own")
    parser.add_argument("--margins", type=float, nargs="+", help="instead of each metric's own")
    parser.add_argument("--slices", type=int, nargs="+", default=SLICES)
    parser.add_argument("--draws", type=int, default=20_000)
    chosen = parser.parse_args()
    print("| metric | n | margin | K | false approve | false reject | rejects 2 x | 5 x |", end="")
    print(" approves no change |\n|---|---|---|---|---|---|---|---|---|")
    for metric in METRICS:
        if metric.name not in chosen.metrics:
            continue
        for n, margin in product(chosen.rows or metric.rows, chosen.margins or metric.margins):
            known = pools(metric, n, margin, chosen.draws)
            for slices in chosen.slices:
                columns = [metric.name, n, margin, slices, *rates(known, slices)]
                print(f"| {' | '.join(map(str, columns))} |", flush=True)


if __name__ == "__main__":
    main()
