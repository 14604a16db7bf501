"""Whether the power that ``label`` tells of limits on random samples is the power that they have.

python tests/benchmarks/partial_random.py --draws 1000

F1, coefficients, averages and floors rest on a random sample of all rows (docs/guides/label.md).
Such a sample is planned for gate sets of assumed labels; here samples are drawn from just such sets
and judged. For each limit: the rows that a power of 0.9 is planned to take and how often so many
show the limit to hold, then the power told of half as many rows and how often those do. Seeded;
prints Markdown; a minute on one core.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

import numpy as np

from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.hypothesis import Level
from prunegate.planning.label_random import (
    expected_cells,
    random_power,
    random_rows,
    share_of_level,
)
from prunegate.planning.planned_limits import PlannedLimit, asked
from prunegate.policy.load import parse_policy

ALPHA = 0.05
POWER = 0.9
STATES = (
    (10_440, 180, 180, 1_200),
    (29_000, 100, 100, 800),
    (3_900, 150, 150, 1_800),
    (97_000, 500, 300, 2_200),
)
"""Decisions of gate sets: neither flags, the candidate alone, the baseline alone, both."""
RULES = (
    "{metric: f1, max_drop: 0.05}",
    "{metric: f1, max_drop: {relative: 0.1}}",
    "{metric: mcc, max_drop: 0.05}",
    "{metric: mcc, max_drop: 0.1}",
    "{metric: balanced_accuracy, max_drop: 0.03}",
    "{metric: balanced_accuracy, max_drop: 0.1}",
    "{metric: f1, at_least: 0.8}",
    "{metric: recall, at_least: 0.8}",
    "{metric: recall, at_least: 0.95}",
    "{metric: accuracy, at_least: 0.95}",
    "{metric: specificity, at_least: 0.95}",
)


def limit_of(rule: str, decided: tuple[int, ...]) -> PlannedLimit:
    """A limit as the policy asks for it on a gate set."""
    policy = parse_policy(
        f"prunegate: 1\nname: x\ntask: {{kind: binary, positive: 1}}\nrules: [{rule}]\n"
    )
    tally = JointCounts(cells=(*(0,) * 7, sum(decided)))
    one = SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)
    return asked(policy, [one]).limits[0]


def chances(limit: PlannedLimit, decided: tuple[int, ...]) -> np.ndarray:
    """Chances of a row's joint counts, as they are planned for."""
    if not isinstance(limit.claim, Level):
        cells = expected_cells(decided)
        return np.asarray(cells / cells.sum())
    form, floor = METRICS[limit.metric].forms["binary"], float(limit.claim.limit)
    share = share_of_level(form, decided)
    assert share is not None
    rate = (1 + floor) / 2
    if limit.metric == "f1":
        rate = rate / (2 - rate)
    found = np.zeros(8)
    right, wrong = (0b000, 0b011) if limit.metric == "specificity" else (0b111, 0b100)
    found[[right, wrong]] = share * rate, share * (1 - rate)
    found[0b000 if right else 0b111] += 1 - share
    return found


def shown(limit: PlannedLimit, cells: np.ndarray) -> bool:
    """Whether labels of these rows show the limit to hold."""
    tally = JointCounts(cells=tuple(map(int, cells)))
    about = evidence(WantedMetric(metric=limit.metric, claim=limit.claim), tally)
    compared = isinstance(limit.claim, Level) or about.baseline is not None
    if about.candidate is None or not compared or not about.reliable_for(limit.claim):
        return False
    return bool(about.test(limit.claim).p_value <= ALPHA)


def lines(draws: int, seed: int) -> Iterator[tuple[str, float, float]]:
    """Each limit on each gate set: a line, and by how much the told power is above the drawn."""
    for place, decided in enumerate(STATES):
        for rule in RULES:
            limit = limit_of(rule, decided)
            form, shares = METRICS[limit.metric].forms["binary"], chances(limit, decided)
            rows = random_rows(limit, form, decided, ALPHA, POWER)
            assert rows is not None
            half = math.ceil(rows / 2)
            told = random_power(limit, form, decided, ALPHA, half)
            assert told is not None
            random = np.random.default_rng([seed, place])
            found = [
                np.mean([shown(limit, random.multinomial(size, shares)) for _ in range(draws)])
                for size in (rows, half)
            ]
            words = f"| {' '.join(f'{n:,}' for n in decided)} | {rule[9:-1]} | {rows:,} "
            words += f"| {found[0]:.3f} | {half:,} | {told:.3f} | {found[1]:.3f} |"
            yield words, POWER - float(found[0]), told - float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("| decisions | limit | rows for 0.9 | drawn | half | told | drawn |")
    print("|---" * 7 + "|")
    most = [0.0, 0.0]
    for words, *above in lines(given.draws, given.seed):
        most = [max(pair) for pair in zip(most, above, strict=True)]
        print(words, flush=True)
    print(f"told above drawn at most: {most[0]:.3f} (0.9), {most[1]:.3f} (half)")


if __name__ == "__main__":
    main()
