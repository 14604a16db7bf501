"""How often a gate with partial labels errs where there are several classes.

python tests/benchmarks/partial_classes.py --draws 400

Rows that the models decide differently are all labelled (of these, one in five is wrong in two
different ways), and random samples of one class against the rest. Two tables:

- accuracy and the recall of one class, with the candidate exactly at its margin (false approvals,
  which must stay at alpha or below within noise) and unchanged (power), beside labels for all rows
  and beside as many on rows drawn at random;
- whether the baseline is shown to know something: one whose decisions are independent of the labels
  (let pass at most .005 of the time), a good and a fair one, which err on 15 and 30 % of the rows;
  or of twice those that are not of the commonest class, where these are few.

Seeded; prints Markdown; 400 draws take some minutes on one core.
"""

# ruff: noqa: T201  a script that prints its tables

from __future__ import annotations

import argparse
import math
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from partial_labels import ALPHA, approved

from prunegate.counting.partial_labels import PartialLabels, SampleOf, belongs
from prunegate.counting.tallies import LabelCounts
from prunegate.evidence.partial_class_agreement import least_class_agreement
from prunegate.evidence.partial_rates import sampled_agreement
from prunegate.evidence.reference_sample import (
    AgreedSamples,
    against_the_rest,
    good_shares,
    samples_to_show,
)
from prunegate.metrics.forms import SharedRows
from prunegate.stats.agreement import agreement
from prunegate.verdict.reference import PART

LEVEL = ALPHA / PART
RIGHT = 0.9
"""Accuracy of the baseline where changes are drawn."""
MOVED = 0.2
"""Share of the rows that differ which both models get wrong."""
SAMPLE = 150
"""Rows to which both models give the class whose recall is limited, drawn at random."""


@dataclass(frozen=True, kw_only=True)
class State:
    """A gate set of one slice."""

    rows: int
    shares: tuple[float, ...]
    """Of the classes."""
    margin: float
    differ: float
    """Share of the rows that the models decide differently."""


def even(classes: int) -> tuple[float, ...]:
    """Classes that are equally frequent."""
    return (1 / classes,) * classes


STATES = (
    State(rows=3_000, shares=(0.6, 0.3, 0.1), margin=0.02, differ=0.04),
    State(rows=3_000, shares=even(10), margin=0.02, differ=0.06),
    State(rows=12_000, shares=(0.9, 0.05, 0.03, 0.02), margin=0.01, differ=0.02),
    State(rows=12_000, shares=even(10), margin=0.01, differ=0.03),
    State(rows=600, shares=even(3), margin=0.05, differ=0.08),
)


def chances(state: State, right: float, drop: float, only: int | None = None) -> np.ndarray:
    """Probability of every (label, baseline, candidate); ``only``: the class that loses by it."""
    shares = np.array(state.shares)
    k = len(shares)
    lost = np.full(k, state.differ * (1 - MOVED) / 2)
    gained = lost.copy()
    worse = np.arange(k) if only is None else [only]
    gained[worse] = np.maximum(0.0, (state.differ * (1 - MOVED) - drop) / 2)
    lost[worse] = gained[worse] + drop
    moved = state.differ * MOVED if k > 2 else 0.0
    found = np.zeros((k, k, k))
    others = 1 / (k - 1)
    for y in range(k):
        for b in range(k):
            base = shares[y] * (right if b == y else (1 - right) * others)
            if b == y:
                found[y, b] = base * lost[y] / right * others
            else:
                found[y, b] = base * moved / (1 - right) / max(1, k - 2)
                found[y, b, y] = base * gained[y] / (1 - right)
            found[y, b, b] = 0.0
            found[y, b, b] = base - found[y, b].sum()
    return found


def unknowing(state: State) -> np.ndarray:
    """The same where both models' decisions are independent of the labels."""
    shares = np.array(state.shares)
    k = len(shares)
    pairs = np.outer(shares, shares) * state.differ
    pairs[np.diag_indices(k)] = 0.0
    pairs[np.diag_indices(k)] = shares - pairs.sum(axis=1)
    return shares[:, None, None] * pairs[None]


def drawn(state: State, cells: np.ndarray, random: np.random.Generator) -> LabelCounts:
    """One gate set."""
    counts = random.multinomial(state.rows, cells.ravel()).reshape(cells.shape)
    found = {tuple(map(str, cell)): int(counts[tuple(cell)]) for cell in np.argwhere(counts)}
    return LabelCounts(cells=found)  # type: ignore[arg-type]  # three names each


def undecided(full: LabelCounts, *, differs: bool = True) -> PartialLabels:
    """The gate set with labels for what differs."""
    decided: Counter[tuple[str, str]] = Counter()
    for (_, *pair), n in full.cells.items():
        decided[pair[0], pair[1]] += n
    cells = {c: n for c, n in full.cells.items() if differs and c[1] != c[2]}
    return PartialLabels(decided=decided, cells=cells)


def sampled(
    full: LabelCounts, sizes: dict[SampleOf, int], random: np.random.Generator
) -> PartialLabels:
    """The gate set with labels for what differs and for random samples."""
    tally = undecided(full)
    cells, samples = dict(tally.cells), {}
    for sample, size in sizes.items():
        inside = [c for c in full.cells if belongs((c[1], c[2]), sample)]
        rows = [full.cells[c] for c in inside]
        found = random.multivariate_hypergeometric(rows, min(size, sum(rows)))
        samples[sample] = {c: int(n) for c, n in zip(inside, found, strict=True) if n}
        for c, n in samples[sample].items():
            if c[1] == c[2]:
                cells[c] = max(cells.get(c, 0), n)
    return replace(tally, cells=cells, samples=samples)


def at_random(counts: list[int], labels: int, random: np.random.Generator) -> tuple[int, ...]:
    """As many labels on rows drawn at random: lost, gained and the other rows of the metric."""
    found = random.multivariate_hypergeometric(counts, min(labels, sum(counts)))
    return tuple(map(int, found))


def accuracy(state: State, drop: float, draws: int, random: np.random.Generator) -> list[float]:
    """Labels; approvals with what differs, with all labels, with as many at random."""
    cells, passed, labels = chances(state, RIGHT, drop), np.zeros(3), 0
    for _ in range(draws):
        full = drawn(state, cells, random)
        part = undecided(full)
        rest = state.rows - sum(full.lost_gained)
        few = at_random([*full.lost_gained, rest], part.labelled, random)
        every = (state.rows, state.rows)
        passed += (
            approved(*(part.lost_gained or (0, 0)), every, state.margin, 0.0),
            approved(*full.lost_gained, every, state.margin, 0.0),
            approved(*few[:2], (sum(few), sum(few)), state.margin, 0.0),
        )
        labels += part.labelled
    return [labels / draws, *(passed / draws)]


def recall(state: State, drop: float, draws: int, random: np.random.Generator) -> list[float]:
    """The same of the recall of the second class, at three times the margin."""
    cells, passed, labels = chances(state, RIGHT, 3 * drop, only=1), np.zeros(3), 0
    margin = 3 * state.margin
    for _ in range(draws):
        full = drawn(state, cells, random)
        part = sampled(full, {("both", "1"): SAMPLE}, random)
        told = sampled_agreement(SharedRows(labels=(1,)), part.of_class("1"))
        one = full.of_class("1").cells
        lost, gained, n = one[0b110], one[0b101], sum(one[4:])
        few = at_random([lost, gained, n - lost - gained, state.rows - n], part.labelled, random)
        rows = (told.rows.likely, told.rows.most)
        passed += (
            approved(told.lost, told.gained, rows, margin, told.rows.level),
            approved(lost, gained, (n, n), margin, 0.0),
            approved(*few[:2], (sum(few[:3]),) * 2, margin, 0.0),
        )
        labels += part.labelled
    return [labels / draws, *(passed / draws)]


def right_of(state: State, errors: float) -> float:
    """Accuracy of a baseline that clearly beats naming the commonest class."""
    return 1 - errors * min(1.0, 2 * (1 - max(state.shares)))


def planned(state: State) -> AgreedSamples | None:
    """What a list would hold for the reference, by the expected decisions."""
    counts = np.rint(chances(state, right_of(state, 0.15), 0.0) * state.rows).astype(int)
    cells = {tuple(map(str, cell)): int(counts[tuple(cell)]) for cell in np.argwhere(counts)}
    tally = undecided(LabelCounts(cells=cells))  # type: ignore[arg-type]  # three names each
    decided, nothing = against_the_rest(tally).decided, AgreedSamples(neither=0, both=0)
    return samples_to_show(tally, good_shares(decided), nothing, LEVEL)


def shown(tally: PartialLabels | LabelCounts) -> bool:
    """Whether the baseline is shown to know something."""
    if isinstance(tally, PartialLabels):
        found = least_class_agreement(tally, "baseline", LEVEL)
    else:
        table: Counter[tuple[str, str]] = Counter()
        for (label, decision, _), n in tally.cells.items():
            table[label, decision] += n
        found = agreement(table)
    return found.kappa > 0 and found.p_value <= LEVEL


def reference(state: State, draws: int, random: np.random.Generator) -> list[float]:
    """Labels of samples; share shown of an unknowing, a good and a fair baseline, part and all."""
    sizes = planned(state)
    if sizes is None:
        return [math.nan] * 7
    rates: list[float] = [sizes.total]
    known = [chances(state, right_of(state, errors), 0.0) for errors in (0.15, 0.3)]
    for cells in (unknowing(state), *known):
        passed = np.zeros(2)
        for _ in range(draws):
            full = drawn(state, cells, random)
            name = undecided(full).commonest
            wanted = {("both", name): sizes.both, ("neither", name): sizes.neither}
            part = sampled(full, wanted, random)  # type: ignore[arg-type]  # names of samples
            passed += shown(part), shown(full)
        rates += list(passed / draws)
    return rates


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(
        "| rows, classes, commonest, margin, differ | limit | labels "
        "| false approvals: part | all | at random | power: part | all | at random |"
    )
    print("|---" * 9 + "|")
    noise, above = 2 * math.sqrt(ALPHA * (1 - ALPHA) / given.draws), 0
    for place, state in enumerate(STATES):
        head = f"{state.rows:,}, {len(state.shares)}, {max(state.shares):.0%}"
        for name, judge in (("accuracy", accuracy), ("recall of a class", recall)):
            random = np.random.default_rng([given.seed, place, len(name)])
            labels, *wrong = judge(state, state.margin, given.draws, random)
            _, *right = judge(state, 0.0, given.draws, random)
            above += wrong[0] > ALPHA + noise
            margin = state.margin * (1 if name == "accuracy" else 3)
            rates = " | ".join(f"{rate:.3f}" for rate in (*wrong, *right))
            what = f"{head}, {margin:.2f}, {state.differ:.0%} | {name}"
            print(f"| {what} | {labels:,.0f} | {rates} |", flush=True)
    print(f"states whose false approvals exceed alpha by two standard errors: {above}\n")
    print(
        "| rows, classes, commonest | labels of agreeing rows | unknowing let pass: part | all "
        "| good held up: part | all | fair held up: part | all |"
    )
    print("|---" * 8 + "|")
    for place, state in enumerate(STATES):
        random = np.random.default_rng([given.seed, place])
        labels, *passed = reference(state, given.draws, random)
        told = [*passed[:2], *(1 - rate for rate in passed[2:])]
        cells = " | ".join(f"{rate:.3f}" for rate in told)
        head = f"{state.rows:,}, {len(state.shares)}, {max(state.shares):.0%}"
        print(f"| {head} | {labels:.0f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
