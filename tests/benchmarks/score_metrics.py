"""Metrics of scores on many rows: wall and CPU seconds, and peak memory, beside accuracy alone.

python tests/benchmarks/score_metrics.py --rows 10000000
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

RULES = {
    "accuracy": "{metric: accuracy, slices: all, max_drop: 0.02}",
    "log-loss and Brier score": "{metric: log_loss, slices: all, max_rise: 0.02}\n"
    "  - {metric: brier, slices: all, max_rise: 0.02}",
    "AUC": "{metric: auc, slices: all, max_drop: 0.02}",
}
HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: '1', threshold: 0.5}\n"
SLICES = "slices: [{by: kind}]\nrules:\n  - "
ROWS = """
COPY (
    SELECT i AS id, CAST(score > random() AS INTEGER) AS label, score AS baseline,
           greatest(0, least(1, score + (random() - 0.5) / 20)) AS candidate, 'k' || i % 10 AS kind
    FROM (SELECT i, random() AS score FROM range({rows}) AS r(i))
) TO '{path}'
"""


def measured(rule: str, path: str) -> None:
    """Judge in this process, and print what it took."""
    import prunegate
    from prunegate.policy.load import parse_policy

    policy = parse_policy(f"{HEAD}{SLICES}{rule}\n")
    start = time.perf_counter()
    verdict = prunegate.judge(policy, path)
    wall, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6
    print(json.dumps([round(wall, 1), round(cpu, 1), round(peak, 2), verdict.outcome]))


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rule")
    parser.add_argument("--path")
    chosen = parser.parse_args()
    if chosen.path:
        measured(chosen.rule, chosen.path)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "rows.parquet")
        duckdb.sql(ROWS.format(rows=chosen.rows, path=path))
        print("| rules on 11 slices | wall s | CPU s | peak GB | outcome |\n|---|---|---|---|---|")
        for name, rule in RULES.items():
            command = [sys.executable, __file__, "--rule", rule, "--path", path]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            print(f"| {name} | {' | '.join(map(str, json.loads(done.stdout)))} |", flush=True)


if __name__ == "__main__":
    main()
