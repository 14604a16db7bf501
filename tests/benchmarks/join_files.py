"""One file against two and three that are joined on the id: wall, CPU and peak memory of each.

What is timed is all that the gate does with the rows: open (and join), count, look for ids that
occur twice, digest the gate set. Each in a process of its own, rows of the three files in orders of
their own.

    python tests/benchmarks/join_files.py --rows 1000000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

POLICY = """\
prunegate: 1
name: join
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind}, {by: region}, {by: [kind, region]}]
rules: [{metric: recall, slices: all, max_drop: 0.02}]
"""
CHILD = """
import sys, time
from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.gate_set import identity_of
from prunegate.policy.load import read_policy
import prunegate.gate
policy = read_policy('policy.yaml').policy
start = time.perf_counter(), time.process_time()
table = open_predictions(policy, eval(sys.argv[1]), with_ids=True)
opened = time.perf_counter()
rows = count_table(policy, table).rows
identity_of(policy, table)
wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
print(f'{rows:>12,} rows{opened - start[0]:9.2f} s{wall:9.2f} s{cpu:9.2f} s', end='')
"""
ROWS = """
SELECT 'row-' || i AS id, CASE WHEN hash(i) % 10 < 3 THEN 'unsafe' ELSE 'safe' END AS label,
  (hash(i, 1) % 1000) / 1000 AS baseline, (hash(i, 2) % 1000) / 1000 AS candidate,
  ['display', 'video', 'ugc'][CAST(1 + hash(i, 3) % 3 AS BIGINT)] AS kind,
  'region-' || hash(i, 4) % 12 AS region
FROM range({rows}) t(i)
"""
SOURCES = {
    "one Parquet file": "'one.parquet'",
    "two Parquet files": "{'labels': 'two.parquet', 'candidate_predictions': 'candidate.parquet'}",
    "three Parquet files": (
        "{'labels': 'labels.parquet', 'baseline_predictions': 'baseline.parquet', "
        "'candidate_predictions': 'candidate.parquet'}"
    ),
    "one CSV": "'one.csv'",
    "three CSVs": (
        "{'labels': 'labels.csv', 'baseline_predictions': 'baseline.csv', "
        "'candidate_predictions': 'candidate.csv'}"
    ),
}
PARTS = {
    "one": "*",
    "two": "* EXCLUDE candidate",
    "labels": "id, label, kind, region",
    "baseline": "id, baseline",
    "candidate": "id, candidate",
}


def write(folder: Path, rows: int) -> None:
    """The same rows in one table, two and three, each in its own order."""
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE rows_ AS {ROWS.format(rows=rows)}")
    for seed, (name, columns) in enumerate(PARTS.items()):
        query = f"SELECT {columns} FROM rows_ ORDER BY hash(id, {seed})"  # noqa: S608  # ours
        for ending in ("parquet", "csv"):
            connection.execute(f"COPY ({query}) TO '{folder / name}.{ending}'")


def main() -> None:
    """Print a line for each source."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, rows)
        (folder / "policy.yaml").write_text(POLICY)
        print(f"{'':<22}{'':>17}{'open':>11}{'wall':>11}{'CPU':>11}{'peak':>13}")
        for source, given in SOURCES.items():
            child = (
                "import resource; "  # of this process alone; of all children it only grows
                f"exec({CHILD!r}); "
                "print(f'{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:10.2f} GB')"
            )
            done = subprocess.run(
                [sys.executable, "-c", child, given],
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
            )
            print(f"{source:<22}{done.stdout.rstrip()}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"CPU of all: {used.ru_utime + used.ru_stime:.1f} s")


if __name__ == "__main__":
    main()
