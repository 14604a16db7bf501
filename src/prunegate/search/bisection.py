"""Bisection: where passing ends, on one amount, in few attempts.

It leans on one assumption, that removing more never does less harm. Where that does not hold (it
holds only about, because training is noisy) an edge is still found, but perhaps not the only one;
what is reported as passing has passed in any case. Pure: an oracle in, an edge out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["passes", "too_little", "unproven", "too_much"]
"""too_little: nothing but size, speed or cost stands in the way, so removing more may help.
unproven: no limit on quality is shown to be broken, but not all are shown to hold."""
NOT_BEYOND: frozenset[State] = frozenset({"passes", "too_little"})
"""Where quality allows to remove more."""


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Between which amounts quality ends."""

    below: float | None
    """The largest amount asked that was not beyond the edge; None: all that were asked were."""
    above: float | None
    """The smallest amount above it that was; None: the largest was not, or nothing was asked."""


def bisect(
    ask: Callable[[float], State | None], *, low: float, high: float, tolerance: float
) -> Edge:
    """Find the edge: both ends first, then the middle again and again.

    Where the smallest amount is unproven, what lies the tolerance above it is asked, then twice as
    far above, and so on: one unlucky training is no end. Where it is too much, that is the end.

    Args:
        ask: what an amount is; None when no more may be asked, which ends the search.
        low: the smallest amount.
        high: the largest amount.
        tolerance: the search ends when the two sides of the edge are this close.

    >>> bisect(lambda x: "passes" if x < 0.6 else "too_much", low=0.0, high=1.0, tolerance=0.2)
    Edge(below=0.5, above=0.625)
    """
    first = ask(low)
    if first is None:
        return Edge(below=None, above=None)
    if first not in NOT_BEYOND:
        found = _above(ask, low, high, tolerance) if first == "unproven" else None
        if found is None:
            return Edge(below=None, above=low)
        low = found
    last = ask(high)
    if last is None or last in NOT_BEYOND:
        return Edge(below=high if last else low, above=None)
    while high - low > tolerance:
        middle = (low + high) / 2
        if not low < middle < high:  # neighbours among the numbers
            break
        state = ask(middle)
        if state is None:
            break
        low, high = (middle, high) if state in NOT_BEYOND else (low, middle)
    return Edge(below=low, above=high)


def _above(
    ask: Callable[[float], State | None], low: float, high: float, tolerance: float
) -> float | None:
    """The first larger amount that quality allows; None: too much, or no more is asked."""
    step = tolerance
    amount = low
    state: State | None = "unproven"
    while state == "unproven" and amount < high:
        amount = min(low + step, high)
        state = ask(amount)
        step *= 2
    return amount if state in NOT_BEYOND else None
