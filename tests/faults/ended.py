"""Ended: a command is ended at a moment, and what it leaves and what comes next are looked at.

Three laws. What is at the place of the output is nothing, or whole: the files of an undisturbed
run. Somebody who asks politely (SIGTERM, SIGINT) leaves nothing in the making either, but where
long work is kept to go on with; after SIGKILL that may stay. The next run works, and takes away
what stayed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cases import Case, damaged_entries

from prunegate.io.partial import PARTIAL

SIGNALS = ("SIGINT", "SIGTERM", "SIGKILL")
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGKILL": 247}
"""How a command ends that is ended; the last as it is told through ``warm_process.py``."""
DONE = (0, 3, 4)
"""Exit codes of a command that did its work."""
REFUSED = 2


@dataclass(frozen=True, kw_only=True)
class Call:
    """How a command line ended."""

    code: int
    told: str


def called(program: Path, folder: Path, arguments: tuple[str, ...], **fault: str) -> Call:
    """Call a command in a folder, with its temporary files there, too."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(temporary), **fault},
    )
    return Call(code=done.returncode, told=done.stderr)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A case in a folder of its own, and what an undisturbed run of it makes."""

    case: Case
    folder: Path
    """As it is before; copied for every fault."""
    touches: int
    """How often an undisturbed run touches the file system."""
    makes: frozenset[str]
    """What such a run adds."""


def prepared(program: Path, case: Case, place: Path) -> Prepared:
    """Prepare a case, and run it once without a fault."""
    folder, whole = place / "before", place / "whole"
    folder.mkdir(parents=True)
    if case.fill is not None:
        case.fill(folder)
    for arguments in case.before:
        assert called(program, folder, arguments).code in DONE, arguments
    shutil.copytree(folder, whole, symlinks=True)
    there = _files(whole)
    count = place / "count"
    done = called(program, whole, named(case, "out"), FAULT_COUNT=str(count))
    assert done.code in DONE, done.told
    return Prepared(
        case=case,
        folder=folder,
        touches=int(count.read_text()),
        makes=frozenset(_files(whole) - there),
    )


def wrong_after(program: Path, ready: Prepared, place: Path, name: str, moment: int) -> list[str]:
    """What is wrong after a command was ended at a moment, and after the next run."""
    case = ready.case
    shutil.copytree(ready.folder, place, symlinks=True)
    there = _files(place)
    done = called(program, place, named(case, "out"), FAULT_AT=f"{name}:{moment}")
    left = _files(place) - there
    wrong = []
    if done.code not in (CODES[name], *DONE):
        wrong.append(f"exit code {done.code}: {done.told.strip()[:200]}")
    making = {one for one in left if PARTIAL in one}
    if name != "SIGKILL" and making and not case.resumes:
        wrong.append(f"left in the making: {sorted(making)[:3]}")
    output = {one for one in left - making if one.partition("/")[0].startswith("out")}
    wanted = {one for one in ready.makes if one.partition("/")[0].startswith("out")}
    if output and output != wanted and not (case.pair and name == "SIGKILL"):
        wrong.append(f"a part of the output: {sorted(output)[:3]}")
    if damaged := damaged_entries(place):
        wrong.append(f"entries in part: {sorted(damaged)[:3]}")
    on = case.resumes or (case.same and not output)
    arguments = named(case, "out" if on else "next")
    again = called(program, place, (*arguments, "--force") if case.resumes else arguments)
    there_already = case.once and _shapes(left) >= _shapes(ready.makes) - {"tmp"}
    if again.code not in (*DONE, *([REFUSED] if there_already else [])):
        wrong.append(f"the next run: exit code {again.code}: {again.told.strip()[:200]}")
    stays = {one for one in _files(place) if PARTIAL in one}
    if case.same:
        stays |= _tops(_files(place)) - _tops(there | ready.makes) - {"tmp", "next"}
    spilled = {one for one in _files(place) if one.startswith("tmp/prunegate-")}
    if len(spilled) > 1:  # the last call's own goes with its process, which a forked one skips
        stays |= spilled
    if stays:
        wrong.append(f"never taken away: {sorted(stays)[:3]}")
    return wrong


def named(case: Case, output: str) -> tuple[str, ...]:
    """The arguments of a case, with a name for its output."""
    replace: Callable[[str], str] = lambda one: one.replace("OUT", output)  # noqa: E731
    return tuple(one if one.startswith("/") else replace(one) for one in case.arguments)


def _shapes(files: Iterable[str]) -> set[str]:
    """Names of files, whatever digests they hold."""
    return {re.sub("[0-9a-f]{64}", "*", one) for one in files}


def _tops(files: Iterable[str]) -> set[str]:
    return {one.partition("/")[0] for one in files}


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
