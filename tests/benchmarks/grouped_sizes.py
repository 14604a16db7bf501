"""How often grouped rates are wrongly approved, by how large the groups are and how they go wrong.

Groups of one size, of few sizes, or of many (geometric, lognormal, Pareto). A candidate at its
margin loses whole groups (intraclass correlation 1), parts of them, or half of the rows of a few
bad ones. Beside it: how often a candidate that changes nothing (2 % of the rows decided otherwise)
is approved at a margin of 0.02, and how often the same rows as if they were independent.

python tests/benchmarks/grouped_sizes.py --draws 2000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from prunegate.stats import clusters, paired_exact
from prunegate.stats.clusters import Grouped, Roles

ALPHA, MARGIN = 0.05, 0.02
ROLES = Roles(base=(0, 1, 2), lost=(0,), gained=(1,))
"""Cells: lost, gained, neither."""
Sizes = Callable[[np.random.Generator, int], np.ndarray]
SIZES: dict[str, Sizes] = {
    "1": lambda rng, n: rng.integers(1, 2, n),
    "1, some 2": lambda rng, n: 1 + (rng.random(n) < 0.1),
    "1 to 2": lambda rng, n: rng.integers(1, 3, n),
    "1 to 10": lambda rng, n: rng.integers(1, 11, n),
    "geometric, mean 5": lambda rng, n: rng.geometric(0.2, n),
    "geometric, mean 20": lambda rng, n: rng.geometric(0.05, n),
    "lognormal (1.5, 1)": lambda rng, n: np.ceil(np.exp(rng.normal(1.5, 1, n))).astype(int),
    "lognormal (2, 1.2)": lambda rng, n: np.ceil(np.exp(rng.normal(2, 1.2, n))).astype(int),
    "Pareto to 200": lambda rng, n: np.minimum(1 + rng.pareto(1.2, n), 200).astype(int),
}
ROWS = {"1": 1000, "1, some 2": 1000, "1 to 2": 1000, "1 to 10": 2000}
"""Of a slice; 4,000 where groups are larger."""
Losses = Callable[[np.random.Generator, np.ndarray, float], tuple[np.ndarray, np.ndarray]]


def whole(gains: float) -> Losses:
    """Groups that are lost or gained as one."""

    def drawn(rng: np.random.Generator, sizes: np.ndarray, margin: float) -> tuple[np.ndarray, ...]:
        at = rng.random(sizes.size)
        lost, gained = at < margin + gains, (at >= margin + gains) & (at < margin + 2 * gains)
        return np.where(lost, sizes, 0), np.where(gained, sizes, 0)

    return drawn  # type: ignore[return-value]  # two of them


def bad(share: float) -> Losses:
    """A few groups that lose a share of their rows, the others none."""

    def drawn(rng: np.random.Generator, sizes: np.ndarray, margin: float) -> tuple[np.ndarray, ...]:
        hit = rng.random(sizes.size) < margin / share
        return rng.binomial(sizes, np.where(hit, share, 0.0)), np.zeros_like(sizes)

    return drawn  # type: ignore[return-value]  # two of them


def apart(gains: float) -> Losses:
    """Rows that are lost or gained each by itself."""

    def drawn(rng: np.random.Generator, sizes: np.ndarray, margin: float) -> tuple[np.ndarray, ...]:
        lost = rng.binomial(sizes, margin + gains)
        return lost, rng.binomial(sizes - lost, gains)

    return drawn  # type: ignore[return-value]  # two of them


STATES: dict[str, tuple[float, Losses]] = {
    "whole groups": (0.05, whole(0.0)),
    "whole groups, as many gained": (0.05, whole(0.03)),
    "rows each by itself": (0.05, apart(0.02)),
    "one group in ten loses half": (0.05, bad(0.5)),
    "one group in five loses half": (0.1, bad(0.5)),
}


def slices(sizes: Sizes, rows: int, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Sizes of the groups of one slice after the other; the last group is cut where it is full."""
    for _ in range(draws):
        found = sizes(rng, rows)
        ends = found.cumsum().clip(max=rows)
        kept = np.diff(ends, prepend=0)
        yield kept[kept > 0]


def judged(
    lost: np.ndarray, gained: np.ndarray, sizes: np.ndarray, margin: float
) -> tuple[float, float]:
    """p-values of the gate's own test, for and against; single rows are judged as such."""
    if sizes.max() == 1:
        return alone(int(lost.sum()), int(gained.sum()), int(sizes.sum()), margin)
    table = np.stack([lost, gained, sizes - lost - gained], axis=1).astype(float)
    data = Grouped(
        totals=table.sum(0).tolist(),
        cross=(table.T @ table).tolist(),
        discordant_groups=int(((lost + gained) > 0).sum()),
        groups=sizes.size,
    ).evened(ROLES.base)
    found = clusters.test(data, ROLES, margin)
    return found.p_value, found.p_harm


@cache
def alone(lost: int, gained: int, rows: int, margin: float) -> tuple[float, float]:
    """The exact test of independent rows."""
    found = paired_exact.test(lost, gained, rows, margin)
    return found.p_value, found.p_harm


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--sizes", nargs="*", default=list(SIZES))
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    print("| groups of | rows | at the margin | margin | false approve | false harm |", end=" ")
    print("no change approved | as single rows |\n|---|---|---|---|---|---|---|---|")
    for name in arguments.sizes:
        rows = ROWS.get(name, 4000)
        for state, (margin, losses) in STATES.items():
            found, still, single = [], [], []
            for sizes in slices(SIZES[name], rows, arguments.draws, rng):
                found.append(judged(*losses(rng, sizes, margin), sizes, margin))
                lost, gained = apart(0.01)(rng, sizes, 0.0)
                still.append(judged(lost, gained, sizes, MARGIN)[0])
                single.append(alone(int(lost.sum()), int(gained.sum()), rows, MARGIN)[0])
            holds, broken = (np.mean(np.array(one) <= ALPHA) for one in zip(*found, strict=True))
            power, plain = (np.mean(np.array(one) <= ALPHA) for one in (still, single))
            cells = (name, f"{rows:,}", state, f"{margin:g}")
            rates = (f"{rate:.3f}" for rate in (holds, broken, power, plain))
            print(f"| {' | '.join((*cells, *rates))} |", flush=True)


if __name__ == "__main__":
    main()
