"""How long ``prunegate plan`` takes on 121 slices and 4 limits, with 1,000 simulations.

The aim is well under two minutes on two cores. Processor time, printed and never asserted.
"""

from __future__ import annotations

import time

import numpy as np

from prunegate.planning import PlanRequest, plan
from prunegate.policy.load import parse_policy

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


def pilot(per_slice: int) -> dict[tuple[str, ...], tuple[int, ...]]:
    """Joint counts of 120 slices of so many rows each, with 4 % of decisions differing."""
    shares = np.array([0.42, 0.01, 0.01, 0.06, 0.06, 0.01, 0.01, 0.42])
    drawn = np.random.default_rng(0).multinomial(per_slice, shares, size=120)
    return {(f"k{k}",): tuple(cells) for k, cells in enumerate(drawn.tolist())}


def main() -> None:
    """Print processor time for slices of several sizes."""
    policy = parse_policy(POLICY)
    for per_slice in (1_000, 3_000, 10_000):
        start = time.process_time()
        found = plan(policy, pilot(per_slice), PlanRequest())
        spent = time.process_time() - start
        print(  # noqa: T201  # a benchmark prints
            f"{len(found.slices)} slices of {per_slice:,} rows, {found.tests} limits: {spent:.0f} s"
        )


if __name__ == "__main__":
    main()
