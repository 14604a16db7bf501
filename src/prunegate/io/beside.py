"""Work beside other work: a thread of its own for what mostly waits, or is done by an engine.

The engine that reads tables, and the process that draws, need no Python for what they do; ours goes
on meanwhile on another core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def work_beside(work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Do some work while the block is at its own; it has ended when the block has.

    Gives what tells its outcome afterwards: the value, or the error that it ended in. Where the
    block itself fails, that is what is told.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield thread.submit(work).result


@contextmanager
def work_later(work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """The same for work that bears nothing beside it: done when its outcome is asked for."""
    yield work
