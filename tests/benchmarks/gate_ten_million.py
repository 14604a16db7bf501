"""Time and peak memory of ``prunegate gate`` on ten million rows, in a process of its own.

The table is written with DuckDB into a temporary folder (about 100 MB) and removed again. For
scale, the time that DuckDB takes to read the same columns is printed beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROWS = 10_000_000
POLICY = """\
prunegate: 1
name: ten-million
task: {kind: binary, positive: 1, threshold: 0.5}
slices: [{by: kind}, {by: [kind, region]}]
rules: [{metric: recall, slices: all, max_drop: 0.02}, {metric: precision, max_drop: 0.02}]
"""
TABLE = """
COPY (
  SELECT i AS id, label, kind, region, CAST(score AS FLOAT) AS baseline,
         CAST(greatest(0, least(1, score + 0.02 * (random() - 0.5))) AS FLOAT) AS candidate
  FROM (SELECT range AS i, CAST(random() < 0.3 AS INT) AS label, 'k' || range % 10 AS kind,
               'r' || range % 7 AS region, random() AS shift FROM range({rows})),
       LATERAL (SELECT least(1, 0.6 * label + 0.45 * shift) AS score)
) TO '{path}' (FORMAT parquet)
"""
COLUMNS = ("id", "label", "baseline", "candidate", "kind", "region")


def write_table(path: Path) -> None:
    """Ten million rows, ten kinds, seven regions."""
    with duckdb.connect() as connection:
        connection.execute(TABLE.format(rows=ROWS, path=path))


def read_time(path: Path) -> float:
    """Seconds that DuckDB takes to go through the needed columns."""
    with duckdb.connect() as connection:
        start = time.perf_counter()
        sums = ", ".join(f"bit_xor(hash({column}))" for column in COLUMNS)
        connection.execute(f"SELECT {sums} FROM '{path}'").fetchall()  # noqa: S608  # our own names
        return time.perf_counter() - start


def main() -> None:
    """Write the table, judge it once, print time and peak resident memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
        write_table(folder / "table.parquet")
        reading = read_time(folder / "table.parquet")
        command = "from prunegate.cli import main; main()"
        arguments = ("gate", "policy.yaml", "--predictions", "table.parquet", "-q")
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", command, *arguments], cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    print(  # noqa: T201  # a benchmark prints
        f"{ROWS:,} rows: exit {code}, {took:.1f} s in all (reading alone {reading:.1f} s), "
        f"peak {usage.ru_maxrss / 1024:,.0f} MB"
    )


if __name__ == "__main__":
    main()
