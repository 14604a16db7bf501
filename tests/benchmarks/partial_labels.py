"""How often a gate with partial labels errs, beside full labels and as few labels drawn at random.

python tests/benchmarks/partial_labels.py --draws 1000

Recall with an absolute margin, the one rule for which labelling only what differs is not the same
test on the same table: all rows on which the models differ are labelled, and a random sample of
those that both flag. Every state is drawn twice, with the candidate exactly at its margin (false
approvals, which must stay at alpha or below within noise) and unchanged (power). Seeded; prints a
Markdown table; 400 draws of everything take some minutes on one core.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from prunegate.counting.partial_counts import GAMMA
from prunegate.stats import finite_sample, normal, unconditional, unknown_rows
from prunegate.stats.margin_line import Boundary
from prunegate.stats.paired_exact import BETA

ALPHA = 0.05
RECALL = 0.9
"""Of the baseline."""
AGREED = 0.8
"""Share of the rows that both models flag which are positive."""


@dataclass(frozen=True, kw_only=True)
class State:
    """A gate set of one slice, and how the two models differ on it."""

    rows: int
    prevalence: float
    margin: float
    differ: float
    """Share of the positives on which the models differ; as many negatives differ."""
    sample: int = 150
    """Labels among the rows that both models flag."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One gate set: positives, losses and gains among them, and what was labelled."""

    positives: int
    lost: int
    gained: int
    both: int
    """Positives that both flag."""
    false: int
    """Negatives that both flag."""
    other: int
    """Negatives on which the models differ."""


STATES = (
    State(rows=12_000, prevalence=0.1, margin=0.02, differ=0.03),
    State(rows=12_000, prevalence=0.1, margin=0.02, differ=0.05),
    State(rows=40_000, prevalence=0.03, margin=0.02, differ=0.04),
    State(rows=6_000, prevalence=0.3, margin=0.02, differ=0.04),
    State(rows=20_000, prevalence=0.05, margin=0.03, differ=0.03),
    State(rows=200_000, prevalence=0.005, margin=0.03, differ=0.05),
)
"""The states of the docs' table."""


def grid() -> Iterator[State]:
    """Small and large, rare and common, narrow and wide."""
    for rows, prevalence, margin, differ, sample in product(
        (2_000, 30_000), (0.02, 0.3), (0.01, 0.05), (0.0, 0.1), (40, 300)
    ):
        yield State(rows=rows, prevalence=prevalence, margin=margin, differ=differ, sample=sample)


def draw(state: State, at_margin: bool, random: np.random.Generator) -> Draw:
    """One gate set; at the margin the candidate's recall is lower by exactly that."""
    lose = max(state.differ / 2, 0.0)
    gain = lose
    if at_margin:
        gain = max((state.differ - state.margin) / 2, 0.0)
        lose = gain + state.margin
    positives = int(random.binomial(state.rows, state.prevalence))
    chances = [lose, gain, RECALL - lose, 1 - RECALL - gain]
    lost, gained, both, _ = map(int, random.multinomial(positives, chances))
    likely = RECALL * state.prevalence * (1 - AGREED) / AGREED / (1 - state.prevalence)
    negatives = state.rows - positives
    differ = state.differ * state.prevalence / (1 - state.prevalence)
    false, other, _ = map(int, random.multinomial(negatives, [likely, differ, 1 - likely - differ]))
    return Draw(positives=positives, lost=lost, gained=gained, both=both, false=false, other=other)


@cache
def approved(
    lost: int,
    gained: int,
    rows: tuple[int, int],
    margin: float,
    level: float,
    alpha: float = ALPHA,
) -> bool:
    """Whether p <= alpha; the largest p is looked for only where the first is small enough."""
    line = Boundary(intercept=margin)
    if rows[0] == 0 or lost + gained > rows[0]:
        return False
    if line.score_of(lost, gained, rows[0]) < normal.upper_z(0.4):
        return False
    first = unconditional.unconditional_p(lost, gained, rows[0], line, BETA)
    if first + level > alpha or rows[0] == rows[1]:
        return first + level <= alpha
    return unknown_rows.largest_p(lost, gained, rows, line, BETA) + level <= alpha


def with_all(one: Draw, state: State) -> bool:
    """Every row labelled."""
    return approved(one.lost, one.gained, (one.positives, one.positives), state.margin, 0.0)


def with_part(one: Draw, state: State, random: np.random.Generator) -> tuple[bool, int]:
    """What differs and a sample labelled; and how many labels that took."""
    flagged = one.both + one.false
    sample = min(state.sample, flagged)
    found = int(random.hypergeometric(one.both, one.false, sample)) if sample else 0
    sure = finite_sample.count_at_least(found, sample, flagged, GAMMA)
    fewest = one.lost + one.gained + sure
    labels = one.lost + one.gained + one.other + sample
    most = state.rows - one.other - (sample - found)
    level = 0.0 if sample == flagged else GAMMA
    return approved(one.lost, one.gained, (fewest, most), state.margin, level), labels


def at_random(one: Draw, state: State, labels: int, random: np.random.Generator) -> bool:
    """As many labels, on rows drawn at random."""
    rest = state.rows - one.lost - one.gained
    parts = [one.lost, one.gained, one.positives - one.lost - one.gained]
    parts.append(rest - parts[-1])
    lost, gained, agree, _ = map(int, random.multivariate_hypergeometric(parts, labels))
    n = lost + gained + agree
    return approved(lost, gained, (n, n), state.margin, 0.0)


def line(state: State, draws: int, seed: int) -> tuple[float, float, list[float], list[float]]:
    """Labels, and false approvals and power of: part, all, random."""
    labels = 0
    rates = []
    for at_margin in (True, False):
        random = np.random.default_rng([seed, at_margin])
        counts = np.zeros(3)
        for _ in range(draws):
            one = draw(state, at_margin, random)
            part, used = with_part(one, state, random)
            counts += part, with_all(one, state), at_random(one, state, used, random)
            labels += used
        rates.append(list(counts / draws))
    return labels / (2 * draws), 2 * math.sqrt(ALPHA * (1 - ALPHA) / draws), rates[0], rates[1]


def several(draws: int, seed: int, slices: int = 3) -> tuple[float, float, float]:
    """Several slices: false approvals with one at its margin; power with part, and with all."""
    state = State(rows=20_000, prevalence=0.1, margin=0.02, differ=0.04, sample=300)
    random = np.random.default_rng([seed, 2])
    wrong = right = full = 0
    for _ in range(draws):
        fine = [draw(state, False, random) for _ in range(slices)]
        passed = [with_part(one, state, random)[0] for one in fine]
        bad = with_part(draw(state, True, random), state, random)[0]
        wrong += bad and all(passed[1:])
        right += all(passed)
        full += all(with_all(one, state) for one in fine)
    return wrong / draws, right / draws, full / draws


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grid", action="store_true", help="also 32 further states")
    given = parser.parse_args()
    print(
        "| rows, positives, margin, differ | labels | false approvals: part | all | at random "
        "| power: part | all | at random |"
    )
    print("|---|---|---|---|---|---|---|---|")
    above = 0
    for state in (*STATES, *(grid() if given.grid else ())):
        labels, noise, false, power = line(state, given.draws, given.seed)
        above += false[0] > ALPHA + noise
        cells = [f"{rate:.3f}" for rate in (*false, *power)]
        print(
            f"| {state.rows:,}, {state.prevalence:.1%}, {state.margin}, {state.differ:.0%} "
            f"| {labels:,.0f} | {' | '.join(cells)} |",
            flush=True,
        )
    wrong, right, full = several(given.draws, given.seed)
    print(f"three slices: false approvals {wrong:.3f}, power {right:.3f} (all labels {full:.3f})")
    print(f"states whose false approvals exceed alpha by two standard errors: {above}")


if __name__ == "__main__":
    main()
