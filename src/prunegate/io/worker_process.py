"""A worker process: a Python program of ours beside this one, which answers a line with a line.

What may crash, hang or take minutes to load runs there: its end is an error here, never ours. It
holds nothing that needs to be put in order, and it ends with us, however we end: its input closes.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO, Generic, NoReturn, Protocol, TypeVar

from prunegate.errors import InternalError

_PART = 1 << 16


class WorkerError(InternalError):
    """A worker gave no answer; the message says why, and how its process ended."""


class WorkerProcess:
    """One worker.

    Args:
        program: Python; it finds this program's own ``sys.path``.
        wait_s: how long an answer may take.

    Raises:
        WorkerError: no process can be started here.
    """

    def __init__(self, program: str, *, wait_s: float) -> None:
        self._wait_s, self._owner = wait_s, os.getpid()
        begin = "import sys, json; sys.path[:] = json.loads(sys.argv.pop()); "
        warned = [f"-W{option}" for option in sys.warnoptions]
        try:
            self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by end
        except OSError as error:
            raise WorkerError(f"its process cannot be started ({error.strerror})") from error
        try:
            # -P: nothing is imported from the working folder that we would not import ourselves.
            # A session of its own: Ctrl-C is for us, and our end is its end.
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and program
                [sys.executable, "-P", *warned, "-c", begin + program, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            self._said.close()
            raise WorkerError(f"its process cannot be started ({error.strerror})") from error

    @property
    def ended(self) -> bool:
        """Whether it cannot be asked any more; a fork of the program that started it never can."""
        return self._owner != os.getpid() or self._process.poll() is not None

    def deadline(self) -> float:
        """Until when a question that is put now has to be answered."""
        return time.monotonic() + self._wait_s

    def send(self, line: bytes, until: float) -> None:
        """Put a question.

        Raises:
            WorkerError: the process is gone, or takes no question.
        """
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101  # asked for above
        os.set_blocking(pipe.fileno(), False)
        rest = memoryview(line + b"\n")
        try:
            while rest:
                self._await(pipe, selectors.EVENT_WRITE, until)
                rest = rest[os.write(pipe.fileno(), rest[:_PART]) :]
        except BrokenPipeError:
            self.fail("its process ended")
        except BlockingIOError:
            self.fail("it takes no question")

    def answers_within(self, wait_s: float) -> bool:
        """Whether an answer begins by then, or the process ends: ``line`` says which."""
        assert self._process.stdout is not None  # noqa: S101  # asked for above
        return _ready(self._process.stdout, selectors.EVENT_READ, wait_s)

    def line(self, until: float) -> bytes:
        """Wait for an answer.

        Raises:
            WorkerError: the process is gone, or the time is over.
        """
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101  # asked for above
        found = bytearray()
        while not found.endswith(b"\n"):
            self._await(pipe, selectors.EVENT_READ, until)
            part = os.read(pipe.fileno(), _PART)
            if not part:
                self.fail("its process ended")
            found += part
        return bytes(found)

    def fail(self, why: str) -> NoReturn:
        """End the process and say why nothing came of it.

        Raises:
            WorkerError: always.
        """
        self._process.kill()
        code = self._process.wait()
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip().splitlines()[-1:]
        self.end()
        told = f": {last[0]}" if last else ""
        raise WorkerError(f"{why} (exit {code}{told})")

    def end(self) -> None:
        """End the process; a fork of the program that started it leaves it alone."""
        if self._owner != os.getpid():
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._said):
            if pipe is not None:
                pipe.close()

    def _await(self, pipe: IO[bytes], event: int, until: float) -> None:
        if not _ready(pipe, event, until - time.monotonic()):
            self.fail(f"it gave no answer within {self._wait_s:,.0f} s")


class _Endable(Protocol):
    @property
    def ended(self) -> bool: ...
    def end(self) -> None: ...


Worker = TypeVar("Worker", bound=_Endable)


class WorkerAtHand(Generic[Worker]):
    """A worker that is kept as long as the program runs, and started anew where it has ended.

    Args:
        start: starts one; what it raises is raised by each call until one starts.
    """

    def __init__(self, start: Callable[[], Worker]) -> None:
        self._start = start
        self._found: Worker | None = None

    def __call__(self) -> Worker:
        """The running one, or a new one."""
        if self._found is None or self._found.ended:
            self._found = self._start()
            atexit.register(self._found.end)
        return self._found


def _ready(pipe: IO[bytes], event: int, wait_s: float) -> bool:
    """Whether a pipe can be read or written by then, or has lost its other end."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, event)
        return bool(selector.select(max(0.0, wait_s)))
