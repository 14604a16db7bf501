"""Worst false-approve rate of the exact paired test, by enumeration along the boundary.

python tests/benchmarks/size_exact.py --rows 50 100 300 1000 --margins 0.01 0.02 0.05
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse

import numpy as np

from prunegate.stats.power import exact_power


def main() -> None:
    """Print one line per n and margin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 100, 300])
    parser.add_argument("--margins", type=float, nargs="+", default=[0.01, 0.02, 0.05])
    parser.add_argument("--alpha", type=float, default=0.05)
    chosen = parser.parse_args()
    print("     n  margin  worst false-approve rate  at discordance")
    for n in chosen.rows:
        for margin in chosen.margins:
            grid = margin + np.array([0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.14])
            rates = [exact_power(n, psi, -margin, margin, chosen.alpha) for psi in grid]
            at = int(np.argmax(rates))
            print(f"{n:6d}  {margin:6.3f}  {rates[at]:24.4f}  {grid[at]:14.3f}", flush=True)


if __name__ == "__main__":
    main()
