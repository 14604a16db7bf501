"""Which tests reach which line: coverage with a context for each test, kept for the next time.

What was measured is good as long as no file of the package and of its tests changes; it is kept
under ``.mutation`` by the digest of all of them. A line that runs as its file is loaded (a table, a
constant, the body of a class) is reached by no test and used by any: it is tried by all of them.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from coverage import CoverageData
from tests.mutation.trial import OPTIONS, ROOT, in_child

KEPT = ROOT / ".mutation"
SUITES: Mapping[str, tuple[str, ...]] = {
    "stats": ("unit/stats", "oracles"),
    "metrics": (
        "unit/metrics", "unit/verdict", "unit/counting/test_count_metrics.py",
        "unit/counting/test_label_sets.py", "unit/counting/test_fixed_recall.py",
    ),
    "verdict": ("unit/verdict", "unit/test_gate_laws.py"),
    "cost": ("unit/cost", "unit/verdict/test_money_rules.py"),
    "audit": (
        "unit/audit", "security/test_audit_log_attacks.py", "security/bundle",
        "security/test_waiver_attacks.py", "functional/sign_off",
        "functional/test_waive.py", "functional/test_verify_and_replay.py",
    ),
    "policy": (
        "unit/policy", "unit/claims", "unit/test_policy_diff_laws.py",
        "unit/counting/test_scored_rows.py",
    ),
}  # fmt: skip
"""Folders and files of tests for each package."""
FILES = {"cost": ("projection.py", "tariff.py", "bills.py", "volumes.py", "amounts.py")}
"""Which files of a package are tried, where not all."""
TIMES = "seconds.json"
UNKNOWN = 0.1
"""Seconds that a test is taken to ask for whose time was not written down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """Lines and the tests that reach them."""

    tests: Mapping[Path, Mapping[int, frozenset[str]]]
    """By file and line."""
    seconds: Mapping[str, float]
    """How much CPU each test took under coverage."""

    def of(self, path: Path, line: int, seconds: float) -> tuple[list[str], float]:
        """The tests of a line, as many as fit; and how long they take.

        Those of the package's own folder come first, and of these the quick ones. Of a line that
        runs as its file is loaded: all tests, of each kind those that reach the file first.
        """
        lines = self.tests.get(path, {})
        near = frozenset(name for tests in lines.values() for name in tests)
        own = f"tests/unit/{path.relative_to(ROOT / 'src/prunegate').parts[0]}/"
        here = lines.get(line, frozenset()) if line in _inside(path) else frozenset(self.seconds)
        taken, total = [], 0.0
        for name in sorted(
            here,
            key=lambda name: (
                not name.startswith(own), name not in near, self._lasts(name), name
            ),
        ):  # fmt: skip
            if total + self._lasts(name) <= seconds or not taken:
                total += self._lasts(name)
                taken.append(name)
        return taken, min(total, seconds)

    def _lasts(self, name: str) -> float:
        return self.seconds.get(name, UNKNOWN)


@cache
def _inside(path: Path) -> frozenset[int]:
    """The lines of a file that run when a function is called."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            lines.update(range(node.body[0].lineno, (node.end_lineno or 0) + 1))
    return frozenset(lines)


def sources(package: str) -> list[Path]:
    """The files of a package that are tried."""
    folder = ROOT / "src/prunegate" / package
    return [
        path
        for path in sorted(folder.rglob("*.py"))
        if package not in FILES or path.name in FILES[package]
    ]


def reached(package: str) -> Reached:
    """What the tests of a package reach, measured unless it is known."""
    kept = KEPT / f"{package}-{_digest(package)}"
    if not (kept / TIMES).is_file():
        making = KEPT / f"{package}-making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        code = in_child(lambda: _measure(package, making), limit=3600)
        if code:
            raise SystemExit(f"the tests of {package} fail as they are (pytest's exit code {code})")
        for older in KEPT.glob(f"{package}-*"):
            if older != making:
                shutil.rmtree(older)
        making.rename(kept)
    return _read(kept)


def _digest(package: str) -> str:
    places = [ROOT / "src/prunegate" / package, *(ROOT / "tests" / at for at in SUITES[package])]
    files = [path for place in places for path in (place, *sorted(place.rglob("*.py")))]
    whole = hashlib.sha256()
    for path in files:
        if path.is_file():
            whole.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return whole.hexdigest()[:16]


def _measure(package: str, into: Path) -> int:
    os.environ["COVERAGE_FILE"] = str(into / "coverage")
    options = [*OPTIONS, f"--cov=prunegate.{package}", "--cov-context=test"]
    options += ["--cov-report=", "--cov-fail-under=0"]
    clock = _Clock(into / TIMES)
    places = (str(ROOT / "tests" / at) for at in SUITES[package])
    return pytest.main([*options, *places], plugins=[clock])


class _Clock:
    """Takes the CPU time of each test, which a crowded machine lengthens less than the other."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        begun = _spent()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = _spent() - begun

    def pytest_sessionfinish(self) -> None:
        self.place.write_text(json.dumps(self.seconds), encoding="utf-8")


def _spent() -> float:
    return sum(os.times()[:4])


def _read(kept: Path) -> Reached:
    data = CoverageData(str(kept / "coverage"))
    data.read()
    seconds = json.loads((kept / TIMES).read_text(encoding="utf-8"))
    beside: dict[str, set[str]] = {}
    for name in seconds:
        beside.setdefault(name.partition("::")[0], set()).add(name)

    def tests_of(context: str) -> set[str]:
        """A test; what a fixture does for the first that asks may be noticed by all beside it."""
        name, _, phase = context.partition("|")
        return beside.get(name.partition("::")[0], {name}) if phase == "setup" else {name}

    tests = {}
    for path in data.measured_files():
        lines = data.contexts_by_lineno(path)
        tests[Path(path)] = {
            line: frozenset(name for one in contexts if one for name in tests_of(one))
            for line, contexts in lines.items()
        }
    return Reached(tests=tests, seconds=seconds)
