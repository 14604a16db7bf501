"""How often the reference check errs where labels are known of some rows only.

A coin's decisions are independent of the labels; the good baseline has a recall and precision of
.85, which a list is planned for; the fair one .7. Two models differ on 2 % of the rows, which are
all labelled; of the others there are the random samples that `prunegate label` plans. The level is
.005; letting a coin pass more often is an error.

python tests/benchmarks/partial_reference.py --draws 2000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse

import numpy as np

from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts
from prunegate.evidence.reference_sample import AgreedSamples, good_shares, samples_to_show
from prunegate.verdict.reference import PART, agreement_of

LEVEL = 0.05 / PART
DIFFER = 0.02
STATES = ((600, 0.5), (600, 0.1), (3_000, 0.3), (12_000, 0.1), (12_000, 0.01), (200_000, 0.005))
"""Rows, and the share of them that is positive and flagged."""


def draw(rows: int, share: float, known: float, rng: np.random.Generator) -> np.ndarray:
    """Joint counts of one gate set; ``known``: recall and precision (the share: a coin)."""
    alarms = share * (1 - known) / (1 - share)
    chances = np.zeros(8)
    for label, weight, says in ((0, 1 - share, alarms), (1, share, known)):
        for baseline, chance in ((0, 1 - says), (1, says)):
            for changed, part in ((0, 1 - DIFFER), (1, DIFFER)):
                cell = 4 * label + 2 * baseline + (baseline ^ changed)
                chances[cell] += weight * chance * part
    return rng.multinomial(rows, chances)


def labelled(full: np.ndarray, sizes: AgreedSamples, rng: np.random.Generator) -> PartialCounts:
    """Labels of the rows that differ, and of samples of the others."""
    cells = [int(n) if cell & 3 in (1, 2) else 0 for cell, n in enumerate(full)]
    samples = {}
    for name, decision, size in (("neither", 0, sizes.neither), ("both", 3, sizes.both)):
        own = [0] * 8
        if size:
            own[4 + decision] = int(rng.hypergeometric(full[4 + decision], full[decision], size))
        own[decision] = size - own[4 + decision]
        cells[4 + decision], cells[decision] = own[4 + decision], own[decision]
        samples[name] = tuple(own)
    decided = tuple(int(full[d] + full[4 + d]) for d in range(4))
    return PartialCounts(decided=decided, cells=tuple(cells), samples=samples)  # type: ignore[arg-type]  # names of samples


def planned(tally: PartialCounts) -> AgreedSamples | None:
    """What a list would hold."""
    nothing = AgreedSamples(neither=0, both=0)
    return samples_to_show(tally, good_shares(tally.decided), nothing, LEVEL)


def passes(tally: PartialCounts | JointCounts) -> bool:
    """Whether the baseline is shown to know something."""
    one = SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)
    found = agreement_of(one, "baseline", LEVEL)
    return found.kappa > 0 and found.p_value <= LEVEL


def line(rows: int, share: float, draws: int, rng: np.random.Generator) -> list[float]:
    """Labels among agreeing rows; share passed of coin, good and fair, part and all labels."""
    expected = draw(rows, share, 0.85, rng)
    sizes = planned(labelled(expected, AgreedSamples(neither=0, both=0), rng))
    if sizes is None:
        return [float("nan")] * 7
    rates: list[float] = [sizes.total]
    for known in (share, 0.85, 0.7):
        passed = np.zeros(2)
        for _ in range(draws):
            full = draw(rows, share, known, rng)
            most = AgreedSamples(
                neither=min(sizes.neither, int(full[0] + full[4])),
                both=min(sizes.both, int(full[3] + full[7])),
            )
            whole = JointCounts(cells=tuple(map(int, full)))
            passed += passes(labelled(full, most, rng)), passes(whole)
        rates += list(passed / draws)
    return rates


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(
        "| rows, positive and flagged | labels of agreeing rows | coin let pass: part | all "
        "| good (.85) held up: part | all | fair (.7) held up: part | all |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for rows, share in STATES:
        rng = np.random.default_rng([given.seed, rows, int(share * 1000)])
        labels, *passed = line(rows, share, given.draws, rng)
        told = [*passed[:2], *(1 - rate for rate in passed[2:])]
        cells = " | ".join(f"{rate:.3f}" for rate in told)
        print(f"| {rows:,}, {share:.1%} | {labels:.0f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
