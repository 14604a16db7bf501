"""How often the reference check lets a baseline pass that knows nothing, and holds a good one up.

Its level is a tenth of the gate's alpha: 0.005. A coin's decisions are independent of the labels,
whatever the classes, their numbers and how rows come in groups; a shifted, shuffled or constant
baseline is one of these. Each good baseline is what its name says.

python tests/benchmarks/reference.py --draws 20000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import LabelCounts
from prunegate.policy.validation import validate_values
from prunegate.verdict.reference import PART, agreement_of, reference_findings

LEVEL = 0.05 / PART
Drawn = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Labels, decisions and groups of one gate set."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of baseline."""

    name: str
    draw: Callable[[np.random.Generator, int], Drawn]
    rows: tuple[int, ...]
    coin: bool = False


def tallied(drawn: Drawn) -> SliceCounts:
    """The counts that the gate would see; the candidate decides as the baseline does."""
    labels, decisions, groups = drawn
    triples = [(f"{y:03d}", f"{d:03d}", f"{d:03d}") for y, d in zip(labels, decisions, strict=True)]
    cells = Counter(triples)
    clusters = None if groups is None else summed(triples, groups)
    tally = LabelCounts(cells=cells, clusters=clusters)
    return SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)


def summed(triples: list[tuple[str, str, str]], groups: np.ndarray) -> Clusters:
    """The sums over groups that counting makes in the engine."""
    each: dict[int, Counter[tuple[str, str, str]]] = {}
    for triple, group in zip(triples, groups, strict=True):
        each.setdefault(int(group), Counter())[triple] += 1
    products: Counter[object] = Counter()
    shared: Counter[object] = Counter()
    for counts in each.values():
        for one, n in counts.items():
            for other, m in counts.items():
                products[one, other] += n * m
                shared[one, other] += 1
    return Clusters(groups=len(each), products=products, shared=shared)  # type: ignore[arg-type]  # pairs of triples


def coin(prevalence: float, flagged: float) -> Callable[[np.random.Generator, int], Drawn]:
    """Yes or no at random."""
    return lambda rng, n: (rng.random(n) < prevalence, rng.random(n) < flagged, None)


def classes(labels: np.ndarray, decisions: np.ndarray) -> Callable[..., Drawn]:
    """Classes at random, labels and decisions each of a distribution of their own."""
    names = np.arange(len(labels))
    return lambda rng, n: (rng.choice(names, n, p=labels), rng.choice(names, n, p=decisions), None)


def in_groups(
    sizes: Callable[[np.random.Generator, int], np.ndarray], share: float
) -> Callable[..., Drawn]:
    """Groups whose rows all have one label and one decision, each at random: the worst there is."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        groups = np.repeat(np.arange(n), sizes(rng, n))[:n]
        many = int(groups.max()) + 1
        return (rng.random(many) < share)[groups], (rng.random(many) < share)[groups], groups

    return draw


def accurate(share: float, prevalence: float = 0.5) -> Callable[[np.random.Generator, int], Drawn]:
    """Right with the same chance on both classes."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        labels = rng.random(n) < prevalence
        return labels, labels ^ (rng.random(n) >= share), None

    return draw


def flags(recall: float, alarms: float, prevalence: float) -> Callable[..., Drawn]:
    """Recall and false positive rate at a prevalence."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        labels = rng.random(n) < prevalence
        return labels, rng.random(n) < np.where(labels, recall, alarms), None

    return draw


def names_classes(labels: np.ndarray, share: float) -> Callable[..., Drawn]:
    """Right with a chance, else a class at random."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        y = rng.choice(len(labels), n, p=labels)
        other = rng.choice(len(labels), n, p=labels)
        return y, np.where(rng.random(n) < share, y, other), None

    return draw


def grouped(draw: Callable[..., Drawn], size: int) -> Callable[..., Drawn]:
    """Groups of one size: their labels, and whether they are right, are drawn once a group."""

    def repeated(rng: np.random.Generator, n: int) -> Drawn:
        labels, decisions, _ = draw(rng, n // size)
        return (
            np.repeat(labels, size),
            np.repeat(decisions, size),
            np.repeat(np.arange(n // size), size),
        )

    return repeated


def even(k: int) -> np.ndarray:
    """All classes alike."""
    return np.full(k, 1 / k)


def zipf(k: int) -> np.ndarray:
    """The r-th class 1/r as often as the first."""
    weights = 1 / np.arange(1, k + 1)
    return np.asarray(weights / weights.sum())


def small(rng: np.random.Generator, n: int) -> np.ndarray:
    """Groups of 1 to 10 rows."""
    return rng.integers(1, 11, n)


def pareto(rng: np.random.Generator, n: int) -> np.ndarray:
    """Groups of a Pareto law, at most 200 rows."""
    return np.minimum(1 + rng.pareto(1.2, n), 200).astype(int)


COINS = (
    Case(name="coin, 50 % positive", draw=coin(0.5, 0.5), rows=(100, 1000), coin=True),
    Case(
        name="coin, 5 % positive, 5 % flagged", draw=coin(0.05, 0.05), rows=(100, 1000), coin=True
    ),
    Case(
        name="coin, 0.5 % positive, 2 % flagged",
        draw=coin(0.005, 0.02),
        rows=(1000, 10000),
        coin=True,
    ),
    Case(name="4 classes", draw=classes(even(4), even(4)), rows=(30, 100, 1000), coin=True),
    Case(
        name="4 classes, .9 .05 .03 .02",
        draw=classes(np.array([0.9, 0.05, 0.03, 0.02]), np.array([0.9, 0.05, 0.03, 0.02])),
        rows=(30, 100, 1000),
        coin=True,
    ),
    Case(
        name="30 classes, 1/rank", draw=classes(zipf(30), zipf(30)), rows=(30, 100, 1000), coin=True
    ),
    Case(name="300 classes", draw=classes(even(300), even(300)), rows=(100, 1000), coin=True),
    Case(
        name="groups of 1 to 10, 50 % positive",
        draw=in_groups(small, 0.5),
        rows=(100, 300, 1000),
        coin=True,
    ),
    Case(
        name="groups of 1 to 10, 10 % positive",
        draw=in_groups(small, 0.1),
        rows=(300, 1000, 3000),
        coin=True,
    ),
    Case(
        name="uneven groups, 50 % positive",
        draw=in_groups(pareto, 0.5),
        rows=(300, 1000, 3000),
        coin=True,
    ),
    Case(
        name="uneven groups, 10 % positive",
        draw=in_groups(pareto, 0.1),
        rows=(300, 1000, 3000),
        coin=True,
    ),
)
GOOD = (
    Case(name="52 % right, 50 % positive", draw=accurate(0.52), rows=(1000, 5000, 10000, 20000)),
    Case(name="60 % right, 50 % positive", draw=accurate(0.6), rows=(100, 300, 1000)),
    Case(name="80 % right, 50 % positive", draw=accurate(0.8), rows=(30, 50, 100)),
    Case(
        name="recall .8, 2 % false alarms, 0.5 % positive",
        draw=flags(0.8, 0.02, 0.005),
        rows=(300, 600, 1000, 2000),
    ),
    Case(
        name="recall .5, 10 % false alarms, 0.5 % positive",
        draw=flags(0.5, 0.1, 0.005),
        rows=(1000, 2000, 5000),
    ),
    Case(
        name="30 classes, 1/rank, half known", draw=names_classes(zipf(30), 0.5), rows=(30, 50, 100)
    ),
    Case(
        name="300 classes, a fifth known", draw=names_classes(even(300), 0.2), rows=(50, 100, 300)
    ),
    Case(name="90 % right, groups of 10", draw=grouped(accurate(0.9), 10), rows=(100, 300, 600)),
)


def share_passed(case: Case, rows: int, draws: int, rng: np.random.Generator) -> float:
    """How often the baseline is shown to know something."""
    passed = 0
    for _ in range(draws):
        counts = tallied(case.draw(rng, rows))
        if not counts.tally.one_class:
            found = agreement_of(counts, "baseline")
            passed += found.score > 0 and found.p_value <= LEVEL
    return passed / draws


PAIRED = (
    ("80 % right, 50 % positive", (0.8, 0.2, 0.5), (30, 50, 100)),
    ("60 % right, 50 % positive", (0.6, 0.4, 0.5), (100, 300, 1000)),
    ("52 % right, 50 % positive", (0.52, 0.48, 0.5), (5000, 20000)),
    ("recall .8, 2 % false alarms, 0.5 % positive", (0.8, 0.02, 0.005), (600, 2000)),
    ("recall .5, 10 % false alarms, 0.5 % positive", (0.5, 0.1, 0.005), (2000, 5000)),
)
"""Baselines by recall, false alarms and prevalence, and rows."""
REDECIDED = 0.05
"""Rows that the candidate decides anew, as well as the baseline did."""
MOSTLY_YES = 0.9
POLICY, _ = validate_values(
    {
        "prunegate": 1,
        "name": "reference",
        "task": {"kind": "multiclass"},
        "rules": [{"metric": "accuracy", "max_drop": 0.02}],
    }
)


def candidate_passes(y: np.ndarray, before: np.ndarray, after: np.ndarray) -> bool | None:
    """Whether the check passes with this candidate; None: its baseline is not shown."""
    triples = ((f"{a:d}", f"{b:d}", f"{c:d}") for a, b, c in zip(y, before, after, strict=True))
    tally = LabelCounts(cells=Counter(triples))
    counts = SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)
    assert POLICY is not None
    finding = next(iter(reference_findings(POLICY, [counts])), None)
    if finding is None:  # labels of one class
        return None
    if finding.open_because not in (None, "unrelated candidate", "one decision"):
        return None
    return finding.status == "pass"


def shares_of_candidates(
    rates: tuple[float, float, float], rows: int, draws: int, rng: np.random.Generator
) -> tuple[int, float, float]:
    """How many baselines are shown; of those, a like candidate held up, a coin let pass."""
    recall, alarms, prevalence = rates
    held, passed = [], []
    for _ in range(draws):
        y, before, _ = flags(recall, alarms, prevalence)(rng, rows)
        anew = rng.random(rows) < np.where(y, recall, alarms)
        like = np.where(rng.random(rows) < REDECIDED, anew, before)
        found = candidate_passes(y, before, like)
        if found is not None:
            held.append(not found)
            passed.append(bool(candidate_passes(y, before, rng.random(rows) < MOSTLY_YES)))
    return len(held), float(np.mean(held or 0)), float(np.mean(passed or 0))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000, help="of each case, at 100 rows")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--candidates", action="store_true", help="the last table alone")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    tables = (
        () if arguments.candidates else (("let pass (at most 0.005)", COINS), ("held up", GOOD))
    )
    for title, cases in tables:
        print(f"\n| baseline | rows | {title} |\n|---|---|---|")
        for case in cases:
            for rows in case.rows:
                draws = max(200, int(arguments.draws * min(1.0, 300 / rows)))
                share = share_passed(case, rows, draws, rng)
                told = share if case.coin else 1 - share
                print(f"| {case.name} | {rows:,} | {told:.4f} |", flush=True)
    print("\n| baseline | rows | shown | like candidate held up | 90 % coin let pass |")
    print("|---|---|---|---|---|")
    for name, rates, sizes in PAIRED:
        for rows in sizes:
            draws = max(200, int(arguments.draws * min(1.0, 300 / rows)))
            shown, held, passed = shares_of_candidates(rates, rows, draws, rng)
            print(f"| {name} | {rows:,} | {shown} | {held:.4f} | {passed:.4f} |", flush=True)


if __name__ == "__main__":
    main()
