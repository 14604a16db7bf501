"""Progress: how long work tells whoever waits for it how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Something to call now and then while work goes on."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """Take what is being done, how much of it is done, and how much there is."""
        ...


def silent(_stage: object, _done: int, _total: int, /) -> None:
    """Say nothing: the progress of work that nobody watches."""
