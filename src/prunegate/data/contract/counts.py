"""A count of the profile, as its clauses are worded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prunegate.data.predictions.columns import shown

_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Count:
    """One count of the profile."""

    name: str
    words: str
    """What is counted, for people."""
    value: float | None
    """A whole number, or a distance; None: there is nothing of the kind."""
    advice: str
    """What to do if the count is wrong."""
    at_least: int | None = None
    """How many there must be; None: there must be none, or ``at_most``."""
    at_most: float | None = None
    """The largest that it may be, of a distance."""
    evidence: bool = False
    """Whether it is about too little evidence alone, with which nothing is wrong."""
    examples: tuple[str, ...] = ()


def examples_of(values: Sequence[str]) -> tuple[str, ...]:
    """Return the first three different values, escaped."""
    return tuple(shown(value) for value in dict.fromkeys(values[:1000]))[:_EXAMPLES]
