"""Frontier: the attempts that no other beats in both size (or speed, or cost) and quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from prunegate.audit.search_record import SearchAttempt

One = TypeVar("One", bound=SearchAttempt)


def severity(attempt: SearchAttempt) -> float | None:
    """The worst slice's loss, as a share of what is allowed where a margin says what is."""
    return attempt.loss if attempt.margin_used is None else attempt.margin_used


def frontier(attempts: Sequence[One]) -> tuple[One, ...]:
    """The attempts with no other that is as small and lost less, or smaller and lost as little.

    Ascending in the objective, hence descending in loss. Of equals the first stays; attempts whose
    loss is not known are left out.
    """
    known = [(a.objective, loss, a) for a in attempts if (loss := severity(a)) is not None]
    kept: list[One] = []
    least = float("inf")
    for _, loss, attempt in sorted(known, key=lambda entry: (*entry[:2], entry[2].number)):
        if loss < least:
            kept.append(attempt)
            least = loss
    return tuple(kept)
