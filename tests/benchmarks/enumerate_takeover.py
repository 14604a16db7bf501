"""May an asymptotic test take over from the exact one, for large n? Prints where it would be wrong.

For each n, margin and discordance, walks through tables from clear approval to clear harm and
compares the exact p-values (beta left out, so that small tails show) with Tango's asymptotic ones.
A takeover would need p errors below .001 and relative errors of a few percent in harm tails down
to 1e-6. The last column gives the time of the exact test, which is why none is needed.

    python tests/benchmarks/enumerate_takeover.py --rows 300 1000 10000 100000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import time

from prunegate.stats import normal, paired_exact, tango, unconditional
from prunegate.stats.boundary import Boundary


def exact(lost: int, gained: int, n: int, margin: float) -> float:
    """The exact p without its beta, over the same nuisance interval as for harm."""
    beta = paired_exact.BETA_HARM
    line = Boundary(intercept=margin)
    return unconditional.p_value(lost, gained, n, line, beta) - beta


def compare(n: int, margin: float, discordance: float) -> dict[str, float]:
    """Worst errors of the asymptotic p-values, walking from few losses to many."""
    total = round(n * discordance)
    centre = (total + n * margin) / 2
    spread = max(1.0, (n * discordance) ** 0.5 / 2)
    worst = {"p_value": 0.0, "tail": 0.0, "ms": 0.0}
    for step in range(-24, 25):
        lost = round(centre + step * spread / 4)
        gained = total - lost
        if not 0 <= lost <= total:
            continue
        z = tango.statistic(lost, gained, n, margin)
        start = time.perf_counter()
        holds, harm = exact(lost, gained, n, margin), exact(gained, lost, n, -margin)
        worst["ms"] = max(worst["ms"], 1e3 * (time.perf_counter() - start))
        worst["p_value"] = max(worst["p_value"], abs(holds - normal.upper_tail(z)))
        if 1e-6 <= harm <= 0.05:
            worst["tail"] = max(worst["tail"], abs(normal.upper_tail(-z) / harm - 1))
    return worst


def main() -> None:
    """Print one line per setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1000, 10_000, 100_000])
    parser.add_argument("--margins", type=float, nargs="+", default=[0.0, 0.01, 0.02, 0.05])
    parser.add_argument("--discordance", type=float, nargs="+", default=[0.01, 0.05, 0.15])
    chosen = parser.parse_args()
    print("       n  margin  discord  max |error|  worst relative error   slowest")
    print("                           of p_value   of harm in 1e-6..0.05  both tails")
    for n in chosen.rows:
        for margin in chosen.margins:
            for discordance in chosen.discordance:
                found = compare(n, margin, discordance)
                print(
                    f"{n:8d}  {margin:6.3f}  {discordance:7.2f}  {found['p_value']:11.5f}"
                    f"  {found['tail']:21.1%}  {found['ms']:7.2f} ms",
                    flush=True,
                )


if __name__ == "__main__":
    main()
