"""Drawing: Vega-Lite specifications into SVG, in a process of its own.

The renderer embeds a JavaScript engine that reserves much memory and ends its whole process where
it gets none (under ``ulimit -v``, or without a file descriptor left). A verdict is not lost over a
picture: what cannot be drawn is an error that the page can tell.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from prunegate.io.worker_process import WorkerAtHand, WorkerError, WorkerProcess

WAIT_S = 120.0
"""How long one picture may take; one takes 50 ms, and starting the engine a second."""
KEPT = 32
"""Drawings that are kept: those of one page, drawn while its record waits for the last word."""
_WORKER = Path(__file__).with_name("drawing_worker.py")
_PROGRAM = f"import runpy; runpy.run_path({str(_WORKER)!r}, run_name='__main__')"
"""By its path: it needs nothing of ours, and our package would load what builds the charts."""


class DrawingProcess:
    """One process that draws.

    Args:
        wait_s: how long one picture may take.
        program: what it runs; for tests.

    Raises:
        WorkerError: no process can be started here.
    """

    def __init__(self, *, wait_s: float = WAIT_S, program: str = _PROGRAM) -> None:
        self._worker = WorkerProcess(program, wait_s=wait_s)

    @property
    def ended(self) -> bool:
        """Whether it cannot draw any more."""
        return self._worker.ended

    def draw(self, specification: str) -> str:
        """A specification, JSON without line ends, as SVG.

        Raises:
            WorkerError: nothing was drawn; the message says why.
        """
        until = self._worker.deadline()
        self._worker.send(specification.encode(), until)
        line = self._worker.line(until)
        try:
            drawn = json.loads(line)
        except ValueError as error:
            self._worker.fail(f"its answer makes no sense: {error}")
        if not isinstance(drawn, str):
            self._worker.fail("its answer makes no sense: it is no text")
        return drawn

    def end(self) -> None:
        """End the process."""
        self._worker.end()


_started = WorkerAtHand(DrawingProcess)


@lru_cache(maxsize=KEPT)
def drawn_svg(specification: str) -> str:
    """A specification as SVG, drawn by this program's one drawing process.

    Raises:
        WorkerError: nothing was drawn; the message says why.
    """
    try:
        return _started().draw(specification)
    except WorkerError as error:
        raise WorkerError(
            f"charts cannot be drawn here: {error}; allow more memory (ulimit -v) or open files "
            "(ulimit -n)"
        ) from error


def begin_drawing() -> None:
    """Start the process, whose engine takes a third of a second, while something else goes on.

    Where that cannot be is told when a chart is drawn.
    """
    with suppress(WorkerError):
        _started()
