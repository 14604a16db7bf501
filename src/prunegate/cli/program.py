"""The command line as a program of its own: what ``prunegate`` and ``python -m prunegate`` run.

An interpreter takes itself apart at its end, object by object: a fifth of a second after a gate,
in which nothing happens that anybody waits for. Here the process ends as soon as everything that
was left for its end (``atexit``) is done, and the system takes back the rest at once. Where
somebody left something for the end before we began (coverage or tracing, which ``sitecustomize``
starts), it ends as any other.
"""

from __future__ import annotations

import atexit
import os
import sys

from prunegate.cli import main


def program() -> None:
    """Run the command line; the process ends with it.

    A program that goes on after a command calls ``prunegate.cli.main``.
    """
    codes: list[int] = []
    if not atexit._ncallbacks():
        atexit.register(_end, codes)  # whatever is registered later is done before
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, int):
            codes.append(ended.code)
        raise


def _end(codes: list[int]) -> None:
    """End the process with this exit code; without one, as any other."""
    if not codes:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # which the interpreter has its own words for
    os._exit(codes[0])
