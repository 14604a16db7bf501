"""How often the test of precision and F1 approves a candidate exactly at its margin, by simulation.

python tests/benchmarks/size_ratio.py --rows 50 300 --repeats 2000

A model flags 40 % of the rows; the other flags almost the same ones and gets worse by exactly the
margin, either by lost hits or by added false alarms. Seeded; each line shows its
worst setting.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import numpy.typing as npt

from prunegate.stats import ratio_score

Cells = npt.NDArray[np.float64]
FLAGGED = 0.4
TESTS = {"precision": ratio_score.test_precision, "f1": ratio_score.test_f1}


def value(metric: str, cells: Cells, bit: int) -> float:
    """Precision or F1 of the model whose decision is this bit of the cell's index."""
    hits = sum(cells[i] for i in range(8) if i & bit and i & 4)
    flagged = sum(cells[i] for i in range(8) if i & bit)
    return float(
        hits / flagged if metric == "precision" else 2 * hits / (flagged + cells[4:].sum())
    )


def settings(metric: str, margin: float) -> Iterator[tuple[str, Cells]]:
    """Cell probabilities at the boundary, by baseline level, share that differs, and way."""
    for level, differ, way in product((0.5, 0.8, 0.95), (0.0, 0.02, 0.1), ("lost", "added")):
        cells = np.zeros(8)
        for flags, share in ((0b11, 1 - differ), (0b10, differ), (0b01, differ)):
            cells[4 + flags] = FLAGGED * share * level
            cells[flags] = FLAGGED * share * (1 - level)
        rest = 1 - cells.sum()
        cells[4], cells[0] = 0.1 * rest, 0.9 * rest
        source, target = (7, 6) if way == "lost" else (0, 1)

        def moved(amount: float, cells: Cells = cells, s: int = source, t: int = target) -> Cells:
            after = cells.copy()
            after[s] -= amount
            after[t] += amount
            return after

        found = at_margin(metric, margin, moved, float(cells[source]))
        if found is not None:
            yield f"{level:.0%} {way}, {differ:.0%} differ", found


def at_margin(
    metric: str, margin: float, moved: Callable[[float], Cells], most: float
) -> Cells | None:
    """The cells whose candidate is worse by exactly the margin; None if that cannot be reached."""

    def room(amount: float) -> float:
        cells = moved(amount)
        return value(metric, cells, 1) - value(metric, cells, 2) + margin

    low, high = 0.0, most * (1 - 1e-9)
    if room(high) > 0:
        return None
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if room(middle) > 0 else (low, middle)
    return moved(low)


def approved(metric: str, margin: float, cells: Cells, n: int, repeats: int, seed: int) -> float:
    """Share of simulated tables that the test approves at 5 %; undefined ones never pass."""
    draws = np.random.default_rng(seed).multinomial(n, cells / cells.sum(), size=repeats)
    usable = [d for d in draws.tolist() if min(sum(d[1::2]), d[2] + d[3] + d[6] + d[7]) > 0]
    return sum(TESTS[metric](d, 1.0, margin).p_value <= 0.05 for d in usable) / repeats


def main() -> None:
    """Print one line per metric, n and margin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[125, 300, 1000])
    parser.add_argument("--margins", type=float, nargs="+", default=[0.02, 0.05])
    parser.add_argument("--repeats", type=int, default=2000)
    chosen = parser.parse_args()
    print("metric        n  margin  worst false-approve rate  at")
    for metric, n, margin in product(TESTS, chosen.rows, chosen.margins):
        rates = {
            name: approved(metric, margin, cells, n, chosen.repeats, seed=n)
            for name, cells in settings(metric, margin)
        }
        worst = max(rates, key=lambda name: rates[name])
        print(f"{metric:9s} {n:5d}  {margin:6.3f}  {rates[worst]:24.4f}  {worst}", flush=True)


if __name__ == "__main__":
    main()
