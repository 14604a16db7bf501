"""A program's end: its own code, all that was left for the end, and nothing after that."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
import prunegate.cli.program as p

class Told:
    def __del__(self):
        print("taken apart", flush=True)

def main():
    atexit.register(print, "left for the end")
    sys.stdout.write("said; ")
    {ends}

told = Told()
p.main = main
p.program()
"""


def run(ends: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """A program whose command line ends so, and what is done before it begins.

    Nothing measures what it covers, which would leave something for its end before it begins.
    """
    alone = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    code = f"import atexit, sys\n{before}\n{PROGRAM.format(ends=ends)}"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=alone, capture_output=True, text=True, check=False)


def test_what_others_left_for_the_end_before_is_done_too() -> None:
    done = run("sys.exit(3)", "atexit.register(print, 'measured')")
    assert done.returncode == 3
    assert done.stdout.startswith("said; left for the end\n")
    assert "measured\n" in done.stdout


@pytest.mark.parametrize("code", [0, 3])
def test_what_was_left_for_the_end_is_done_and_the_code_stays(code: int) -> None:
    done = run(f"sys.exit({code})")
    assert (done.returncode, done.stdout, done.stderr) == (code, "said; left for the end\n", "")


def test_what_is_no_code_ends_as_any_program() -> None:
    done = run("raise RuntimeError('a mistake')")
    assert done.returncode == 1
    assert done.stdout == "said; left for the end\ntaken apart\n"
    assert done.stderr.endswith("RuntimeError: a mistake\n")


def test_output_that_cannot_be_written_is_never_a_success() -> None:
    done = run("sys.exit(0)", "sys.stdout = open('/dev/full', 'w')")
    assert done.returncode == 120
    assert "No space left on device" in done.stderr
