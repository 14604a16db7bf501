"""How long ``judge_counts`` takes on 121 slices and 4 limits, in a warm process.

The aim is under a second. Printed, never asserted: the machine may be busy.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

import prunegate
from prunegate.policy.load import parse_policy

ROUNDS = 5
POLICY = """\
prunegate: 1
name: speed
task: {kind: binary, positive: 1}
slices: [{by: kind}]
rules:
  - {metric: recall, slices: all, at_least: 0.5, max_drop: 0.02}
  - {metric: precision, slices: all, max_drop: 0.02}
  - {metric: specificity, slices: all, max_drop: 0.02}
"""


def counts(per_slice: int) -> pd.DataFrame:
    """Joint counts of 120 slices of about so many rows each, with 4 % of decisions differing."""
    shares = np.array([0.42, 0.01, 0.01, 0.06, 0.06, 0.01, 0.01, 0.42])
    drawn = np.random.default_rng(0).multinomial(per_slice, shares, size=120)
    return pd.DataFrame(
        [
            {"kind": f"k{k}", "label": i >> 2, "baseline": i >> 1 & 1, "candidate": i & 1, "n": n}
            for k, cells in enumerate(drawn)
            for i, n in enumerate(cells)
        ]
    )


def main() -> None:
    """Print the best of a few rounds for slices of several sizes; the first call warms up."""
    policy = parse_policy(POLICY)
    for per_slice in (1_000, 10_000, 100_000):
        frame = counts(per_slice)
        times = []
        for _ in range(ROUNDS + 1):
            start = time.perf_counter()
            verdict = prunegate.judge_counts(policy, frame)
            times.append(time.perf_counter() - start)
        print(  # noqa: T201  # a benchmark prints
            f"{len(verdict.slices)} slices of {per_slice:,} rows, {len(verdict.findings)} limits: "
            f"{times[0]:.2f} s at first, then best of {ROUNDS} {min(times[1:]):.2f} s"
        )


if __name__ == "__main__":
    main()
