"""May the asymptotic score take over from the exact test, and from where? Prints how wrong it is.

Three tables. Below the takeover, tables from clear approval to clear harm show why the score is not
used there. At the takeover the smaller of lost and gained is `paired_exact.ASYMPTOTIC_FROM` and the
other one walks from clear harm to clear approval, for absolute and relative limits, for n from the
least possible (every row differs) up: p must be right to .001 and harm tails down to 1e-6 to 10 %.
With an empty or nearly empty cell the exact test stays in charge at any n; its time is shown.
Betas are left out, so that small tails show.

    python tests/benchmarks/enumerate_takeover.py --rows 300 1000 10000 100000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from prunegate.stats import normal, paired_exact, unconditional
from prunegate.stats.margin_line import Boundary

FROM = paired_exact.ASYMPTOTIC_FROM
ABSOLUTE = tuple(Boundary(intercept=m) for m in (-0.1, -0.02, 0.0, 0.01, 0.05, 0.2))
RELATIVE = tuple(Boundary(intercept=1 - r, slope=r) for r in (0.5, 0.9, 0.97, 1.05, 2.0))
LEAST_TAIL = 1e-6


@dataclass(kw_only=True)
class Worst:
    """The largest errors seen along one walk."""

    tables: int = 0
    p_value: float = 0.0
    tail: float = 0.0
    ms: float = 0.0

    def see(self, lost: int, gained: int, n: int, line: Boundary) -> None:
        """Compare both tails of one table."""
        z = line.score_of(lost, gained, n)
        start = time.perf_counter()
        holds, harm = exact(lost, gained, n, line), exact(gained, lost, n, line.reversed)
        self.ms = max(self.ms, 1e3 * (time.perf_counter() - start))
        self.tables += 1
        self.p_value = max(self.p_value, abs(holds - normal.upper_tail(z)))
        if LEAST_TAIL <= harm <= 0.05:
            self.tail = max(self.tail, abs(normal.upper_tail(-z) / harm - 1))

    def __str__(self) -> str:
        return f"{self.p_value:11.5f}  {self.tail:21.1%}  {self.ms:7.1f} ms"


def exact(lost: int, gained: int, n: int, line: Boundary) -> float:
    """The exact p without its beta, over the same nuisance interval as for harm."""
    beta = paired_exact.BETA_HARM
    return unconditional.unconditional_p(lost, gained, n, line, beta) - beta


def below(n: int, margin: float, discordance: float) -> Worst:
    """Tables with a fixed number of rows that differ, from few losses to many."""
    total = round(n * discordance)
    centre = (total + n * margin) / 2
    spread = max(1.0, (n * discordance) ** 0.5 / 2)
    worst = Worst()
    for step in range(-24, 25):
        lost = round(centre + step * spread / 4)
        if 0 <= lost <= total:
            worst.see(lost, total - lost, n, Boundary(intercept=margin))
    return worst


def at_takeover(n: int, line: Boundary) -> Worst:
    """Tables with exactly FROM gained (or lost) rows and a score of about -5 to 5."""
    tables = {(FROM, FROM)}
    for z in np.linspace(-5, 5, 21):
        lost = _first(lambda b, z=z: line.score_of(b, FROM, n) <= z, n)
        gained = _first(lambda c, z=z: line.score_of(FROM, c, n) >= z, n)
        tables |= {(lost, FROM), (FROM, gained)}
    worst = Worst()
    for b, c in tables:
        worst.see(b, c, n, line)
    return worst


def _first(reached: Callable[[int], bool], n: int) -> int:
    """The least count from FROM to n - FROM that reaches the score; FROM where there is none."""
    low, high = FROM, n - FROM
    if reached(low) or not reached(high):
        return FROM
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def print_below(rows: Iterable[int]) -> None:
    """Why the score is not used for small tables."""
    print("below the takeover")
    print("       n  margin  discord  max |error|  worst relative error   slowest")
    print("                           of p_value   of harm in 1e-6..0.05  both tails")
    for n, margin, psi in product(rows, (0.0, 0.01, 0.02, 0.05), (0.01, 0.05, 0.15, 1.0)):
        print(f"{n:8d}  {margin:6.3f}  {psi:7.2f}  {below(n, margin, psi)}", flush=True)


def print_takeover() -> None:
    """One line per n, over all absolute and all relative limits; tables of every n are possible."""
    print(f"\nat the takeover: {FROM:,} lost or gained rows, and at least as many of the other")
    print("         n  limits    tables  max |error|  worst relative error   slowest")
    for n in (2 * FROM, 2 * FROM + 500, 12 * FROM // 5, 6 * FROM, 20 * FROM, 100 * FROM):
        for name, lines in (("absolute", ABSOLUTE), ("relative", RELATIVE)):
            found = [at_takeover(n, line) for line in lines]
            whole = Worst(
                tables=sum(worst.tables for worst in found),
                p_value=max(worst.p_value for worst in found),
                tail=max(worst.tail for worst in found),
                ms=max(worst.ms for worst in found),
            )
            print(f"{n:10d}  {name}  {whole.tables:6d}  {whole}", flush=True)


def sparse() -> Iterator[tuple[int, int, int, float]]:
    """Large tables with an empty or nearly empty cell: lost, gained, n, margin."""
    for n in (100_000, 1_000_000, 10_000_000):
        yield from ((0, 0, n, 0.0001), (0, n // 50, n, 0.0), (n // 50, 0, n, 0.02))
        yield from ((n // 50, 3, n, 0.02), (n // 2, n - n // 2, n, 0.0))


def print_sparse() -> None:
    """Which method judges them, and how long it takes."""
    print("\nempty cells and extremes at large n")
    print("      lost    gained         n  margin      p_value       p_harm         ms  method")
    for lost, gained, n, margin in sparse():
        start = time.perf_counter()
        found = paired_exact.test(lost, gained, n, margin)
        ms = 1e3 * (time.perf_counter() - start)
        print(
            f"{lost:10d}{gained:10d}{n:10d}  {margin:6.4f}  {found.p_value:11.3e}  "
            f"{found.p_harm:11.3e}  {ms:9.1f}  {found.method}",
            flush=True,
        )


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[300, 1000, 10_000, 100_000])
    print_below(parser.parse_args().rows)
    print_takeover()
    print_sparse()


if __name__ == "__main__":
    main()
