"""How the demo ends over seeds and kinds of processor: the two verdicts, and which limits decided.

python tests/benchmarks/demo_seeds.py [--seeds 21 22 23] [--processor default|auto] [--folder PLACE]
python tests/benchmarks/demo_seeds.py --search [--seeds ...]

Each seed is a demo in a process of its own, on one thread. ``--processor default`` has PyTorch
leave out the vector units that it would find (``ATEN_CPU_CAPABILITY=default``): other sums in
another order, as another processor has them. What a seed gave stays in
``PLACE/<processor>/<seed>/``, the predictions tables of both candidates among it, and a seed whose
two records are there is not run again: a long run can be stopped and taken up. Change the recipe,
and name another place.

With ``--search`` each seed is a ``demo --search``, kept in ``PLACE/<processor>/search-<seed>/``,
and what counts is whether the gate approves the candidate that the search chose.
"""

# ruff: noqa: T201  a script that prints its table

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ARMS = ("display-only", "representative")
ATTEMPTS = "attempts.json"
VERDICTS = (0, 3, 4)
"""How a search may end: approve, reject or no candidate, inconclusive."""
GOAL = 0.9
"""Share of the seeds in which each candidate's verdict is to be the one that the demo tells of."""
RESULTS = Path(__file__).parents[2] / "build" / "demo_seeds"


def environment(processor: str) -> dict[str, str]:
    """One thread, and no vector units unless they are wanted."""
    told = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    told.pop("ATEN_CPU_CAPABILITY", None)
    return told if processor == "auto" else told | {"ATEN_CPU_CAPABILITY": processor}


def demo(seed: int, place: Path, cache: Path, processor: str, *, search: bool = False) -> str:
    """Run one demo unless what it leaves is there; the CPU time that it took, in words."""
    left = [ATTEMPTS] if search else [f"{arm}/record.json" for arm in ARMS]
    out = folder_of(seed, place, search=search)
    if all((out / name).exists() for name in left):
        return "kept"
    out.mkdir(parents=True, exist_ok=True)
    audit = place / f"{out.name}-audit" if search else out / "audit"
    command = [sys.executable, "-m", "prunegate", "demo", "--seed", str(seed), "--force"]
    command += ["--cache", str(cache), "--out", str(out), "--audit", str(audit)]
    before = _cpu_seconds()
    with (place / f"{out.name}.log").open("w", encoding="utf-8") as log:
        ended = subprocess.run(
            [*command, "--search"] if search else command,
            check=False,
            env=environment(processor),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    if ended.returncode not in (VERDICTS if search else (0,)):
        raise SystemExit(f"seed {seed} ended with {ended.returncode}; see {log.name}")
    return f"{(_cpu_seconds() - before) / 60:.1f} CPU min"


def folder_of(seed: int, place: Path, *, search: bool) -> Path:
    """Where what a seed gave is kept."""
    return place / (f"search-{seed}" if search else str(seed))


def _cpu_seconds() -> float:
    """Of the demos that have ended: on a busy machine the clock says little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def undecided(record: dict[str, Any]) -> Iterator[str]:
    """Each blocking limit that is broken or not proven, by change in points."""
    for finding in record["findings"]:
        if finding["status"] != "pass" and finding["severity"] == "block":
            where = finding["slice"].removeprefix("content_type=")
            change = finding["difference"]
            points = "" if change is None else f" {100 * change:+.1f}"
            mark = "" if finding["status"] == "fail" else "?"
            yield f"{finding['metric']} {where}{points}{mark}"


def as_told(arm: str, record: dict[str, Any]) -> bool:
    """Display-only is rejected on video, representative is approved."""
    if arm == "representative":
        return bool(record["outcome"] == "approve")
    video = [f for f in record["findings"] if f["slice"] == "content_type=video"]
    return record["outcome"] == "reject" and any(f["status"] == "fail" for f in video)


def row(seed: int, folder: Path) -> dict[str, bool]:
    """Print what one seed gave; for each candidate, whether it is what the demo tells of."""
    found = {}
    for arm in ARMS:
        record = json.loads((folder / arm / "record.json").read_text(encoding="utf-8"))
        found[arm] = as_told(arm, record)
        said = f"{record['outcome']}{'' if found[arm] else ' (!)'}"
        print(f"{seed:4}  {arm:14}  {said:16}  {', '.join(undecided(record))}", flush=True)
    return found


def search_row(seed: int, folder: Path) -> dict[str, bool]:
    """Print what the search of one seed chose; whether the gate approves it."""
    tried = json.loads((folder / ATTEMPTS).read_text(encoding="utf-8"))
    outcome, what = "nothing passes", ""
    if (folder / "record.json").exists():
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        left, whole = (record[role]["parameters"] for role in ("candidate", "baseline"))
        outcome = record["outcome"]
        what = f"{100 * left / whole:.1f} % of the parameters  {', '.join(undecided(record))}"
    told = f"{seed:4}  search  {outcome:16}  {len(tried['attempts'])} attempts  {what}"
    print(told.rstrip(), flush=True)
    return {"search": outcome == "approve"}


def main() -> int:
    """Print a row per seed and candidate; 1 if fewer came out as told than the goal."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(21, 31)))
    parser.add_argument("--processor", choices=("default", "auto"), default="default")
    parser.add_argument("--search", action="store_true", help="what a search finds, instead")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where the demos are kept")
    chosen = parser.parse_args()
    rows = []
    for seed in chosen.seeds:
        place = chosen.folder / chosen.processor
        place.mkdir(parents=True, exist_ok=True)
        took = demo(seed, place, place / "cache", chosen.processor, search=chosen.search)
        print(f"{seed:4}  {took}", file=sys.stderr, flush=True)
        folder = folder_of(seed, place, search=chosen.search)
        rows.append(search_row(seed, folder) if chosen.search else row(seed, folder))
    told = {arm: sum(found[arm] for found in rows) for arm in rows[0]}
    how = "approved" if chosen.search else "as told"
    print("; ".join(f"{arm} {how} in {told[arm]} of {len(rows)}" for arm in told))
    return int(min(told.values()) < GOAL * len(rows))


if __name__ == "__main__":
    sys.exit(main())
