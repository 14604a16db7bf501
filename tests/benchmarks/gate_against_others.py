"""``prunegate gate`` on ten million rows beside what else one could do; each in its own process.

The table has 10 content types x 10 regions: overall, both keys and the cross are 121 slices, four
limits each. Beside it: reading the same columns and doing nothing with them, pandas + scikit-learn
(point estimates alone), and fairlearn's MetricFrame without and with its bootstrap, on fewer rows.
Wall time depends on who else wants the cores; CPU time (user + system, all threads) hardly does.
Printed against the project's aims, never asserted.

    python tests/benchmarks/gate_against_others.py --rows 100000000 --alone
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

POLICY = """\
prunegate: 1
name: benchmark
task: {kind: binary, positive: 1, threshold: 0.5}
slices: [{by: content_type}, {by: region}, {by: [content_type, region]}]
rules:
  - {metric: recall, slices: all, max_drop: 0.02}
  - {metric: precision, slices: all, max_drop: 0.02}
  - {metric: f1, slices: all, max_drop: 0.02}
  - {metric: false_positive_rate, slices: all, max_rise: 0.02}
"""
TABLE = """
COPY (
  SELECT i AS id, label, content_type, region, CAST(score AS FLOAT) AS baseline,
         CAST(greatest(0, least(1, score + 0.02 * (random() - 0.5))) AS FLOAT) AS candidate
  FROM (SELECT range AS i, CAST(random() < 0.3 AS INT) AS label,
               'type-' || range % 10 AS content_type, 'region-' || range // 10 % 10 AS region,
               random() AS shift FROM range({rows})),
       LATERAL (SELECT least(1, 0.6 * label + 0.45 * shift) AS score)
) TO '{path}' (FORMAT parquet)
"""
KEYS = ["content_type", "region"]
COLUMNS = ["label", "baseline", "candidate", *KEYS]
SLICINGS = ([], ["content_type"], ["region"], KEYS)
ROUNDS = 3
HELD = 20_000_000
"""Rows up to which the columns are also read into memory."""
MEBIBYTE = 1024


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What something took."""

    wall: float
    cpu: float
    peak: float = 0.0
    """Resident memory of the process at its highest, MB; 0: not measured."""

    def line(self, name: str) -> str:
        """One line of the table."""
        peak = f"{self.peak:7,.0f} MB" if self.peak else ""
        return f"  {name:64s}{self.wall:8.2f} s{self.cpu:8.2f} s  {peak}"


# --- parts: run in a process of their own, print one JSON object ------------------------------


@contextmanager
def timed(costs: dict[str, list[float]], name: str) -> Iterator[None]:
    """Keep the shortest wall and CPU time seen under this name."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    found = [time.perf_counter() - wall, time.process_time() - cpu]
    costs[name] = [min(pair) for pair in zip(costs.get(name, found), found, strict=True)]


def part_warm(folder: Path, _boots: int) -> dict[str, list[float]]:
    """The steps of the gate in a process that has everything loaded."""
    import pyarrow.parquet as pq

    from prunegate.counting.count import count_table, open_predictions
    from prunegate.data.predictions.engine import connect
    from prunegate.data.predictions.uniqueness import duplicate_ids
    from prunegate.policy.load import read_policy
    from prunegate.verdict.decide import decide

    policy = read_policy(folder / "policy.yaml").policy
    path, costs = folder / "table.parquet", {}
    hashes = ", ".join(f"bit_xor(hash({column}))" for column in COLUMNS)
    table = open_predictions(policy, path, with_ids=True)
    with connect() as connection:
        for _ in range(ROUNDS):
            with timed(costs, "scan"):
                connection.execute(f"SELECT {hashes} FROM '{path}'").fetchall()  # noqa: S608  # ours
    for _ in range(ROUNDS if table.rows_hint <= HELD else 0):
        with timed(costs, "read"):
            pq.read_table(path, columns=COLUMNS)
    for _ in range(ROUNDS):
        with timed(costs, "count"):
            counted = count_table(policy, table)
        with timed(costs, "decide"):
            decide(policy, counted.slices, {}, counted.warnings)
    with timed(costs, "ids"):
        duplicate_ids(table, "id")
    return costs


def part_sklearn(folder: Path, _boots: int) -> dict[str, list[float]]:
    """Recall, precision, F1 and false positive rate of both models in every slice."""
    import pandas as pd
    from sklearn.metrics import precision_recall_fscore_support, recall_score

    frame, found = pd.read_parquet(folder / "table.parquet", columns=COLUMNS), []
    for keys in SLICINGS:
        for _, part in frame.groupby(keys) if keys else [((), frame)]:
            for model in ("baseline", "candidate"):
                decision = (part[model] >= 0.5).astype(int)
                rates = precision_recall_fscore_support(part["label"], decision, average="binary")
                found.append((*rates, 1 - recall_score(part["label"], decision, pos_label=0)))
    return {"slices": [len(found) / 2, 0.0]}


def part_fairlearn(folder: Path, boots: int) -> dict[str, list[float]]:
    """The same four metrics per content type x region, both models, with so many resamples."""
    import pandas as pd
    from fairlearn.metrics import MetricFrame, false_positive_rate
    from sklearn.metrics import f1_score, precision_score, recall_score

    frame = pd.read_parquet(folder / "table.parquet", columns=COLUMNS)
    metrics = {
        "recall": recall_score,
        "precision": precision_score,
        "f1": f1_score,
        "fpr": false_positive_rate,
    }
    resampled = {"n_boot": boots, "ci_quantiles": [0.05, 0.95], "random_state": 0} if boots else {}
    for model in ("baseline", "candidate"):
        MetricFrame(
            metrics=metrics,
            y_true=frame["label"],
            y_pred=(frame[model] >= 0.5).astype(int),
            sensitive_features=frame[KEYS],
            **resampled,
        )
    return {}


PARTS: dict[str, Callable[[Path, int], dict[str, list[float]]]] = {
    "warm": part_warm,
    "sklearn": part_sklearn,
    "fairlearn": part_fairlearn,
}


# --- the parent: starts them, prints ----------------------------------------------------------


def run(arguments: list[str], folder: Path) -> tuple[Cost, str, int]:
    """Cost, standard output and exit code of a Python process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as pipe:
        output = pipe.read()
    _, status, usage = os.wait4(process.pid, 0)
    cost = Cost(
        wall=time.perf_counter() - start,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss / MEBIBYTE,
    )
    return cost, output, os.waitstatus_to_exitcode(status)


def part(name: str, folder: Path, boots: int = 0) -> tuple[Cost, dict[str, Any]]:
    """Run one of the parts above.

    Raises:
        RuntimeError: it failed; what it said stands on stderr.
    """
    arguments = [str(Path(__file__).resolve()), "--part", name, "--boots", str(boots)]
    cost, output, code = run(arguments, folder)
    if code:
        raise RuntimeError(f"the part {name} failed")
    return cost, json.loads(output)


def gate(folder: Path) -> Cost:
    """The whole command."""
    program = "from prunegate.cli import main; main()"
    arguments = ["gate", "policy.yaml", "--predictions", "table.parquet", "-q"]
    cost, output, code = run(["-c", program, *arguments], folder)
    print(f"  ({output.split()[0]}, exit {code})")
    return cost


@contextmanager
def workspace(rows: int) -> Iterator[Path]:
    """A folder with the policy and a table of so many rows, removed afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
        with duckdb.connect() as connection:
            connection.execute(TABLE.format(rows=rows, path=folder / "table.parquet"))
        yield folder


def ours(rows: int) -> list[str]:
    """Measure the gate and its steps; return how the aims fare."""
    with workspace(rows) as folder:
        whole, (_, steps) = gate(folder), part("warm", folder)
    warm = {name: Cost(wall=wall, cpu=cpu) for name, (wall, cpu) in steps.items()}
    print(whole.line("prunegate gate, the whole command"))
    for name, text in (
        ("scan", "DuckDB going through the five columns (a hash of every value)"),
        ("read", "pyarrow reading the five columns into memory"),
        ("count", "counting 121 slices, warm"),
        ("decide", "statistics and verdict on 484 limits, warm"),
        ("ids", "every row has an id of its own"),
    ):
        if name in warm:
            print(warm[name].line(f"  {text}"))
    both = [warm["count"].wall + warm["decide"].wall, warm["count"].cpu + warm["decide"].cpu]
    times = [
        f"{warm['count'].wall / warm[name].wall:.1f} x {text} "
        f"(CPU {warm['count'].cpu / warm[name].cpu:.1f} x)"
        for name, text in (("scan", "DuckDB's scan"), ("read", "pyarrow's reading"))
        if name in warm
    ]
    return [
        f"counting takes at most 3 x reading: {', '.join(times)}",
        f"counting and statistics take under 1 s: {both[0]:.2f} s (CPU {both[1]:.2f} s)",
        f"the whole command takes under 6 s: {whole.wall:.1f} s (CPU {whole.cpu:.1f} s)",
        f"peak memory stays under 1.5 GB: {whole.peak / MEBIBYTE:.2f} GB",
    ]


def others(rows: int, boots: int) -> None:
    """Measure what others take for point estimates, and fairlearn for its bootstrap."""
    print(f"\n{rows:,} rows")
    with workspace(rows) as folder:
        print(gate(folder).line("prunegate gate, the whole command"))
        print(part("sklearn", folder)[0].line("pandas + scikit-learn, 121 slices, both models"))
        if find_spec("fairlearn") is None:
            print("  fairlearn: not installed (pip install fairlearn)")
            return
        plain, resampled = part("fairlearn", folder)[0], part("fairlearn", folder, boots)[0]
        print(plain.line("fairlearn MetricFrame, 100 slices, both models"))
        print(resampled.line(f"fairlearn MetricFrame, n_boot={boots}"))
        each = (resampled.cpu - plain.cpu) / boots
        print(f"  so 1,000 resamples would take about {1000 * each / 60:,.0f} minutes of CPU")


def main() -> None:
    """Print the tables, or run one part for the parent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--others-rows", type=int, default=1_000_000)
    parser.add_argument("--boots", type=int, default=2, help="fairlearn's resamples")
    parser.add_argument("--alone", action="store_true", help="leave the others out")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        print(json.dumps(PARTS[chosen.part](Path.cwd(), chosen.boots)))
        return
    load = os.getloadavg()[0]
    print(f"{chosen.rows:,} rows; {os.cpu_count()} cores, load {load:.1f} before the start")
    print(f"  {'':64s}{'wall':>10s}{'CPU':>10s}      peak")
    aims = ours(chosen.rows)
    if not chosen.alone:
        others(chosen.others_rows, chosen.boots)
    print("\naims, and what was measured now")
    print("\n".join(f"  {aim}" for aim in aims))


if __name__ == "__main__":
    main()
