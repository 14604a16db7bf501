"""The second opinion asked in a process of its own, which loads its engine while we count.

Started first and asked last (``worker.py`` is what runs in it). The question is the policy
and the finished verdict as JSON, so that no object of ours reaches the judge; the answer has to
name the question by its sha256. A crash, silence or garbage is an internal error, never a pass.
The process ends with us, however we end: its input closes.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import IO, TYPE_CHECKING, NoReturn

from prunegate.audit.canonical import plain_json
from prunegate.errors import InternalError

if TYPE_CHECKING:
    from prunegate.audit.record import SecondOpinion
    from prunegate.policy.schema import Policy
    from prunegate.verdict.finding import Verdict
    from prunegate.verdict.waiver import Waiver

WAIT_S = 900.0
"""How long an answer may take: minutes more than loading the engine takes on a busy machine."""
_PART = 1 << 16
_PROGRAM = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop()); "
    "from prunegate.audit.opinion.worker import main; main()"
)

Awaited = Callable[[], "SecondOpinion"]
"""Waits for the answer. Raises InternalError where it is not agreement."""
Ask = Callable[["Policy", "Verdict", "Sequence[Waiver]"], Awaited]
"""Puts a finished verdict, the policy that it was tested by, and what its waived findings were
waived by, to the second opinion."""


def ask_of(process: OpinionProcess) -> Ask:
    """Who is asked: the process, or this one where entries were added from outside.

    A process of its own does not know these, and would refuse every policy that names them.
    """
    from prunegate.criteria import CRITERIA
    from prunegate.metrics.catalogue import METRICS
    from prunegate.metrics.checks import CHECKS

    extended = any(entries.extended for entries in (METRICS, CHECKS, CRITERIA))
    return asked_here if extended else process.ask


def at_hand() -> OpinionProcess:
    """The running process of this program, or a new one."""
    found = _started()
    if found.ended:
        _started.cache_clear()
        found = _started()
    return found


@cache
def _started() -> OpinionProcess:
    found = OpinionProcess()
    atexit.register(found.end)
    return found


class OpinionProcess:
    """One process that gives second opinions.

    Args:
        wait_s: how long an answer may take.
        program: what it runs; for tests.
    """

    def __init__(self, *, wait_s: float = WAIT_S, program: str = _PROGRAM) -> None:
        self._wait_s = wait_s
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by end
        warned = [f"-W{option}" for option in sys.warnoptions]
        try:
            # -P: nothing is imported from the working folder that we would not import ourselves.
            # A session of its own: Ctrl-C is for us, and our end is its end.
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and program
                [sys.executable, "-P", *warned, "-c", program, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            self._said.close()
            raise InternalError(
                f"the second opinion's process cannot be started ({error.strerror}); run this "
                "where a program may start another one"
            ) from error

    @property
    def ended(self) -> bool:
        """Whether it cannot be asked any more."""
        return self._process.poll() is not None

    def ask(self, policy: Policy, verdict: Verdict, waivers: Sequence[Waiver] = ()) -> Awaited:
        """Put the question; the answer is waited for later.

        Raises:
            InternalError: the process is gone, or takes no question.
        """
        told = {
            "policy": policy.document(),
            "verdict": plain_json(verdict),
            "waivers": plain_json(tuple(waivers)),
        }
        question = json.dumps(told).encode()
        until = time.monotonic() + self._wait_s
        self._send(question + b"\n", until)
        return lambda: self._answer(question, len(verdict.findings), until)

    def end(self) -> None:
        """End the process; it holds nothing that needs to be put in order."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._said):
            if pipe is not None:
                pipe.close()

    def _answer(self, question: bytes, findings: int, until: float) -> SecondOpinion:
        from prunegate.audit.record import SecondOpinion

        line = self._line(until)
        try:
            said = json.loads(line)
            of, denied = said["of"], said.get("disagrees")
            opinion = None if denied is not None else SecondOpinion(**said["agrees"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._fail(f"its answer makes no sense: {error}")
        if of != hashlib.sha256(question).hexdigest():
            self._fail("its answer makes no sense: it is about another question")
        if opinion is None:
            raise InternalError(str(denied))
        if opinion.findings != findings or not opinion.expectations:
            self._fail("its answer makes no sense: it is about other findings")
        return opinion

    def _send(self, content: bytes, until: float) -> None:
        pipe = self._process.stdin
        assert pipe is not None  # noqa: S101  # asked for above
        os.set_blocking(pipe.fileno(), False)
        rest = memoryview(content)
        try:
            while rest:
                self._await(pipe, selectors.EVENT_WRITE, until)
                rest = rest[os.write(pipe.fileno(), rest[:_PART]) :]
        except BrokenPipeError:
            self._fail("its process ended")
        except BlockingIOError:
            self._fail("it takes no question")

    def _line(self, until: float) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None  # noqa: S101  # asked for above
        found = b""
        while not found.endswith(b"\n"):
            self._await(pipe, selectors.EVENT_READ, until)
            part = os.read(pipe.fileno(), _PART)
            if not part:
                self._fail("its process ended")
            found += part
        return found

    def _await(self, pipe: IO[bytes], event: int, until: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)
            if not selector.select(max(0.0, until - time.monotonic())):
                self._fail(f"it gave no answer within {self._wait_s:,.0f} s")

    def _fail(self, why: str) -> NoReturn:
        """End the process and say why there is no verdict."""
        self._process.kill()
        code = self._process.wait()
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip().splitlines()[-1:]
        self.end()
        told = f": {last[0]}" if last else ""
        raise InternalError(
            f"the second opinion could not be had, so there is no verdict; {why} (exit {code}"
            f"{told}). Run this again; if it stays so, please report it"
        )


def asked_here(policy: Policy, verdict: Verdict, waivers: Sequence[Waiver] = ()) -> Awaited:
    """The same question put to this very process, for whoever has the engine loaded anyway."""
    from prunegate.audit.opinion.second_opinion import second_opinion

    found = second_opinion(policy, verdict, waivers)
    return lambda: found
