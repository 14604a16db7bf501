"""A program that forks a writer and a sealer, again and again, and kills both at a random moment.

Run as ``kills.py LOGS AUDIT ROUNDS``, where LOGS is ``logs.py``; it prints what was acknowledged,
a line each. It is a program of its own because a fork takes longer the more its process holds.
"""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.verify import verify_log


class Child:
    """A forked process: it is there at once, where a fresh Python takes half a second."""

    def __init__(self, work: Callable[[int], None]) -> None:
        self.out, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                work(write)
            finally:
                os._exit(1)
        os.close(write)

    def kill(self) -> list[str]:
        """Kill it, and return the names that it had acknowledged; a cut last line is none."""
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        if not os.WIFSIGNALED(status):
            raise SystemExit("it ended before it was killed")
        with os.fdopen(self.out, "rb") as file:
            return [line for line in file.read().decode().split("\n") if len(line) == 64]


def main(place: str, folder: str, rounds: str) -> None:
    """Print the names of the entries that writers were told to be safe."""
    spec = importlib.util.spec_from_file_location("logs", place)
    if spec is None or spec.loader is None:
        raise SystemExit("no logs.py")
    logs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(logs)
    audit, moments = Path(folder), random.Random(12)  # noqa: S311  # no secret: moments to kill at

    def write_from(number: int) -> Callable[[int], None]:
        def write(out: int) -> None:
            for each in range(number, number + 10_000):
                os.write(out, f"{add_pending(logs.entry(each), audit).name}\n".encode())

        return write

    def keep_sealing(out: int) -> None:
        del out
        while True:
            logs.sealed(audit)

    for turn in range(int(rounds)):
        children = [Child(write_from(10_000 * turn)), Child(keep_sealing)]
        time.sleep(moments.uniform(0, 0.04))
        moments.shuffle(children)
        for child in children:
            for name in child.kill():
                sys.stdout.write(f"{name}\n")
        if turn % 20 == 0:
            verify_log(audit, read_entry)


if __name__ == "__main__":
    main(*sys.argv[1:])
