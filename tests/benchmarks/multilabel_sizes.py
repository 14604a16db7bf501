"""How often micro and macro figures of rows with several labels are wrongly approved at the margin.

A row's labels, the baseline's errors and the candidate's changes are each drawn with a correlation
across the labels, from none to complete: at 1 every label of a row is lost at once. The candidate
is worse on every label, or on the rarest or the most frequent alone; the margin of each metric is
just what it truly loses, so that at most 0.05 may be approved. Beside it: how often the same
decisions as if they were independent rows (what no rule does), and how often a candidate is
approved that changes nothing but 2 % of the decisions.

python tests/benchmarks/multilabel_sizes.py --draws 1000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.label_sets import WHOLE, LabelSets
from prunegate.counting.tallies import JointCounts, LabelCounts
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.hypothesis import Difference, Level

ALPHA = 0.05
MICRO = ("recall", "precision", "f1", "accuracy", "negative_flip_rate")
MACRO = ("recall", "precision", "f1", "specificity", "balanced_accuracy")
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class State:
    """Chances of every label's decisions; arrays have an entry a label."""

    share: NDArray[np.float64]
    """Of rows that have the label."""
    hit: float = 0.85
    """The baseline's recall."""
    alarm: float = 0.05
    """The baseline's false positive rate."""
    lost: NDArray[np.float64]
    """Of right decisions, the share that the candidate loses; arrays [no label, label]."""
    gained: float = 0.05
    """Of wrong decisions, the share that it gains."""

    def cells(self) -> NDArray[np.float64]:
        """Chance of each of the eight cells, by label."""
        found = np.zeros((len(self.share), 8))
        for place, share in enumerate(self.share):
            for y in (0, 1):
                right = self.hit if y else 1 - self.alarm
                has = share if y else 1 - share
                for b in (0, 1):
                    before = right if b == y else 1 - right
                    other = self.lost[place] if b == y else self.gained
                    found[place, 4 * y + 2 * b + b] = has * before * (1 - other)
                    found[place, 4 * y + 2 * b + 1 - b] = has * before * other
        return found


def correlated(rng: np.random.Generator, rows: int, labels: int, rho: float) -> Any:
    """Uniform numbers, one a label, that share a part of each row's own."""
    shared = rng.normal(size=(rows, 1))
    own = rng.normal(size=(rows, labels))
    return ndtr(np.sqrt(rho) * shared + np.sqrt(1 - rho) * own)


def drawn(rng: np.random.Generator, state: State, rows: int, rho: float) -> tuple[Flags, ...]:
    """Truth, baseline and candidate: yes or no, by row and label."""
    labels = len(state.share)
    some = [correlated(rng, rows, labels, rho) for _ in range(3)]
    truth = some[0] < state.share
    right = some[1] < np.where(truth, state.hit, 1 - state.alarm)
    moved = some[2] < np.where(right, state.lost, state.gained)
    return truth, truth == right, truth == (right ^ moved)


def tally(truth: Flags, baseline: Flags, candidate: Flags) -> LabelSets:
    """What counting makes of the rows."""
    cell = 4 * truth + 2 * baseline + candidate
    held = np.stack([(cell == k).sum(1) for k in range(8)], axis=1)
    products, both = held.T @ held, (held > 0).T.astype(int) @ (held > 0)
    pairs = [(i, j) for i in range(8) for j in range(8) if products[i, j]]
    return LabelSets(
        labels={
            str(place): JointCounts(cells=tuple(np.bincount(column, minlength=8).tolist()))
            for place, column in enumerate(cell.T)
        },
        whole=LabelCounts(cells={WHOLE[0]: len(truth)}),  # no figure here is of whole rows
        clusters=Clusters(
            groups=len(truth),
            products={pair: int(products[pair]) for pair in pairs},
            shared={pair: int(both[pair]) for pair in pairs},
        ),
    )


def true_drop(state: State, metric: str, how: str) -> float:
    """What the candidate loses of a metric; of flips, how many there are."""
    cells = state.cells()
    parts = [cells.mean(0)] if how == "micro" else list(cells)
    if metric == "negative_flip_rate":
        return float((parts[0][[0b110, 0b001]]).sum() / parts[0].sum())
    return float(np.mean([_value(p, metric, 2) - _value(p, metric, 1) for p in parts]))


def _value(p: NDArray[np.float64], metric: str, bit: int) -> float:
    called = p[[c for c in range(8) if c & bit]].sum()
    hits = p[[c for c in range(4, 8) if c & bit]].sum()
    has, rest = p[4:].sum(), p[:4].sum()
    recall, specificity = hits / has, 1 - (called - hits) / rest
    return float(
        {
            "recall": recall,
            "precision": hits / called,
            "f1": 2 * hits / (called + has),
            "accuracy": hits + rest - (called - hits),
            "specificity": specificity,
            "balanced_accuracy": (recall + specificity) / 2,
        }[metric]
    )


def approved(one: LabelSets, metric: str, how: str, margin: float, *, alone: bool) -> bool:
    """Whether the gate's own test shows the margin to hold."""
    if METRICS[metric].kind == "flips":
        claim: Any = Level(limit=Fraction(1) - Fraction(margin), at_least=True)
    else:
        claim = Difference(margin=Fraction(margin))
    counted: Any = one
    if how == "micro":
        counted = replace(one.pooled, clusters=None) if alone else one.pooled
    about = evidence(WantedMetric(metric=metric), counted)
    if about.candidate is None or (about.baseline is None and METRICS[metric].kind != "flips"):
        return False
    return about.reliable_for(claim) and about.test(claim).p_value <= ALPHA


SHARES = {3: [0.3, 0.15, 0.08], 8: [0.3, 0.25, 0.2, 0.15, 0.1, 0.1, 0.08, 0.05]}


def states(labels: int) -> dict[str, State]:
    """Candidates at their margin."""
    share = np.array(SHARES[labels])
    every = np.full(labels, 0.04)
    rare = np.where(share == share.min(), 0.12, 0.005)
    frequent = np.where(share == share.max(), 0.12, 0.005)
    return {
        "every label": State(share=share, lost=every),
        "the rarest": State(share=share, lost=rare),
        "the most frequent": State(share=share, lost=frequent, gained=0.01),
        "all lost, none gained": State(share=share, lost=every, gained=0.0),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--labels", type=int, nargs="*", default=list(SHARES))
    parser.add_argument("--rows", type=int, nargs="*", default=[100, 300, 1000])
    parser.add_argument("--how", nargs="*", default=["micro", "macro"])
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    print("| labels | rows | correlation | figure | false approve, worst state | as independent |")
    print("|---|---|---|---|---|---|")
    for labels in arguments.labels:
        for rows in arguments.rows:
            for rho in (0.0, 0.5, 1.0):
                _block(rng, arguments, labels, rows, rho)


def _block(rng: np.random.Generator, arguments: Any, labels: int, rows: int, rho: float) -> None:
    figures = [(how, name) for how in arguments.how for name in (MICRO, MACRO)[how == "macro"]]
    rates: dict[tuple[str, str], dict[str, tuple[float, float]]] = {one: {} for one in figures}
    for state_name, state in states(labels).items():
        counts = np.zeros((len(figures), 2))
        margins = [
            (1 if name == "negative_flip_rate" else -1) * true_drop(state, name, how)
            for how, name in figures
        ]
        margins = [abs(margin) for margin in margins]
        for _ in range(arguments.draws):
            one = tally(*drawn(rng, state, rows, rho))
            for place, (how, name) in enumerate(figures):
                counts[place, 0] += approved(one, name, how, margins[place], alone=False)
                if how == "micro":
                    counts[place, 1] += approved(one, name, how, margins[place], alone=True)
        for place, figure in enumerate(figures):
            rates[figure][state_name] = tuple(counts[place] / arguments.draws)  # type: ignore[assignment]
    for how, name in figures:
        worst = max(rates[how, name], key=lambda s: rates[how, name][s][0])
        mine, alone = rates[how, name][worst][0], max(r[1] for r in rates[how, name].values())
        bare = f"{alone:.3f}" if how == "micro" else ""
        said = f"{mine:.3f} ({worst})"
        print(f"| {labels} | {rows:,} | {rho:g} | {how} {name} | {said} | {bare} |", flush=True)


if __name__ == "__main__":
    main()
