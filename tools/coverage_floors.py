"""How much of each package the last coverage run reached, held against floors.

``python tools/coverage_floors.py`` reads ``.coverage`` as ``make cover`` leaves it, prints lines
and branches of every package with a floor and of the whole, names what is missing below a floor,
and exits 1 there. Lines that are excluded count against it where no reason stands beside them.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coverage import Coverage

SOURCE = Path(__file__).parents[1] / "src/prunegate"
EVERYWHERE = 95.0
"""Per cent of lines and branches together, over all packages."""
FLOORS: Mapping[str, float] = {
    "stats": 100.0,
    "metrics": 100.0,
    "verdict": 100.0,
    "policy": 100.0,
    "claims": 100.0,
    "audit": 100.0,
    "cost/projection.py": 100.0,
}
"""Per cent of lines and branches, by package or file."""
EXCLUDED = re.compile(r"#\s*pragma: no cover(?P<reason>.*)")


def main() -> int:
    """Print the table; 1: something is below its floor."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "coverage.json")
        coverage = Coverage()
        coverage.load()
        coverage.json_report(outfile=str(report))
        files = json.loads(report.read_text(encoding="utf-8"))["files"]
    reached = {_place(name): found for name, found in files.items()}
    below = list(_unexplained())
    for part, floor in {**FLOORS, "": EVERYWHERE}.items():
        own = {place: one for place, one in reached.items() if _is_of(place, part)}
        share, line = _told(part, own)
        sys.stdout.write(line + "\n")
        if share < floor:
            below.append(f"{part or 'all'} is below {floor:g} %")
            below += _missing(own) if part else []
    sys.stdout.write("".join(f"{one}\n" for one in below))
    return int(bool(below))


def _place(name: str) -> str:
    return Path(name).resolve().relative_to(SOURCE).as_posix()


def _is_of(place: str, part: str) -> bool:
    return not part or place == part or place.startswith(f"{part}/")


def _told(part: str, files: Mapping[str, Any]) -> tuple[float, str]:
    """The share in per cent (none: 0), and a line of the table."""
    counts = {
        key: sum(one["summary"][key] for one in files.values())
        for key in ("num_statements", "covered_lines", "num_branches", "covered_branches")
    }
    every = counts["num_statements"] + counts["num_branches"]
    share = 100 * (counts["covered_lines"] + counts["covered_branches"]) / every if every else 0.0
    lines = f"{counts['covered_lines']:6} of {counts['num_statements']:6} lines"
    branches = f"{counts['covered_branches']:5} of {counts['num_branches']:5} branches"
    return share, f"{part or 'all':20}{lines}, {branches}: {share:.2f} %"


def _missing(files: Mapping[str, Any]) -> Iterator[str]:
    for place, one in sorted(files.items()):
        if one["missing_lines"] or one["missing_branches"]:
            branches = ", ".join(f"{a} to {b}" for a, b in one["missing_branches"])
            yield f"  {place}: lines {one['missing_lines']}, branches {branches or 'none'}"


def _unexplained() -> Iterator[str]:
    """Lines that are excluded without a reason."""
    for path in sorted(SOURCE.rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            found = EXCLUDED.search(line)
            if found and not found["reason"].strip(" -"):
                yield f"{path.relative_to(SOURCE)}:{number}: excluded without a reason"


if __name__ == "__main__":
    sys.exit(main())
