"""What ``prunegate gate`` costs beside loading Great Expectations, which it needs in any case.

Whole commands in processes of their own, in turns so that a busy machine slows all of them alike;
the shortest of each is printed. ``--against`` takes the ``src`` folder of another version, so that
before and after come from one run.

    python tests/benchmarks/gate_cost.py --against ../before/src
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gate_against_others import POLICY, workspace

SOURCE = Path(__file__).parents[2] / "src"
SMALL, LARGE = 20_000, 10_000_000
FEW = """\
prunegate: 1
name: small
task: {kind: binary, positive: 1, threshold: 0.5}
rules:
  - {metric: recall, max_drop: 0.02}
  - {metric: precision, max_drop: 0.02}
  - {metric: false_positive_rate, max_rise: 0.02}
"""
LOAD = """from prunegate.data.contract.great_expectations import load_great_expectations
load_great_expectations()"""
GATE = (
    "import runpy, sys; sys.argv = 'prunegate gate policy.yaml --predictions table.parquet -q "
    "--force --out out'.split(); runpy.run_module('prunegate', run_name='__main__')"
)
LEAN = "from prunegate.audit.opinion.worker import _load; _load()"
IDENTITY = """
from prunegate.counting.count import open_predictions
from prunegate.counting.gate_set import identity_of
from prunegate.policy.load import read_policy
import time
policy = read_policy('policy.yaml').policy
table = open_predictions(policy, 'table.parquet', with_ids=True)
wall, cpu = time.perf_counter(), time.process_time()
identity_of(policy, table)
print(time.perf_counter() - wall, time.process_time() - cpu)
"""
PARTS = {
    "the interpreter": "pass",
    "numpy, scipy.special": "import scipy.special",
    "the policy language": "import prunegate.policy.load",
    "all that gate imports": "import prunegate.gate, prunegate.outputs.write",
    "pandas": "import pandas",
    "the report": "import prunegate.report.render",
}
"""Loaded by a process of its own each, so that what two of them load counts twice."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a process took, its own processes included."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:8.2f} s{self.cpu:8.2f} s"


def run(program: str, folder: Path, source: Path = SOURCE) -> Cost:
    """Cost of a Python program.

    Raises:
        RuntimeError: it gave no verdict.
    """
    environment = {**os.environ, "PYTHONPATH": str(source.resolve())}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall, code = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code not in (0, 3, 4):
        raise RuntimeError(f"exit {code}")
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime)


def least(found: list[Cost]) -> Cost:
    """The shortest wall time and the least CPU time seen."""
    return Cost(wall=min(c.wall for c in found), cpu=min(c.cpu for c in found))


def identity(folder: Path, source: Path) -> str:
    """Wall and CPU seconds of the digests that attempts are counted by."""
    environment = {**os.environ, "PYTHONPATH": str(source.resolve())}
    done = subprocess.run(
        [sys.executable, "-c", IDENTITY],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=True,
    )
    wall, cpu = map(float, done.stdout.split())
    return str(Cost(wall=wall, cpu=cpu))


def main() -> None:
    """Measure in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="the src folder of another version")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=LARGE, help="of the large table; 0: none")
    parser.add_argument("--parts", action="store_true", help="also what single libraries cost")
    chosen = parser.parse_args()
    versions = {"now": SOURCE} | ({"before": chosen.against} if chosen.against else {})
    with ExitStack() as stack:
        sizes = [(SMALL, FEW), *([(chosen.rows, POLICY)] if chosen.rows else [])]
        folders = {rows: stack.enter_context(workspace(rows)) for rows, _ in sizes}
        for rows, policy in sizes:
            (folders[rows] / "policy.yaml").write_text(policy, encoding="utf-8")
        measure(folders, versions, chosen.rounds, chosen.parts)


def measure(
    folders: dict[int, Path], versions: dict[str, Path], rounds: int, with_parts: bool
) -> None:
    """Run everything ``rounds`` times in turns and print the least of each."""
    first = folders[SMALL]
    jobs = {"Great Expectations alone, as 'load' imports it": (LOAD, first, SOURCE)}
    jobs["the second opinion's process, loaded"] = (LEAN, first, SOURCE)
    for name, source in versions.items():
        for rows, folder in folders.items():
            jobs[f"gate, {rows:,} rows, {name}"] = (GATE, folder, source)
    if with_parts:
        jobs |= {f"  {name}": (program, first, SOURCE) for name, program in PARTS.items()}
    for job in jobs.values():
        run(*job)  # compiles, and fills the page cache
    costs: dict[str, list[Cost]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            costs[name].append(run(*job))
    alone = least(next(iter(costs.values())))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; the least of {rounds}")
    print(f"{'':50s}{'wall':>10s}{'CPU':>10s}   wall and CPU beside the first line")
    for name, found in costs.items():
        cost = least(found)
        beside = f"{cost.wall / alone.wall:6.2f} x{cost.cpu / alone.cpu:6.2f} x"
        print(f"{name:50s}{cost}{beside}")
    largest = folders[max(folders)]
    digests = f"digests of {max(folders):,} rows, now"  # an older version has none, or another name
    print(f"{digests:50s}{identity(largest, SOURCE)}")


if __name__ == "__main__":
    main()
