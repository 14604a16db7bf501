"""Meter: one bar for a whole attempt, whatever stages it is made in."""

from __future__ import annotations

from prunegate.io.progress import Progress

PARTS = 100
"""Steps of the bar per stage."""


class Meter:
    """Turns the progress of stages, one after the other, into that of one task."""

    def __init__(self, progress: Progress, words: str, stages: int) -> None:
        self._progress = progress
        self._words = words
        self._total = stages * PARTS
        self._seen: list[str] = []
        progress(words, 0, self._total)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take the progress of a stage; a new name is a new stage."""
        if stage not in self._seen:
            self._seen.append(stage)
        before = PARTS * self._seen.index(stage)
        now = before + PARTS * done // max(total, 1)
        self._progress(self._words, min(now, self._total), self._total)
