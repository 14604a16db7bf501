"""How often the thresholds that negatives leave possible miss the right ones of equal scores.

Scores of negatives are normal, correlated between the models and rounded, so that both models' true
threshold is known and many scores lie on it. A draw misses if no bin has as many rows of the one
model and as few of the other as lie at or above it: three times in 10,000 each way at most.

python tests/benchmarks/fixed_rate_ties.py --draws 400
"""

# ruff: noqa: T201  a script that prints its tables

from __future__ import annotations

import argparse
from itertools import product

import numpy as np
from scipy.stats import norm
from simulated.fixed_rates import correlated, counts_of, rounded

from prunegate.counting.fixed_rate import FlagCounts

POSITIVES = 200
STATES = ((300, 0.1, 0.9), (300, 0.1, 0.99), (1000, 0.1, 0.99), (2000, 0.05, 0.9))
"""Negatives, false positive rate, correlation."""


def threshold_of(rate: float, decimals: int) -> float:
    """The lowest rounded score that no more than this share of the negatives has or exceeds."""
    step = 10.0**-decimals
    grid = np.round(np.arange(-6, 6, step), decimals)
    return float(grid[np.argmax(norm.sf(grid - step / 2) <= rate)])


def misses(state: tuple[int, float, float], decimals: int, rng: np.random.Generator) -> bool:
    """Whether the right thresholds are left out, either way, in one draw."""
    negatives, rate, correlation = state
    up = [one + 2 for one in correlated(POSITIVES, correlation, rng)]
    up, down = rounded(up, decimals), rounded(correlated(negatives, correlation, rng), decimals)
    counts, threshold = counts_of(rate, up, down), threshold_of(rate, decimals) - 1e-9
    before, after = (int((one >= threshold).sum()) for one in up)
    low = [_flags(one) for one in counts.candidate_low]
    high = [_flags(one) for one in counts.candidate_high]
    found = any(b >= before and c <= after for b, c in low)
    return not (found and any(b <= before and c >= after for b, c in high))


def _flags(counts: FlagCounts) -> tuple[int, int]:
    """Positives that baseline and candidate flag."""
    _, gained, lost, both = counts
    return lost + both, gained + both


def main() -> None:
    """Print how many draws of every state miss."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=400)
    draws, rng = parser.parse_args().draws, np.random.default_rng(5)
    for decimals, state in product((0, 1), STATES):
        missed = sum(misses(state, decimals, rng) for _ in range(draws))
        print(f"{decimals} decimals, {state}: {missed} of {draws}", flush=True)


if __name__ == "__main__":
    main()
