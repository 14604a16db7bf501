"""What the suite costs, file by file, in CPU seconds: ``make cost``, or ``-p tests.suite_cost``.

The time that passes says what else ran on the machine; CPU seconds are nearer to what a test asks
for (a crowded machine lengthens them, too): those of the worker, of the processes that it has
waited for, and of those that it left running (Spark's Java, a browser). The sums are printed at the
end, the dearest first, with the cost of reading the files. Nothing is asserted of them. Calls of
the warm process are not seen.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

READING = "reading all files"
SHOWN = 40
SPENT: Counter[str] = Counter()
TESTS: Counter[str] = Counter()


def spent() -> float:
    """CPU seconds of this process and all that it has started."""
    times = os.times()
    ours = times.user + times.system + times.children_user + times.children_system
    return ours + _running(os.getpid())


def _running(process: int) -> float:
    """Those of its children that run; 0 where the system does not tell."""
    found = 0.0
    for tasks in Path(f"/proc/{process}/task").glob("*/children"):
        for child in _read(tasks).split():
            after_name = _read(Path(f"/proc/{child}/stat")).rpartition(")")[2].split()
            ticks = sum(map(int, after_name[11:15]))
            found += ticks / os.sysconf("SC_CLK_TCK") + _running(int(child))
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # it has ended meanwhile
        return ""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    before = spent()
    done = yield
    SPENT[READING] += spent() - before
    return done


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    before = spent()
    done = yield
    name = item.nodeid.partition("::")[0]
    SPENT[name] += spent() - before
    TESTS[name] += 1
    return done


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it has counted."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["suite_cost"] = [dict(SPENT), dict(TESTS)]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    found = getattr(node, "workeroutput", {}).get("suite_cost")
    for total, part in zip((SPENT, TESTS), found or (), strict=False):
        total.update(part)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the dearest files and the sum."""
    terminalreporter.section("CPU seconds")
    for name, seconds in SPENT.most_common(SHOWN):
        terminalreporter.write_line(f"{seconds:8.2f} {TESTS[name] or '':>5} {name}")
    terminalreporter.write_line(f"{sum(SPENT.values()):8.2f} {sum(TESTS.values()):>5} in all")
