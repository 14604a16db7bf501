"""How often a verdict calls a loss real where nothing was lost, by simulation of the whole gate.

A model is judged against itself made to decide some rows otherwise, evenly both ways, on all rows
and on 50 slices. A share of verdicts with a warning of a real loss above 5 % (beyond noise) would
mean that the adjustment for the number that was looked at does not hold. The last column is the
share that has a slice whose 95 % interval by itself lies below zero: what was told as real before.

    python tests/benchmarks/loss_warnings.py --draws 400
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import math

import numpy as np
import pandas as pd

import prunegate
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict
from prunegate.verdict.losses import LEVEL

SLICES = 50
CELLS = [(label, before, after) for label in (0, 1) for before in (0, 1) for after in (0, 1)]
SETTINGS = {
    "recall, precision; 1,500 rows a slice, 4 % differ": (1500, 0.04, ("recall", "precision")),
    "recall, precision; 400 rows a slice, 10 % differ": (400, 0.10, ("recall", "precision")),
    "accuracy, f1; 600 rows a slice, 6 % differ": (600, 0.06, ("accuracy", "f1")),
}


def policy_on(metrics: tuple[str, ...]) -> Policy:
    """Wide limits on a change of each metric, on all rows and on every slice."""
    rules = "\n".join(f"  - {{metric: {name}, slices: all, max_drop: 0.2}}" for name in metrics)
    return parse_policy(
        "prunegate: 1\nname: unchanged\ntask: {kind: binary, positive: unsafe}\n"
        "evidence: {minimum: {rows: 50, positives: 10}}\n"
        f"slices: [{{by: k}}]\nrules:\n{rules}\n"
    )


def unchanged(rng: np.random.Generator, rows: int, differ: float) -> pd.DataFrame:
    """Joint counts of slices on which both models are right equally often."""
    chances = []
    for label, before, after in CELLS:
        right = 0.9 - differ / 2
        wrong = 1 - right - differ
        both = right if before == label else wrong
        chances.append((0.4 if label else 0.6) * (both if before == after else differ / 2))
    counts = rng.multinomial(rows, chances, size=SLICES)
    frame = pd.DataFrame(CELLS * SLICES, columns=["label", "baseline", "candidate"])
    return frame.assign(k=np.repeat(np.arange(SLICES), len(CELLS)), n=counts.ravel())


def tells_a_loss(verdict: Verdict) -> bool:
    """Whether the verdict warns of a real loss."""
    return any(fact.kind == "loss" for fact in verdict.warning_facts)


def looks_like_one(verdict: Verdict) -> bool:
    """Whether some interval by itself lies below zero."""
    return any(f.status == "pass" and (f.ci_high or 0) < 0 for f in verdict.findings)


def main() -> None:
    """Print a line a setting; exit 1 where a share lies beyond 5 % and three standard errors."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--seed", type=int, default=14)
    asked = parser.parse_args()
    most = LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / asked.draws)
    above = False
    print(f"| unchanged model, {SLICES} slices | draws | real loss told | interval below zero |")
    print("|---|---|---|---|")
    for name, (rows, differ, metrics) in SETTINGS.items():
        rng, policy = np.random.default_rng(asked.seed), policy_on(metrics)
        verdicts = [
            prunegate.judge_counts(policy, unchanged(rng, rows, differ)) for _ in range(asked.draws)
        ]
        told, seen = (sum(map(of, verdicts)) / asked.draws for of in (tells_a_loss, looks_like_one))
        above = above or told > most
        print(f"| {name} | {asked.draws} | {told:.3f} | {seen:.3f} |", flush=True)
    raise SystemExit(int(above))


if __name__ == "__main__":
    main()
