"""Time of ``prunegate gate`` on a million rows, by DuckDB and by Spark, each in its own process.

Spark's time holds the start of Java and of a local session; it is printed apart, because a cluster
job has paid for it already. On one machine DuckDB is the faster one; Spark is for tables that lie
where only Spark reads them, or that do not fit on one machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROWS = 1_000_000
POLICY = """\
prunegate: 1
name: million
task: {kind: binary, positive: 1, threshold: 0.5}
slices: [{by: kind}, {by: [kind, region]}]
rules: [{metric: recall, slices: all, max_drop: 0.02}, {metric: precision, max_drop: 0.02}]
"""
TABLE = """
CREATE TABLE t AS
  SELECT i AS id, label, kind, region, score AS baseline,
         greatest(0, least(1, score + 0.02 * (random() - 0.5))) AS candidate
  FROM (SELECT range AS i, CAST(random() < 0.3 AS INT) AS label, 'k' || range % 10 AS kind,
               'r' || range % 7 AS region, random() AS shift FROM range({rows})),
       LATERAL (SELECT least(1, 0.6 * label + 0.45 * shift) AS score)
"""
RUN = "from prunegate.cli import main; main()"
START = """from prunegate.data.predictions.spark_session import spark_session
with spark_session() as session: session.range(9).count()"""


def timed(folder: Path, *program: str) -> tuple[float, int]:
    """Seconds and exit code of a Python program."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", *program], cwd=folder, check=False)
    return time.perf_counter() - start, done.returncode


def main() -> None:
    """Write the tables, judge each with both engines, print the times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
        with duckdb.connect() as connection:
            connection.execute(TABLE.format(rows=ROWS))
            for suffix in ("parquet", "csv"):
                connection.execute(f"COPY t TO '{folder / 't'}.{suffix}'")
        print(f"start of Java and a session: {timed(folder, START)[0]:.1f} s")  # noqa: T201  # a benchmark prints
        for suffix in ("parquet", "csv"):
            for engine in ("duckdb", "spark"):
                options = ("--predictions", f"t.{suffix}", "--engine", engine, "-q")
                took, code = timed(folder, RUN, "gate", "policy.yaml", *options)
                print(f"{ROWS:,} rows, {suffix}, {engine}: exit {code}, {took:.1f} s")  # noqa: T201  # a benchmark prints


if __name__ == "__main__":
    main()
