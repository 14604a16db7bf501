"""The second opinion asked in a process of its own, which loads its engine while we count.

Started first and asked last (``worker.py`` is what runs in it). The question is the policy
and the finished verdict as JSON, so that no object of ours reaches the judge; the answer has to
name the question by its sha256. A crash, silence or garbage is an internal error, never a pass.
The process ends with us, however we end: its input closes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from prunegate.audit.canonical import plain_json
from prunegate.errors import InternalError
from prunegate.io.worker_process import WorkerAtHand, WorkerError, WorkerProcess

if TYPE_CHECKING:
    from prunegate.audit.opinion.agreement import SecondOpinion
    from prunegate.policy.schema import Policy
    from prunegate.verdict.finding import Verdict
    from prunegate.verdict.waiver import Waiver

WAIT_S = 900.0
"""How long an answer may take: minutes more than loading the engine takes on a busy machine."""
_PROGRAM = "from prunegate.audit.opinion.worker import main; main()"

SOON_S = 0.25
"""Within which an engine that is loaded answers; else it is still being loaded."""


class Awaited(Protocol):
    """What waits for the answer."""

    def __call__(self, *, meanwhile: Callable[[], object] | None = None) -> SecondOpinion:
        """The answer, which is agreement.

        Args:
            meanwhile: what may be done first, once, where the answer does not come soon.

        Raises:
            InternalError: the answer is something else, or could not be had.
        """


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


class OpinionProcess:
    """One process that gives second opinions.

    Args:
        wait_s: how long an answer may take.
        program: what it runs; for tests.

    Raises:
        InternalError: no process can be started here.
    """

    def __init__(self, *, wait_s: float = WAIT_S, program: str = _PROGRAM) -> None:
        try:
            self._worker = WorkerProcess(program, wait_s=wait_s)
        except WorkerError as error:
            raise InternalError(
                f"the second opinion could not be had: {error}; run this where a program may "
                "start another one"
            ) from error

    @property
    def ended(self) -> bool:
        """Whether it cannot be asked any more."""
        return self._worker.ended

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
        until = self._worker.deadline()
        with _no_verdict():
            self._worker.send(question, until)

        def answer(*, meanwhile: Callable[[], object] | None = None) -> SecondOpinion:
            if meanwhile is not None and not self._worker.answers_within(SOON_S):
                meanwhile()
            return self._answer(question, len(verdict.findings), until)

        return answer

    def end(self) -> None:
        """End the process."""
        self._worker.end()

    def _answer(self, question: bytes, findings: int, until: float) -> SecondOpinion:
        with _no_verdict():
            line = self._worker.line(until)
            try:
                said = json.loads(line)
                of, denied = said["of"], said.get("disagrees")
                opinion = None if denied is not None else _agreement(said["agrees"])
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                self._worker.fail(f"its answer makes no sense: {error}")
            if of != hashlib.sha256(question).hexdigest():
                self._worker.fail("its answer makes no sense: it is about another question")
        if opinion is None:
            raise InternalError(str(denied))
        with _no_verdict():
            if opinion.findings != findings or not opinion.expectations:
                self._worker.fail("its answer makes no sense: it is about other findings")
        return opinion


at_hand = WorkerAtHand(OpinionProcess)
"""Gives the running process of this program, or a new one."""


def _agreement(told: Any) -> SecondOpinion:
    """What a process says of itself, field by field.

    Raises:
        KeyError: a field is missing.
        TypeError: there are others, or a value of another type.
    """
    from prunegate.audit.opinion.agreement import SecondOpinion

    found = SecondOpinion(**told)
    kinds = tuple(map(type, (found.engine, found.expectations, found.findings)))
    if kinds != (str, int, int):
        raise TypeError("its fields are of other types")
    return found


@contextmanager
def _no_verdict() -> Iterator[None]:
    """Without an answer there is no verdict."""
    try:
        yield
    except WorkerError as error:
        raise InternalError(
            f"the second opinion could not be had, so there is no verdict; {error}. Run this "
            "again; if it stays so, please report it"
        ) from error


def asked_here(policy: Policy, verdict: Verdict, waivers: Sequence[Waiver] = ()) -> Awaited:
    """The same question put to this very process, for whoever has the engine loaded anyway."""
    from prunegate.audit.opinion.second_opinion import second_opinion

    found = second_opinion(policy, verdict, waivers)
    return lambda **_: found
