"""How often a good candidate on few rows is held up as knowing nothing of the labels.

python tests/benchmarks/unrelated.py --draws 1000

Where the baseline is shown to know the labels and the candidate is not, nothing is approved.
Drawn are baselines whose recall and precision are 85 %, and candidates that decide a share of the
rows otherwise, as many lost as gained: none of these should be held up. Beside them candidates that
flag rows whatever their label, and should be. Seeded; prints Markdown; a
minute on one core.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import product

import numpy as np

from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts
from prunegate.policy.load import parse_policy
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import BEATS_CONSTANT

POLICY = parse_policy(
    "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    "rules: [{metric: recall, max_drop: 0.05}]\n"
)
GOOD = 0.85
SIZES = (30, 50, 100, 300, 1000)


def good(prevalence: float, differ: float) -> np.ndarray:
    """Chances of joint counts: a good baseline, and a candidate that changes some decisions."""
    false = prevalence * GOOD * (1 - GOOD) / GOOD / (1 - prevalence)
    found = np.zeros(8)
    for label, flagged, share in ((0, false, 1 - prevalence), (1, GOOD, prevalence)):
        moved = differ / 2
        other = min(moved, flagged / 2), min(moved, (1 - flagged) / 2)
        cells = ((1 - flagged) - other[1], other[1], other[0], flagged - other[0])
        found[4 * label : 4 * label + 4] = share * np.array(cells)
    return found


def blind(prevalence: float, flags: float) -> np.ndarray:
    """The same with a candidate that flags a share of the rows, whatever their label."""
    before = good(prevalence, 0.0)
    found = np.zeros(8)
    for cell in range(8):
        for decision, share in ((0, 1 - flags), (1, flags)):
            found[(cell & 0b110) | decision] += before[cell] * share
    return found


def held_up(counts: np.ndarray) -> tuple[bool, bool]:
    """Whether the baseline is shown to know something, and the candidate held up."""
    tally = JointCounts(cells=tuple(map(int, counts)))
    one = SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)
    verdict = decide(POLICY, [one])
    because = [f.open_because for f in verdict.findings if f.check == BEATS_CONSTANT]
    unrelated = "unrelated candidate" in because
    return unrelated or None in because, unrelated


def lines(draws: int, seed: int) -> Iterator[str]:
    """A row of the table for each kind of candidate."""
    kinds = [
        (f"good, {d:.0%} otherwise", p, good(p, d))
        for p, d in product((0.02, 0.1, 0.5), (0.02, 0.1))
    ]
    kinds += [(f"flags {f:.1%}, whatever the label", 0.1, blind(0.1, f)) for f in (0.1, 0.9, 0.999)]
    for place, (name, prevalence, chances) in enumerate(kinds):
        told = []
        for rows in SIZES:
            random = np.random.default_rng([seed, place, rows])
            drawn = random.multinomial(rows, chances / chances.sum(), size=draws)
            rates = np.mean([held_up(counts) for counts in drawn], axis=0)
            told.append(f"{rates[1]:.3f} of {rates[0]:.2f}")
        yield f"| {name} | {prevalence:.0%} | {' | '.join(told)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"| candidate | positive | {' | '.join(f'{n:,} rows' for n in SIZES)} |")
    print("|---" * (len(SIZES) + 2) + "|")
    for line in lines(given.draws, given.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
