"""Mutation testing: python tests/mutation/mutation.py --sample 60 --seed 0 [PACKAGE...]

Draws sites in each package at random, changes each in one way, and runs the tests that reach the
line. Prints every mutant that no test noticed and, for each package, how many were tried, killed,
survived and ran out of time, and the CPU that it took: a package ends with its sample, or with its
share of ``--minutes``. What its tests reach is measured first, where that is not known, and is
counted apart. Which survivors are the same program in other words stands, with the
reason, in ``survivors.md`` beside this file; they are printed as explained. Exit code 1: one that
is not.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.mutation.mutants import Mutant, Site, mutant, sites  # noqa: E402
from tests.mutation.reached import SUITES, Reached, reached, sources  # noqa: E402
from tests.mutation.trial import NO_TESTS, NOT_FOUND, TIMEOUT, load_libraries, tried  # noqa: E402

SURVIVORS = Path(__file__).with_name("survivors.md")
START = 30.0
"""CPU seconds that loading the package and its tests may take."""


def main() -> int:
    """Try every package; the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sample", type=int, default=60, help="mutants for each package")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--seconds", type=float, default=20, help="of tests for each mutant")
    options.add_argument("--minutes", type=float, default=40, help="of CPU, for all packages")
    options.add_argument("packages", nargs="*", default=list(SUITES))
    given = options.parse_args()
    load_libraries()
    total: Counter[str] = Counter()
    for package in given.packages:
        total += _package(package, given)
    _say(_line("together", total))
    return int(total["survived"] > 0)


def _package(package: str, given: argparse.Namespace) -> Counter[str]:
    begun = _spent()
    known = reached(package)
    measured = _spent() - begun
    places = [site for path in sources(package) for site in sites(path)]
    within = [site for site in places if known.of(site.path, site.start[0], 0)[0]]
    begun = _spent()
    _as_it_is(known, within, package)
    count: Counter[str] = Counter()
    draw = random.Random(f"{given.seed} {package}")  # noqa: S311  # mutants, not secrets
    for one in _drawn(within, draw, given.sample):
        count[_fate(one, known, given.seconds)] += 1
        count["tried"] += 1
        if _spent() - begun > given.minutes * 60 / len(given.packages):
            break
    count["CPU seconds"] = round(_spent() - begun)
    reach = f"{len(within)} of {len(places)} sites are reached"
    if measured > 1:
        reach += f", which took {measured:.0f} to find out"
    _say(f"{_line(package, count)}; {reach}")
    return count


def _spent() -> float:
    """CPU seconds of this process and those that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _as_it_is(known: Reached, within: list[Site], package: str) -> None:
    """Without a mutant the quick tests pass: else each would count as killed."""
    tests, seconds = known.of(within[-1].path, within[-1].start[0], 20)
    if code := tried(None, tests, START + 2 * seconds):
        raise SystemExit(f"the tests of {package} fail without a mutant (exit code {code})")


def _drawn(within: list[Site], draw: random.Random, sample: int) -> Iterator[Mutant]:
    """Mutants at random sites, one at each."""
    found = 0
    for site in draw.sample(within, len(within)):
        changes = draw.sample(site.changes, len(site.changes))
        made = next((one for change in changes if (one := mutant(site, change))), None)
        if made is not None:
            found += 1
            yield made
        if found == sample:
            return


def _fate(one: Mutant, known: Reached, seconds: float) -> str:
    tests, expected = known.of(one.path, one.line, seconds)
    code = tried(one, tests, START + 2 * expected)
    if code == NOT_FOUND:  # else each would count as killed
        raise SystemExit(f"tests were moved meanwhile: {', '.join(tests)[:200]}")
    if code == TIMEOUT:
        return "timeout"
    if code not in (0, NO_TESTS):
        return "killed"
    place = f"{one.path.relative_to(ROOT / 'src/prunegate')}:{one.line}"
    explained = one.difference in SURVIVORS.read_text(encoding="utf-8")
    fate = "explained" if explained else "survived"
    _say(f"{fate}: {place} ({len(tests)} tests)\n{one.difference}")
    return fate


def _line(name: str, count: Counter[str]) -> str:
    kinds = ("killed", "timeout", "explained", "survived", "CPU seconds")
    return f"{name:9}{count['tried']:5} tried" + "".join(f", {count[k]} {k}" for k in kinds)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
