"""How often a candidate that is exactly at its limit in production is approved, and one below it.

Rows are drawn from a table whose mix is not production's, and reweighted as the gate does it
(``counting/production_counts.py``). Each line is one world: uneven mixes, values with few rows,
losses that one heavy value bears alone. ``approve`` at the limit must not exceed .05 by more than
chance; ``open`` are the draws in which a value has too few rows, which is never a pass.

    python tests/benchmarks/production_mix.py --draws 2000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from prunegate.counting.production_counts import with_production
from prunegate.counting.slices import Piece, slice_counts
from prunegate.counting.tallies import JointCounts
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.metrics.hypothesis import Difference, Level
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.judged_slices import enough


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value of the mix's key, and what the models do there."""

    share: float
    """Of production."""
    rows: int
    """Of the table, or as many on average."""
    positive: float = 0.3
    right: float = 0.92
    """Of positives, by the baseline."""
    lost: float = 0.02
    gained: float = 0.01
    flagged: float = 0.06
    """Of negatives, by the baseline."""
    newly: float = 0.01
    """Of negatives, by the candidate alone."""

    @property
    def chances(self) -> list[float]:
        """Of the eight cells."""
        p, q = self.positive, 1 - self.positive
        return [
            *(q * (1 - self.flagged - self.newly), q * self.newly, q * 0.005),
            q * (self.flagged - 0.005),
            *(p * (1 - self.right - self.gained), p * self.gained, p * self.lost),
            p * (self.right - self.lost),
        ]


WORLDS: dict[str, tuple[Value, ...]] = {
    "even": (Value(share=0.5, rows=500), Value(share=0.5, rows=500)),
    "one heavy value loses": (
        Value(share=0.6, rows=1000, lost=0.0, gained=0.0, newly=0.0),
        Value(share=0.4, rows=60, positive=0.5, lost=0.08, newly=0.05),
    ),
    "30 heavy rows": (
        Value(share=0.5, rows=1000),
        Value(share=0.5, rows=30, positive=0.5, lost=0.06, gained=0.0),
    ),
    "heavy, few positives": (
        Value(share=0.5, rows=1000, lost=0.0, gained=0.0),
        Value(share=0.5, rows=60, positive=0.05, lost=0.2, gained=0.0),
    ),
    "light value loses much": (
        Value(share=0.97, rows=1000, lost=0.0, gained=0.0, newly=0.0),
        Value(share=0.03, rows=40, positive=0.5, lost=0.5, newly=0.3),
    ),
    "five, uneven": (
        Value(share=0.6, rows=200, lost=0.03),
        Value(share=0.2, rows=800, positive=0.2),
        Value(share=0.1, rows=100, right=0.85, lost=0.05, gained=0.02),
        Value(share=0.08, rows=45, positive=0.2, lost=0.1, gained=0.0),
        Value(share=0.02, rows=400, lost=0.02, gained=0.02),
    ),
    "as the table": (Value(share=0.8, rows=800), Value(share=0.2, rows=200, lost=0.05)),
}


def policy_of(world: Sequence[Value]) -> Policy:
    """A policy that declares the mix."""
    mix = ", ".join(f"v{n}: {value.share}" for n, value in enumerate(world))
    return parse_policy(
        "prunegate: 1\nname: mix\ntask: {kind: binary, positive: 1, threshold: 0.5}\n"
        f"slices: [{{by: kind}}]\ndata: {{production: {{kind: {{{mix}}}}}}}\n"
        "rules: [{metric: recall, slices: production, max_drop: 0.1}]\n"
    )


def truth(world: Sequence[Value], metric: str) -> tuple[Fraction, Fraction]:
    """A metric of both models in production."""
    cells = np.sum([value.share * np.array(value.chances) for value in world], axis=0)

    def of(bit: int) -> float:
        hit = sum(cells[c] for c in range(4, 8) if c & bit)
        alarm = sum(cells[c] for c in range(4) if c & bit)
        positive = sum(cells[4:])
        found = {
            "recall": hit / positive,
            "precision": hit / (hit + alarm),
            "accuracy": (hit + sum(cells[:4]) - alarm) / sum(cells),
        }
        return float(found[metric])

    before, after = (Fraction(of(bit)).limit_denominator(10**9) for bit in (2, 1))
    return before, after


def line(
    world: Sequence[Value], metric: str, draws: int, seed: int, *, level: bool, room: float
) -> str:
    """Shares of draws that are approved, shown to be broken, and open for few rows."""
    rng, policy = np.random.default_rng(seed), policy_of(world)
    before, after = truth(world, metric)
    extra = Fraction(room).limit_denominator(1000)
    margin = before - after + extra
    claim = Level(limit=after - extra, at_least=True) if level else Difference(margin=margin)
    rows = np.array([value.rows for value in world])
    approved = broken = few = 0
    for _ in range(draws):
        sizes = rng.multinomial(rows.sum(), rows / rows.sum())
        pieces = [
            Piece(
                values=(f"v{n}",),
                tally=JointCounts(cells=tuple(map(int, rng.multinomial(size, value.chances)))),
            )
            for n, (value, size) in enumerate(zip(world, sizes, strict=True))
        ]
        found = with_production(policy, slice_counts(policy, pieces))[1]
        about = evidence(WantedMetric(metric=metric), found.tally)
        if not enough(found, policy.evidence.minimum) or not about.reliable_for(claim):
            few += 1
            continue
        result = about.test(claim)
        approved += result.p_value <= 0.05
        broken += result.p_harm <= 0.05
    return f"{approved / draws:7.3f} {broken / draws:7.3f} {few / draws:7.3f}"


def main() -> None:
    """Print a line a world, metric and kind of limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(f"{given.draws} draws; at the limit, then 3 points inside it")
    print(
        f"{'world':24} {'metric':10} {'limit':7} approve  broken    open | approve  broken    open"
    )
    for name, world in WORLDS.items():
        for metric, level in (
            *(("recall", False), ("recall", True), ("accuracy", False)),
            ("precision", False),
        ):
            both = [
                line(world, metric, given.draws, given.seed, level=level, room=room)
                for room in (0.0, 0.03)
            ]
            kind = "floor" if level else "drop"
            print(f"{name:24} {metric:10} {kind:7}{' |'.join(both)}", flush=True)


if __name__ == "__main__":
    main()
