"""How often a gate that looks several times at more and more labels errs, and what it saves.

python tests/benchmarks/label_looks.py --draws 1000

Recall with an absolute margin, as in ``partial_labels.py``: all rows on which the models differ are
labelled in the first round, and a random sample of those that both flag, which every later round
doubles. Each look is tested at alpha / looks; the first that approves ends it. Beside it one look
at the last round's sample, tested at alpha. Every state is drawn with the candidate exactly at its
margin (false approvals by any look, at most alpha within noise) and unchanged (power). Seeded;
prints a Markdown table; 1,000 draws take some minutes on one core.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from partial_labels import ALPHA, STATES, Draw, State, approved, draw

from prunegate.counting.labelling import SliceFrame, of_round
from prunegate.counting.partial_counts import GAMMA
from prunegate.stats import finite_sample

FIRST = 40
"""Labels of the first round's sample."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one way of looking came to on one gate set."""

    approved: bool
    labels: int


def looked(
    one: Draw, state: State, sizes: list[int], random: np.random.Generator
) -> Iterator[Seen]:
    """Each look in turn, the samples nested; whether it approves at its share of alpha."""
    left, found, flagged = [one.both, one.false], 0, one.both + one.false
    for size, before in zip(sizes, [0, *sizes[:-1]], strict=True):
        more = int(random.hypergeometric(*left, size - before)) if size > before else 0
        left = [left[0] - more, left[1] - (size - before - more)]
        found += more
        sure = finite_sample.count_at_least(found, size, flagged, GAMMA) if size else 0
        known = (one.lost + one.gained + sure, state.rows - one.other - (size - found))
        level = 0.0 if size == flagged else GAMMA
        share = ALPHA / len(sizes)
        passed = approved(one.lost, one.gained, known, state.margin, level, share)
        yield Seen(approved=passed, labels=one.lost + one.gained + one.other + size)


def sizes_of(one: Draw, looks: int) -> list[int]:
    """Labels of the sample by the end of each round."""
    flagged = one.both + one.false
    first = SliceFrame(name="overall", rows=flagged, both=FIRST)
    return [min(of_round(first, number).both, flagged) for number in range(1, looks + 1)]


def until_approved(looks: Iterator[Seen]) -> Seen:
    """The look that ended it."""
    last = next(looks)
    for one in looks:
        if last.approved:
            break
        last = one
    return last


def line(state: State, looks: int, draws: int, seed: int) -> list[float]:
    """False approvals and power of several looks and of one; labels if nothing changed."""
    rates = []
    for at_margin in (True, False):
        random = np.random.default_rng([seed, at_margin])
        several = single = used = last = 0
        for _ in range(draws):
            one = draw(state, at_margin, random)
            sizes = sizes_of(one, looks)
            ended = until_approved(looked(one, state, sizes, random))
            whole = next(looked(one, state, sizes[-1:], random))
            several, single = several + ended.approved, single + whole.approved
            used, last = used + ended.labels, last + whole.labels
        rates += [several / draws, single / draws]
    return [*rates, used / draws, last / draws]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--looks", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--states", type=int, nargs="+", default=range(1, len(STATES) + 1))
    given = parser.parse_args()
    print(
        "| rows, positives, margin, differ | false approvals: looks | one | power: looks | one "
        "| labels: looks | one |"
    )
    print("|---|---|---|---|---|---|---|")
    noise, above = 2 * math.sqrt(ALPHA * (1 - ALPHA) / given.draws), 0
    for number in given.states:
        state = STATES[number - 1]
        *rates, used, last = line(state, given.looks, given.draws, given.seed)
        above += max(rates[:2]) > ALPHA + noise
        print(
            f"| {state.rows:,}, {state.prevalence:.1%}, {state.margin}, {state.differ:.0%} "
            f"| {' | '.join(f'{rate:.3f}' for rate in rates)} | {used:,.0f} | {last:,.0f} |",
            flush=True,
        )
    print(f"states whose false approvals exceed alpha by two standard errors: {above}")


if __name__ == "__main__":
    main()
