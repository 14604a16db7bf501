"""How often some attempt on one gate set is wrongly approved, by what the policy says of reuse.

Every candidate is truly at the margin, so each approval is a mistake. Three ways of trying on until
one is approved: candidates that have nothing to do with each other (fresh), each a small change of
the one before (blind), and each a small change of the best one so far by the counts that the report
shows of this very set (tuned). The union bound covers the first two; the third shows what it does
not cover.

python tests/benchmarks/gate_set_reuse.py --runs 2000 --attempts 5 20 100
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from prunegate.stats import paired_exact
from prunegate.stats.reuse import Reuse, level_of_attempt, of_all

ROWS, MARGIN, LOST, GAINED = 1000, 0.02, 0.04, 0.02
"""Positives of the gate set; what the policy allows; true shares that a candidate loses, gains."""
CHANGED = 0.2
"""Share of rows that a changed candidate answers anew."""
REUSES: tuple[Reuse, ...] = ("none", "ledger", "strict")


@cache
def p_value(lost: int, gained: int) -> float:
    """Of the gate's own test."""
    return paired_exact.test(lost, gained, ROWS, MARGIN).p_value


def drawn(draw: np.random.Generator, rows: int) -> np.ndarray:
    """-1 where the candidate loses a row, 1 where it gains one, 0 elsewhere."""
    at = draw.random(rows)
    return np.where(at < LOST, -1, np.where(at < LOST + GAINED, 1, 0))


def fresh(draw: np.random.Generator) -> Iterator[np.ndarray]:
    """Candidates that share nothing."""
    while True:
        yield drawn(draw, ROWS)


def blind(draw: np.random.Generator) -> Iterator[np.ndarray]:
    """Each a change of the one before, whatever came of it."""
    candidate = drawn(draw, ROWS)
    while True:
        yield candidate
        candidate = changed(draw, candidate)


def tuned(draw: np.random.Generator) -> Iterator[np.ndarray]:
    """Each a change of the best so far, as the counts on the gate set have it."""
    best = drawn(draw, ROWS)
    yield best
    while True:
        candidate = changed(draw, best)
        yield candidate
        if candidate.sum() > best.sum():
            best = candidate


def changed(draw: np.random.Generator, candidate: np.ndarray) -> np.ndarray:
    """The candidate with some rows answered anew: at the margin as before."""
    anew = draw.random(ROWS) < CHANGED
    return np.where(anew, drawn(draw, ROWS), candidate)


WAYS: dict[str, Callable[[np.random.Generator], Iterator[np.ndarray]]] = {
    "fresh": fresh,
    "blind": blind,
    "tuned": tuned,
}


def first_approvals(way: str, attempts: int, draw: np.random.Generator, alpha: float) -> list[int]:
    """Number of the first attempt that each policy on reuse approves; past the last: none."""
    found = dict.fromkeys(REUSES, attempts + 1)
    for number, candidate in zip(range(1, attempts + 1), WAYS[way](draw), strict=False):
        p = p_value(int((candidate < 0).sum()), int((candidate > 0).sum()))
        for reuse in REUSES:
            if found[reuse] > attempts and p <= level_of_attempt(reuse, alpha, number):
                found[reuse] = number
    return [found[reuse] for reuse in REUSES]


def main() -> None:
    """Print one line per way and number of attempts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, nargs="+", default=[1, 5, 20, 100])
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--alpha", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=12)
    chosen = parser.parse_args()
    bounds = [of_all(reuse, chosen.alpha) for reuse in REUSES]
    print(
        "bounds: "
        + ", ".join(f"{r} {b or math.nan:.3f}" for r, b in zip(REUSES, bounds, strict=True))
    )
    print(f"   way  attempts  {'  '.join(f'{reuse:>7}' for reuse in REUSES)}")
    for way in WAYS:
        draw = np.random.default_rng(chosen.seed)
        last = max(chosen.attempts)
        runs = [first_approvals(way, last, draw, chosen.alpha) for _ in range(chosen.runs)]
        for attempts in chosen.attempts:
            rates = (np.array(runs) <= attempts).mean(axis=0)
            print(
                f"{way:>6}  {attempts:8d}  {'  '.join(f'{rate:7.4f}' for rate in rates)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
