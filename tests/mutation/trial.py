"""A trial: a mutant against the tests that reach its line, in a forked process.

The parent has loaded the libraries, and nothing of prunegate; each child loads the mutant in place
of its file, then the tests, and stops at the first that fails, without looking for a smaller
example. What a test starts as a process of its own runs unchanged.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from tests.mutation.mutants import Mutant

ROOT = Path(__file__).parents[2]
LIBRARIES = (
    "hypothesis", "numpy", "scipy.stats", "scipy.optimize", "pandas", "pyarrow.parquet", "duckdb",
    "narwhals", "pydantic", "ruamel.yaml", "jinja2", "click.testing", "rich", "sklearn.metrics",
    "cryptography.hazmat.primitives.asymmetric.ed25519", "jsonschema", "polars",
)  # fmt: skip
OPTIONS = (
    "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), "-W",
    "ignore:Module already imported:pytest.PytestAssertRewriteWarning",  # here, before pytest
)  # fmt: skip
NO_TESTS, NOT_FOUND = 5, 4
TIMEOUT = -1


def load_libraries() -> None:
    """Load once what every child needs."""
    for name in LIBRARIES:
        import_module(name)


def in_child(work: Callable[[], int], limit: float) -> int:
    """Run work in a forked process, silently; its exit code.

    TIMEOUT: it took ``limit`` seconds of CPU, or waited for four times as long.
    """
    child = os.fork()
    if not child:
        os.setsid()
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(silence, stream)
        code = 70
        try:
            code = int(work())
        finally:
            os._exit(code)
    end = time.monotonic() + 4 * limit
    while time.monotonic() < end and _spent(child) < limit:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TIMEOUT


def _spent(process: int) -> float:
    """CPU seconds of a running process; 0 where the system does not tell.

    A limit that the system keeps (RLIMIT_CPU) would make the clocks that are measured with coarse.
    """
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except OSError:
        return 0.0
    return sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")


def tried(mutant: Mutant | None, tests: Sequence[str], limit: float) -> int:
    """pytest's exit code with a mutant (or with none): 0 is a mutant that no test noticed."""

    def work() -> int:
        if mutant is not None:
            sys.meta_path.insert(0, _Finder(mutant))
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        return pytest.main(["-x", *OPTIONS, *files], plugins=[_Only(tests)])

    return in_child(work, limit)


class _Only:
    """Runs the named tests only, in the order of their names given; a failure is enough."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.order = {name: place for place, name in enumerate(tests)}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Before the tests are read, and after their settings: no smaller example, none kept."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("trial", settings(), phases=phases, database=None)
        settings.load_profile("trial")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(kept, key=lambda item: self.order[item.nodeid])


class _Finder:
    """Finds the mutant where its module is asked for."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        inside = mutant.path.relative_to(ROOT / "src").with_suffix("").parts
        self.name = ".".join(inside[:-1] if inside[-1] == "__init__" else inside)

    def find_spec(self, name: str, _path: Any, _target: Any = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        place = str(self.mutant.path)
        return spec_from_file_location(name, place, loader=_Loader(name, place, self.mutant.code))


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self.mutated = code

    def get_code(self, _fullname: str) -> CodeType:
        return self.mutated
