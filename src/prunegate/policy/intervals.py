"""Intervals: how a slicing key's numbers or times are put into few values that have names.

``bins: [100, 500]`` gives ``<100``, ``100-500`` and ``>=500``; a bin holds its lower edge and not
its upper one. ``quantiles: 4`` gives ``q1`` to ``q4``, of as many rows each as ties allow; which
numbers part them depends on the table, so the record keeps the edges. ``every: month`` gives
``2026-11``, of moments with a zone in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from prunegate.policy.naming import value_text

Period = Literal["day", "week", "month", "quarter", "year"]


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """One of three ways; the others are not given."""

    bins: tuple[float, ...] = ()
    """Edges, rising."""
    quantiles: int | None = None
    """How many parts of equally many rows."""
    every: Period | None = None
    """The calendar's period."""


def names_of_bins(edges: Sequence[float]) -> tuple[str, ...]:
    """The names of the bins between and outside some edges.

    >>> names_of_bins([100, 500])
    ('<100', '100-500', '>=500')
    """
    texts = [value_text(edge) for edge in edges]
    between = (f"{low}-{high}" for low, high in pairwise(texts))
    return (f"<{texts[0]}", *between, f">={texts[-1]}")
