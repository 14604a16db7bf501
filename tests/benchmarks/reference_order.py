"""How often the reference check of scores lets a baseline pass that knows nothing, or holds one up.

Its level is a tenth of the gate's alpha: 0.005. Scores that know nothing are independent of the
labels, however these are distributed, whatever is equal and however rows come in groups. A good
baseline has a correlation with the labels that its name says.

python tests/benchmarks/reference_order.py --draws 20000
"""

# ruff: noqa: T201  a script that prints its tables

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from prunegate.stats.order_agreement import OrderAgreement, order_agreement

LEVEL = 0.005
Numbers = NDArray[np.float64]
Drawn = tuple[Numbers, Numbers, NDArray[np.int64] | None]
"""Labels, scores and groups of one gate set."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of baseline."""

    name: str
    draw: Callable[[np.random.Generator, int], Drawn]
    rows: tuple[int, ...]
    knows: bool = False


def judged(drawn: Drawn) -> OrderAgreement:
    """What the gate would say of these rows."""
    labels, scores, groups = drawn
    rows = len(labels)
    one, other = (2 * rankdata(x).astype(np.float64) - rows - 1 for x in (labels, scores))
    sizes = np.ones(rows) if groups is None else np.bincount(groups)
    squares, cubes = ([int((x**p).sum()) for x in (one, other)] for p in (2, 3))
    return order_agreement(
        rows,
        float(rows**2 / (sizes**2).sum()),
        int((one * other).sum()),
        (squares[0], squares[1]),
        (cubes[0], cubes[1]),
    )


def independent(
    labels: Callable[[np.random.Generator, int], Numbers],
    scores: Callable[[np.random.Generator, int], Numbers],
) -> Callable[[np.random.Generator, int], Drawn]:
    """Scores that know nothing."""
    return lambda rng, n: (labels(rng, n), scores(rng, n), None)


def in_groups(
    sizes: Callable[[np.random.Generator, int], NDArray[np.int64]],
) -> Callable[[np.random.Generator, int], Drawn]:
    """Groups whose rows all have one label and one score, each at random: the worst there is."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        of = sizes(rng, n)
        groups = np.repeat(np.arange(n), of)[:n]
        labels, scores = rng.standard_normal((2, n))
        return labels[groups], scores[groups], groups

    return draw


def correlated(correlation: float, decimals: int = 9) -> Callable[..., Drawn]:
    """Normal labels, and scores that go with them."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        labels, noise = rng.standard_normal((2, n))
        scores = correlation * labels + np.sqrt(1 - correlation**2) * noise
        return labels.round(decimals), scores.round(decimals), None

    return draw


def normal(rng: np.random.Generator, n: int) -> Numbers:
    """All different."""
    return rng.standard_normal(n)


def rarely(share: float) -> Callable[[np.random.Generator, int], Numbers]:
    """1 on a share of the rows, else 0."""
    return lambda rng, n: (rng.random(n) < share).astype(np.float64)


def stars(rng: np.random.Generator, n: int) -> Numbers:
    """1 to 5, most of them 5."""
    return rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], n, p=[0.02, 0.03, 0.05, 0.2, 0.7])


def uneven(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """Most groups of one row, a few of up to 200."""
    return np.minimum(np.ceil(rng.pareto(1.2, n)), 200).astype(np.int64)


ROWS = (30, 100, 300, 1000)
CASES = (
    Case(name="normal labels and scores", draw=independent(normal, normal), rows=ROWS),
    Case(name="stars, normal scores", draw=independent(stars, normal), rows=ROWS),
    Case(name="stars, and stars as scores", draw=independent(stars, stars), rows=ROWS),
    Case(
        name="two values each, half and half",
        draw=independent(rarely(0.5), rarely(0.5)),
        rows=ROWS,
    ),
    Case(
        name="two values each, 2 % of the one",
        draw=independent(rarely(0.02), rarely(0.02)),
        rows=ROWS,
    ),
    Case(
        name="2 % of the labels another, normal scores",
        draw=independent(rarely(0.02), normal),
        rows=ROWS,
    ),
    Case(
        name="groups of 1 to 10 that are one",
        draw=in_groups(lambda rng, n: rng.integers(1, 11, n)),
        rows=(100, 300, 1000),
    ),
    Case(name="uneven groups that are one", draw=in_groups(uneven), rows=(300, 1000, 3000)),
    Case(name="correlation 0.1", draw=correlated(0.1), rows=(300, 1000, 3000), knows=True),
    Case(name="correlation 0.2", draw=correlated(0.2), rows=(100, 300, 1000), knows=True),
    Case(name="correlation 0.3", draw=correlated(0.3), rows=(100, 300), knows=True),
    Case(name="correlation 0.5", draw=correlated(0.5), rows=(30, 100, 300), knows=True),
    Case(name="correlation 0.5, coarse", draw=correlated(0.5, 0), rows=(100, 300), knows=True),
    Case(name="correlation 0.9", draw=correlated(0.9), rows=(10, 20, 30), knows=True),
)


def main() -> None:
    """Print two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20_000)
    draws = parser.parse_args().draws
    for knows, title in ((False, "knows nothing | rows: let pass"), (True, "good | rows: held up")):
        print(f"| baseline: {title} |\n|---|---|")
        for place, case in enumerate(CASES):
            if case.knows is knows:
                shown = [f"{n:,}: {rate(case, n, draws, place):g}" for n in case.rows]
                print(f"| {case.name} | {'; '.join(shown)} |", flush=True)


def rate(case: Case, n: int, draws: int, place: int) -> float:
    """How often it is let pass, or held up."""
    rng = np.random.default_rng([place, n])
    found = [judged(case.draw(rng, n)) for _ in range(draws)]
    shown = [one.value > 0 and one.p_value <= LEVEL for one in found]
    return round(float(np.mean([is_shown != case.knows for is_shown in shown])), 4)


if __name__ == "__main__":
    main()
