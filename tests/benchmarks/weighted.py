"""How often tests of weighted rows err: false approvals at the margin, and power, by simulation.

Tables are drawn from a world whose figures are known, some of its rows more often than others, and
each row weighs the reverse of how often it was drawn. At the margin the candidate is worse by just
what is allowed (or its value is just the floor), and its further errors lie in the rows that weigh
most, in those that weigh least, or anywhere; of these and of the cells in which errors can lie the
worst is shown. Power is that of a candidate that changes as much both ways. Where the rows are
worth too few of equal weight nothing is approved.

    python tests/benchmarks/weighted.py --draws 2000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.special import ndtr

from prunegate.counting.cluster_sums import Clusters
from prunegate.counting.tallies import JointCounts
from prunegate.counting.weight_sums import WeightSums
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.metrics.hypothesis import Difference, ErrorsAtMost, Hypothesis, Level, SuccessRatio

ALPHA = 0.05
STEPS = 1 << 16
"""Whole steps of a weight of 1."""
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Design:
    """How a table is drawn: which rows weigh how much."""

    name: str
    share: float
    """Of the world's rows, those that weigh much."""
    weights: Callable[[int, np.random.Generator], Floats]
    """The weights of n rows, and with the same sizes always."""
    heavy: Callable[[Floats], np.ndarray[Any, np.dtype[np.bool_]]]
    by_label: bool = False
    """Whether the rows that weigh much are the negative ones."""


def strata(ratio: float, part: float, *, by_label: bool = False) -> Design:
    """Two strata: a part of the table's rows weighs ``ratio`` times as much as the others."""

    def weights(n: int, _: np.random.Generator) -> Floats:
        return np.where(np.arange(n) < part * n, ratio, 1.0)

    mass = part * ratio / (part * ratio + 1 - part)
    kind = "negatives" if by_label else "rows"
    return Design(
        name=f"{part:.0%} of {kind} x {ratio:g}",
        share=mass,
        weights=weights,
        heavy=lambda w: w > 1,
        by_label=by_label,
    )


def lognormal(sigma: float) -> Design:
    """Weights of all sizes; much is what a tenth of the rows weigh at least."""
    z = 1.2815515655446004
    return Design(
        name=f"lognormal {sigma:g}",
        share=float(ndtr(sigma - z)),
        weights=lambda n, rng: np.exp(sigma * rng.standard_normal(n)),
        heavy=lambda w: w > math.exp(sigma * z),
    )


DESIGNS = (
    strata(5, 0.5),
    strata(20, 0.5),
    strata(5, 0.1),
    strata(20, 0.1),
    strata(5, 0.5, by_label=True),
    strata(20, 0.5, by_label=True),
    lognormal(0.5),
    lognormal(1.0),
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A limit, and how far it may be missed."""

    metric: str
    claim: Hypothesis
    harms: tuple[tuple[int, int], ...]
    """From which cell to which the rows go that make the candidate worse."""

    @property
    def name(self) -> str:
        """As in the table."""
        claim = self.claim
        if isinstance(claim, Level):
            return f"{self.metric} at least {float(claim.limit):g}"
        if isinstance(claim, Difference):
            return f"{self.metric} drop {float(claim.margin):g}"
        kind = "relative" if isinstance(claim, SuccessRatio) else "errors x"
        return f"{self.metric} {kind} {float(claim.ratio):g}"

    def room(self, cells: Floats) -> float:
        """How far the world's cells are inside the limit."""
        before, after = (_value(self.metric, cells, bit) for bit in (2, 1))
        claim = self.claim
        if isinstance(claim, Level):
            return after - float(claim.limit)
        if isinstance(claim, Difference):
            return after - before + float(claim.margin)
        if isinstance(claim, SuccessRatio):
            return after - float(claim.ratio) * before
        return float(claim.ratio) * (1 - before) - (1 - after)


MISS, ALARM = (0b111, 0b110), (0b000, 0b001)
_MARGIN = Fraction(1, 20)
QUESTIONS = (
    Question(metric="accuracy", claim=Difference(margin=Fraction(1, 50)), harms=(MISS, ALARM)),
    Question(metric="accuracy", claim=Difference(margin=_MARGIN), harms=(MISS, ALARM)),
    Question(metric="accuracy", claim=SuccessRatio(ratio=Fraction(95, 100)), harms=(MISS, ALARM)),
    Question(metric="accuracy", claim=ErrorsAtMost(ratio=Fraction(3, 2)), harms=(MISS, ALARM)),
    Question(
        metric="accuracy", claim=Level(limit=Fraction(85, 100), at_least=True), harms=(MISS, ALARM)
    ),
    Question(metric="recall", claim=Difference(margin=_MARGIN), harms=(MISS,)),
    Question(metric="precision", claim=Difference(margin=_MARGIN), harms=(ALARM, MISS)),
    Question(metric="precision", claim=Level(limit=Fraction(3, 4), at_least=True), harms=(ALARM,)),
    Question(metric="f1", claim=Difference(margin=_MARGIN), harms=(MISS, ALARM)),
    Question(metric="balanced_accuracy", claim=Difference(margin=_MARGIN), harms=(MISS,)),
    Question(metric="mcc", claim=Difference(margin=Fraction(1, 10)), harms=(MISS, ALARM)),
)


def _value(metric: str, cells: Floats, bit: int) -> float:
    """A metric of the world's cells."""
    tp = sum(cells[i] for i in range(8) if i & 4 and i & bit)
    fp = sum(cells[i] for i in range(8) if not i & 4 and i & bit)
    fn, tn = sum(cells[4:]) - tp, sum(cells[:4]) - fp
    return float(
        {
            "accuracy": lambda: tp + tn,
            "recall": lambda: tp / (tp + fn),
            "precision": lambda: tp / (tp + fp),
            "f1": lambda: 2 * tp / (2 * tp + fp + fn),
            "balanced_accuracy": lambda: (tp / (tp + fn) + tn / (tn + fp)) / 2,
            "mcc": lambda: (
                (tp * tn - fp * fn) / math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
            ),
        }[metric]()
    )


def world(design: Design, churn: float) -> Floats:
    """Shares of the eight cells where as much is lost as is gained."""
    positive = 1 - design.share if design.by_label else 0.3
    right = (0.9 * positive, 0.96 * (1 - positive))
    cells = np.zeros(8)
    cells[0b111], cells[0b100] = right[0], positive - right[0]
    cells[0b000], cells[0b011] = right[1], 1 - positive - right[1]
    moved = min(churn / 2, cells[0b100] / 2, cells[0b011] / 2)
    for source, target in ((0b111, 0b110), (0b000, 0b001), (0b100, 0b101), (0b011, 0b010)):
        cells[source] -= moved
        cells[target] += moved
    return cells


def at_margin(question: Question, cells: Floats, harm: tuple[int, int]) -> Floats | None:
    """The same where just so many rows more go wrong that the limit is met exactly."""
    source, target = harm
    low, high = 0.0, float(cells[source])
    if question.room(cells) <= 0:
        return None

    def moved(mass: float) -> Floats:
        found = cells.copy()
        found[source] -= mass
        found[target] += mass
        return found

    if question.room(moved(high * 0.999)) > 0:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if question.room(moved(middle)) > 0 else (low, middle)
    return moved(high)


def halves(design: Design, cells: Floats, target: int, where: str) -> tuple[Floats, Floats] | None:
    """Shares of the cells among rows that weigh much, and among the others."""
    if design.by_label:
        negative = np.where(np.arange(8) < 4, cells, 0.0)
        return negative / negative.sum(), (cells - negative) / (cells - negative).sum()
    if where == "anywhere":
        return cells, cells
    share = design.share if where == "heavy" else 1 - design.share
    if cells[target] > 0.9 * share:
        return None
    rest = np.where(np.arange(8) == target, 0.0, cells)
    # the other cells are as likely in either part, as far as there is room for them
    inside = rest / rest.sum() * (1 - cells[target] / share)
    inside[target] = cells[target] / share
    outside = (cells - share * inside) / (1 - share)
    if outside.min() < -1e-12:
        return None
    outside = np.clip(outside, 0.0, None)
    return (inside, outside) if where == "heavy" else (outside, inside)


def drawn(
    design: Design, parts: tuple[Floats, Floats], n: int, rng: np.random.Generator, size: int
) -> JointCounts:
    """A table of n rows, in groups of so many (1: none) that hold one draw each."""
    weights = design.weights(n // size, rng)
    heavy = design.heavy(weights)
    cell = np.empty(weights.size, dtype=int)
    for chosen, shares in ((heavy, parts[0]), (~heavy, parts[1])):
        cell[chosen] = rng.choice(8, int(chosen.sum()), p=shares / shares.sum())
    return tally(np.repeat(cell, size), np.repeat(weights, size), size)


def tally(cell: np.ndarray[Any, Any], weights: Floats, size: int) -> JointCounts:
    """The rows summed up as the engine does."""
    steps = np.rint(weights * STEPS).astype(np.int64)
    counts = np.bincount(cell, minlength=8)
    by_cell = {i: steps[cell == i] for i in range(8) if counts[i]}
    totals = {i: int(held.sum()) for i, held in by_cell.items()}
    squares = {i: int((held * held).sum()) for i, held in by_cell.items()}
    heaviest = {i: int(held.max()) for i, held in by_cell.items()}
    sums = WeightSums(step=Fraction(1, STEPS), totals=totals, squares=squares, heaviest=heaviest)
    clusters = None
    if size > 1:
        products = {(i, i): size * squares[i] for i in totals}
        sums = WeightSums(
            step=sums.step,
            totals=totals,
            squares=squares,
            heaviest={i: size * most for i, most in heaviest.items()},
            products=products,
            heaviest_group=size * max(heaviest.values()),
        )
        clusters = Clusters(
            groups=cell.size // size,
            products={(i, i): size * int(counts[i]) for i in totals},
            shared={(i, i): int(counts[i]) // size for i in totals},
        )
    return JointCounts(cells=tuple(map(int, counts)), weights=sums, clusters=clusters)


def approved(question: Question, table: JointCounts) -> bool:
    """Whether the gate would say that the limit holds."""
    wanted = WantedMetric(metric=question.metric, grouped=table.clusters is not None)
    about = evidence(wanted, table)
    level = isinstance(question.claim, Level)
    if about.candidate is None or (about.baseline is None and not level):
        return False
    if not about.reliable_for(question.claim):
        return False
    return about.test(question.claim).p_value <= ALPHA


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What a design comes to at one number of rows."""

    worst: float
    state: str
    power: float


def rates(
    question: Question, design: Design, n: int, draws: int, seed: Sequence[int], size: int = 1
) -> Rates:
    """The worst false-approve rate at the margin, in which state, and the power."""
    worst, state = 0.0, "-"
    for number, (harm, churn, where) in enumerate(
        (harm, churn, where)
        for harm in question.harms
        for churn in (0.0, 0.02)
        for where in ("anywhere", "heavy", "light")
        if not (design.by_label and where != "anywhere")
    ):
        cells = at_margin(question, world(design, churn), harm)
        parts = None if cells is None else halves(design, cells, harm[1], where)
        if parts is None:
            continue
        rng = np.random.default_rng([*seed, number])
        found = sum(approved(question, drawn(design, parts, n, rng, size)) for _ in range(draws))
        if found / draws > worst:
            kind = "misses" if harm == MISS else "alarms"
            worst, state = found / draws, f"{kind} {where}, churn {churn:g}"
    rng = np.random.default_rng([*seed, 99])
    even = halves(design, world(design, 0.01), 0b110, "anywhere")
    assert even is not None  # anywhere is always possible
    held = sum(approved(question, drawn(design, even, n, rng, size)) for _ in range(draws))
    return Rates(worst=worst, state=state, power=held / draws)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--questions", nargs="*", default=[])
    parser.add_argument("--designs", nargs="*", default=[])
    parser.add_argument("--group", type=int, default=1, help="rows of a group, which err as one")
    asked = parser.parse_args()
    error = math.sqrt(ALPHA * (1 - ALPHA) / asked.draws)
    print(f"{asked.draws} draws a state; standard error of .05: {error:.4f}; group {asked.group}")
    print("| limit | weights | n | worst false approve | in state | power |")
    print("|---|---|---|---|---|---|")
    for place, question in enumerate(QUESTIONS):
        if asked.questions and not any(question.name.startswith(q) for q in asked.questions):
            continue
        for which, design in enumerate(DESIGNS):
            if asked.designs and not any(part in design.name for part in asked.designs):
                continue
            for n in asked.rows:
                found = rates(question, design, n, asked.draws, (place, which, n), asked.group)
                print(
                    f"| {question.name} | {design.name} | {n} | {found.worst:.4f} |"
                    f" {found.state} | {found.power:.3f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
