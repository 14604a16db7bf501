"""Bisection: where passing ends, on one amount, in few attempts.

It leans on one assumption, that removing more never does less harm. Where that does not hold (it
holds only about, because training is noisy) an edge is still found, but perhaps not the only one;
what is reported as passing has passed in any case. Pure: an oracle in, an edge out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["passes", "too_much", "too_little"]
"""too_little: nothing but size, speed or cost stands in the way, so removing more may help."""


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Between which amounts it becomes too much."""

    below: float | None
    """The largest amount asked that was not too much; None: the smallest was."""
    above: float | None
    """The smallest amount above it that was; None: the largest was not, or nothing was asked."""


def bisect(
    ask: Callable[[float], State | None], *, low: float, high: float, tolerance: float
) -> Edge:
    """Find the edge: both ends first, then the middle again and again.

    Args:
        ask: what an amount is; None when no more may be asked, which ends the search.
        low: the smallest amount.
        high: the largest amount.
        tolerance: the search ends when the two sides of the edge are this close.

    >>> bisect(lambda x: "passes" if x < 0.6 else "too_much", low=0.0, high=1.0, tolerance=0.2)
    Edge(below=0.5, above=0.625)
    """
    first = ask(low)
    if first is None or first == "too_much":
        return Edge(below=None, above=low if first else None)
    last = ask(high)
    if last != "too_much":
        return Edge(below=high if last else low, above=None)
    while high - low > tolerance:
        middle = (low + high) / 2
        if not low < middle < high:  # neighbours among the numbers
            break
        state = ask(middle)
        if state is None:
            break
        low, high = (low, middle) if state == "too_much" else (middle, high)
    return Edge(below=low, above=high)
