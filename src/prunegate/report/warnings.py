"""Warnings in the order that people need them: what is odd, then real losses that are allowed.

A policy with many slices and classes allows many small losses that are real all the same. Each has
its sentence in the record; where people read, a few stand for all, so that they do not drown what
else there is to know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.text.escape import LONGEST, shorten

FEW_OTHERS, FEW_LOSSES = 10, 5


@dataclass(frozen=True, kw_only=True)
class Warnings:
    """A record's warnings as inert text."""

    others: tuple[str, ...]
    """The first few that are not about a loss within its limit."""
    more_others: tuple[str, ...]
    losses: tuple[str, ...]
    """The first few losses that are real and allowed."""
    more_losses: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.others or self.losses)


def warnings(
    record: DecisionRecord, *, others: int = FEW_OTHERS, losses: int = FEW_LOSSES
) -> Warnings:
    """The warnings of a record, sorted into what is shown at once and what is folded away.

    Args:
        record: the decision.
        others: how many that are not about an allowed loss are shown at once.
        losses: how many allowed losses are.
    """
    places = _allowed(record)
    allowed = _inert(text for n, text in enumerate(record.warnings) if n in places)
    rest = _inert(text for n, text in enumerate(record.warnings) if n not in places)
    return Warnings(
        others=rest[:others],
        more_others=rest[others:],
        losses=allowed[:losses],
        more_losses=allowed[losses:],
    )


def _allowed(record: DecisionRecord) -> frozenset[int]:
    """Places of the warnings about allowed losses."""
    return frozenset(record.allowed_losses or ())


def _inert(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(shorten(text, LONGEST) for text in texts)
