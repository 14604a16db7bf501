"""How often a gate on precision with partial labels errs, beside all labels and as few at random.

python tests/benchmarks/partial_precision.py --draws 400

All rows on which the models differ are labelled, and a random sample of those that both flag. Every
state is drawn twice: with the candidate's precision exactly at its margin (false approvals, which
must stay at alpha or below within noise; false harm likewise) and unchanged (power). A second table
is of floors: a candidate exactly at its floor, and one half way between it and perfect. ``--grid``
has 48 states: few and many rows, rare and common flags, low and high precision, much and little
overlap, models that flag equally many and not. Seeded; prints Markdown; about a second for 100
draws of a state on one core.
"""

# ruff: noqa: T201  a script that prints its tables

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np

from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.tallies import JointCounts
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.metrics.hypothesis import Difference, Hypothesis, Level
from prunegate.stats.roots import crossing

ALPHA = 0.05
FLAGGED = (0b01, 0b10, 0b11)
APART = 0.5
"""Share of the rows that one model flags which are positive, if nothing changed."""


@dataclass(frozen=True, kw_only=True)
class State:
    """A gate set of one slice, and how the two models flag its rows."""

    rows: int
    flagged: float
    """Share of the rows that the baseline flags."""
    precision: float
    """Of the baseline."""
    differ: float
    """Share of what the baseline flags that the candidate does not."""
    more: float = 0.0
    """By how much more rows, of those, the candidate flags."""
    margin: float = 0.04
    sample: int = 150
    """Labels among the rows that both models flag."""

    def cells(self, drop: float) -> np.ndarray | None:
        """Chances of the joint counts, the candidate's precision lower by so much; None: no way."""
        lost, gained = self.differ, self.differ + self.more
        both = 1 - lost

        def hits(shift: float) -> tuple[float, float, float]:
            """True positives, of the rows that the baseline flags: both, baseline, candidate."""
            alone = lost * (APART + shift), gained * (APART - shift)
            return self.precision - alone[0], *alone

        def too_good(shift: float) -> float:
            agreed, _, new = hits(shift)
            return (agreed + new) / (both + gained) - self.precision + drop

        if too_good(-APART) < 0 or too_good(APART) > 0:
            return None
        agreed, old, new = hits(crossing(too_good, -APART, APART))
        if not 0 <= agreed <= both:
            return None
        found = np.zeros(8)
        found[[0b111, 0b110, 0b101]] = agreed, old, new
        found[[0b011, 0b010, 0b001]] = both - agreed, lost - old, gained - new
        found *= self.flagged
        found[0] = 1 - found.sum()
        return found

    def __str__(self) -> str:
        return (
            f"{self.rows:,}, {self.flagged:.1%}, {self.precision:.2f}, {self.differ:.0%}"
            f"{f' (+{self.more:.0%})' if self.more else ''}"
        )


STATES = (
    State(rows=20_000, flagged=0.4, precision=0.94, differ=0.06),
    State(rows=5_000, flagged=0.4, precision=0.92, differ=0.08),
    State(rows=5_000, flagged=0.4, precision=0.92, differ=0.06, more=0.04),
    State(rows=12_000, flagged=0.1, precision=0.9, differ=0.05),
    State(rows=100_000, flagged=0.005, precision=0.8, differ=0.08, margin=0.05),
    State(rows=40_000, flagged=0.03, precision=0.6, differ=0.15, more=0.1),
)
"""The states of the docs' table."""
FLOORS = (
    (State(rows=20_000, flagged=0.4, precision=0.9, differ=0.06, sample=300), 0.9),
    (State(rows=12_000, flagged=0.1, precision=0.8, differ=0.05, sample=200), 0.8),
    (State(rows=100_000, flagged=0.005, precision=0.7, differ=0.1, sample=150), 0.7),
)
"""Gate sets whose candidate is exactly at a floor, and the floor."""


def grid() -> Iterator[State]:
    """Few and many, rare and common, much and little overlap."""
    for rows, flagged, precision, (differ, more), sample in product(
        (3_000, 30_000), (0.04, 0.4), (0.7, 0.95), ((0.06, 0.0), (0.2, 0.0), (0.1, 0.2)), (60, 300)
    ):
        yield State(
            rows=rows,
            flagged=flagged,
            precision=precision,
            differ=differ,
            more=more,
            sample=sample,
        )


def part_of(full: np.ndarray, size: int, random: np.random.Generator) -> PartialCounts:
    """The gate set with labels for what differs and for a sample of what both flag."""
    both = int(full[3] + full[7])
    found = int(random.hypergeometric(full[7], full[3], min(size, both))) if both else 0
    sample = (0, 0, 0, min(size, both) - found, 0, 0, 0, found)
    cells = tuple(int(n) if cell % 4 in (1, 2) else sample[cell] for cell, n in enumerate(full))
    decided = tuple(int(full[d] + full[4 + d]) for d in range(4))
    return PartialCounts(decided=decided, cells=cells, samples={"both": sample})


def at_random(full: np.ndarray, labels: int, random: np.random.Generator) -> JointCounts:
    """As many labels on rows drawn at random."""
    found = random.multivariate_hypergeometric(full, min(labels, int(full.sum())))
    return JointCounts(cells=tuple(map(int, found)))


def shown(tally: PartialCounts | JointCounts, claim: Hypothesis) -> tuple[bool, bool]:
    """Whether a limit is shown to hold, and to be broken."""
    about = evidence(WantedMetric(metric="precision", claim=claim), tally)
    compared = isinstance(claim, Level) or about.baseline is not None
    if about.candidate is None or not compared or not about.reliable_for(claim):
        return False, False
    result = about.test(claim)
    return result.p_value <= ALPHA, result.p_harm <= ALPHA


def rates(
    state: State, cells: np.ndarray, claim: Hypothesis, draws: int, random: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Labels; of part, all and random how often the limit is shown to hold, and to be broken."""
    counts, labels = np.zeros((3, 2)), 0
    for _ in range(draws):
        full = random.multinomial(state.rows, cells)
        part = part_of(full, state.sample, random)
        every = JointCounts(cells=tuple(map(int, full)))
        few = at_random(full, part.labelled, random)
        counts += [shown(one, claim) for one in (part, every, few)]
        labels += part.labelled
    return labels / draws, counts / draws


def changes(states: dict[int, State], draws: int, seed: int) -> int:
    """Print the table of changes; states beyond two standard errors."""
    print(
        "| rows, flagged, precision, differ | margin | labels | false approvals: part | all "
        "| at random | false harm: part | all | power: part | all | at random |"
    )
    print("|---" * 11 + "|")
    limit, above = ALPHA + noise(draws), 0
    for place, state in states.items():
        claim = Difference(margin=Fraction(str(state.margin)))
        at_margin, same = state.cells(state.margin), state.cells(0.0)
        if at_margin is None or same is None:
            continue
        random = np.random.default_rng([seed, place])
        labels, wrong = rates(state, at_margin, claim, draws, random)
        _, right = rates(state, same, claim, draws, random)
        above += wrong[0].max() > limit
        told = [*wrong[:, 0], *wrong[:2, 1], *right[:, 0]]
        numbers = " | ".join(f"{rate:.3f}" for rate in told)
        print(f"| {state} | {state.margin} | {labels:,.0f} | {numbers} |", flush=True)
    return above


def floors(draws: int, seed: int) -> int:
    """Print the table of floors; states beyond two standard errors."""
    print("\n| rows, flagged, precision, differ | floor | labels | false approvals: part | all "
          "| power: part | all | at random |")  # fmt: skip
    print("|---" * 8 + "|")
    limit, above = ALPHA + noise(draws), 0
    for place, (state, floor) in enumerate(FLOORS):
        claim = Level(limit=Fraction(str(floor)), at_least=True)
        random = np.random.default_rng([seed, 1000 + place])
        better = replace(state, precision=(1 + floor) / 2)
        at_floor, half = state.cells(0.0), better.cells(0.0)
        assert at_floor is not None
        assert half is not None
        labels, wrong = rates(state, at_floor, claim, draws, random)
        _, right = rates(state, half, claim, draws, random)
        above += wrong[0].max() > limit
        told = [*wrong[:2, 0], *right[:, 0]]
        numbers = " | ".join(f"{rate:.3f}" for rate in told)
        print(f"| {state} | {floor} | {labels:,.0f} | {numbers} |", flush=True)
    return above


def several(draws: int, seed: int, slices: int) -> tuple[float, float, float]:
    """Several slices: false approvals with one at its margin; power with part, and with all."""
    state = STATES[1]
    claim = Difference(margin=Fraction(str(state.margin)))
    random = np.random.default_rng([seed, 2000 + slices])
    at_margin, same = state.cells(state.margin), state.cells(0.0)
    assert at_margin is not None
    assert same is not None
    wrong = right = full = 0
    for _ in range(draws):
        bad = random.multinomial(state.rows, at_margin)
        fine = [random.multinomial(state.rows, same) for _ in range(slices)]
        passed = [shown(part_of(one, state.sample, random), claim)[0] for one in fine]
        wrong += all(passed[1:]) and shown(part_of(bad, state.sample, random), claim)[0]
        right += all(passed)
        every = (JointCounts(cells=tuple(map(int, one))) for one in fine)
        full += all(shown(one, claim)[0] for one in every)
    return wrong / draws, right / draws, full / draws


def noise(draws: int) -> float:
    """Two standard errors of a rate of alpha."""
    return 2 * math.sqrt(ALPHA * (1 - ALPHA) / draws)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grid", action="store_true", help="48 further states in place of these")
    parser.add_argument("--states", type=int, nargs=2, metavar=("FIRST", "END"), help="some alone")
    given = parser.parse_args()
    states = dict(enumerate(grid() if given.grid else STATES))
    if given.states:
        states = {place: states[place] for place in range(*given.states)}
    above = changes(states, given.draws, given.seed)
    if not given.grid and not given.states:
        above += floors(given.draws, given.seed)
        print()
        for slices in (2, 4, 8):
            wrong, right, full = several(given.draws, given.seed, slices)
            told = f"false approvals {wrong:.3f}, power {right:.3f} (all labels {full:.3f})"
            print(f"{slices} slices: {told}", flush=True)
    print(f"states whose false rates exceed alpha by two standard errors: {above}")


if __name__ == "__main__":
    main()
