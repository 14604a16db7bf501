"""What people bring, at ten million rows: one file, three, eight labels, weights, AUC per slice.

What is timed is all that ``gate`` does with rows: open (and join), count, look for ids that occur
twice, digest the gate set, judge, and put all of it into a record. Each case runs in a process of
its own that has judged a small table before (which imports everything), on tables that DuckDB
writes. "Lines" is the longest answer of the engine to what counting asks; the digest takes its
columns as Arrow buffers.

    python tests/benchmarks/inputs_at_scale.py --rows 1000000
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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

LABELS = tuple(f"label{place}" for place in range(8))
HEAD = "prunegate: 1\nname: x\nslices: [{by: kind}, {by: region}]\n"
BINARY = "task: {kind: binary, positive: unsafe, threshold: 0.5}\n"
RULES = "rules:\n  - {metric: recall, slices: all, max_drop: 0.02}\n"
MULTILABEL = f"task: {{kind: multilabel, labels: [{', '.join(LABELS)}], threshold: 0.5}}\n"
EACH = "rules:\n  - {metric: recall, slices: all, max_drop: 0.02, classes: each}\n"
SUBSET = "  - {metric: subset_accuracy, slices: all, max_drop: 0.02}\n"
AUC = "rules:\n  - {metric: auc, slices: all, max_drop: 0.02}\n"

ROWS = """
CREATE TABLE rows_ AS SELECT 'row-' || i AS id, i,
  CASE WHEN score > (hash(i, 9) % 1000) / 1000 THEN 'unsafe' ELSE 'safe' END AS label,
  score AS baseline,
  greatest(0, least(1, score + ((hash(i, 2) % 1000) / 1000 - 0.5) / 50)) AS candidate,
  ['display', 'video', 'ugc'][CAST(1 + hash(i, 3) % 3 AS BIGINT)] AS kind,
  'region-' || hash(i, 4) % 7 AS region, 1 + hash(i, 5) % 4 AS weight
FROM (SELECT i, (hash(i, 1) % 100000) / 100000 AS score FROM range({rows}) AS r(i))
"""
ONE = "id, label, baseline, candidate, kind, region"
OF_LABEL = """
CAST((hash(i, {n}) % 1000) / 1000 < 0.1 + baseline * {share} AS INTEGER) AS label_{name},
greatest(0, least(1, (hash(i, {n}) % 1000) / 1000 + baseline / 9)) AS baseline_{name},
greatest(0, least(1, (hash(i, {n}) % 1000) / 1000 + candidate / 9)) AS candidate_{name}
"""


def columns_of_labels() -> str:
    """Truth and both models' scores of eight labels, as a SELECT lists them."""
    found = (
        OF_LABEL.format(n=20 + place, share=0.1 + place / 10, name=name)
        for place, name in enumerate(LABELS)
    )
    return ", ".join(("id, kind, region", *found))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A policy and its tables."""

    policy: str
    files: dict[str, str]
    """What each file gives, and its columns."""
    seeds: dict[str, int] = field(default_factory=dict)
    """By which each file is shuffled; the others lie as they were made."""


CASES = {
    "one file": Case(policy=HEAD + BINARY + RULES, files={"predictions": ONE}),
    "three files": Case(
        policy=HEAD + BINARY + RULES,
        files={
            "labels": "id, label, kind, region",
            "baseline_predictions": "id, baseline",
            "candidate_predictions": "id, candidate",
        },
        seeds={"baseline_predictions": 7, "candidate_predictions": 8},
    ),
    "8 labels": Case(
        policy=HEAD + MULTILABEL + EACH + SUBSET, files={"predictions": columns_of_labels()}
    ),
    "weights": Case(
        policy=HEAD + BINARY + "weight: weight\n" + RULES, files={"predictions": f"{ONE}, weight"}
    ),
    "AUC per slice": Case(policy=HEAD + BINARY + AUC, files={"predictions": ONE}),
}


def write(folder: Path, rows: int) -> None:
    """The tables of every case."""
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder)}) as found:
        found.execute(ROWS.format(rows=rows))
        (folder / "warm.yaml").write_text(HEAD + BINARY + RULES, encoding="utf-8")
        warm = f"SELECT {ONE} FROM rows_ LIMIT 1000"  # noqa: S608  # ours
        found.execute(f"COPY ({warm}) TO '{folder / 'warm.parquet'}'")
        for name, case in CASES.items():
            for role, columns in case.files.items():
                seed = case.seeds.get(role)
                order = "" if seed is None else f"ORDER BY hash(i, {seed})"
                query = f"SELECT {columns} FROM rows_ {order}"  # noqa: S608  # ours
                found.execute(f"COPY ({query}) TO '{path_of(folder, name, role)}'")


def path_of(folder: Path, case: str, role: str) -> Path:
    """Where a case's file lies."""
    return folder / f"{case.replace(' ', '-')}-{role}.parquet"


def counted_rows(most: list[int]) -> None:
    """Keep the length of the longest answer that comes to Python through narwhals."""
    import narwhals as nw

    collect: Callable[..., Any] = nw.LazyFrame.collect

    def watched(frame: Any, *arguments: Any, **named: Any) -> Any:
        found = collect(frame, *arguments, **named)
        most[0] = max(most[0], len(found))
        return found

    nw.LazyFrame.collect = watched  # type: ignore[method-assign]  # a look, in this process alone


def measured(name: str, folder: Path) -> None:
    """Judge a case in this process, and print what it took."""
    from prunegate.audit.ledger import Ledger
    from prunegate.gate import gate
    from prunegate.policy.load import read_policy

    policy = folder / f"{name.replace(' ', '-')}.yaml"
    policy.write_text(CASES[name].policy, encoding="utf-8")
    roles = {role: str(path_of(folder, name, role)) for role in CASES[name].files}
    source = roles["predictions"] if list(roles) == ["predictions"] else roles
    gate(read_policy(folder / "warm.yaml"), str(folder / "warm.parquet"))  # all that is imported
    most = [0]
    counted_rows(most)
    before, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    with Ledger(folder / "audit") as ledger:
        decision = gate(read_policy(policy), source, ledger=ledger)
    wall, used = time.perf_counter() - before, resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime - cpu
    print(json.dumps([wall, cpu, used.ru_maxrss / 1e6, most[0], decision.verdict.outcome]))


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    if chosen.case:
        measured(chosen.case, chosen.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), chosen.rows)
        print("| " + f"{chosen.rows:,} rows | wall s | CPU s | CPU / one file | peak GB |", end="")
        print(" lines | outcome |\n|---|---|---|---|---|---|---|")
        first = None
        for case in CASES:
            command = [sys.executable, __file__, "--case", case, "--folder", name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            wall, cpu, peak, most, outcome = json.loads(done.stdout.splitlines()[-1])
            first = first or cpu
            figures = f"{wall:.1f} | {cpu:.1f} | {cpu / first:.1f} | {peak:.2f} | {most:,}"
            print(f"| {case} | {figures} | {outcome} |", flush=True)


if __name__ == "__main__":
    main()
