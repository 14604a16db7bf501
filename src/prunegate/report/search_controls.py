"""What a chosen candidate is held beside: draws at random, and the same amounts by another scope.

Counts and a range, nothing more: of few draws a deviation or an interval would say too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from prunegate.audit.search_record import NotMade, SearchAttempt
from prunegate.report.frontier_rows import severity

One = TypeVar("One", bound=SearchAttempt)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What several draws cost."""

    least: float
    mean: float
    most: float
    metric: str | None
    """Whose change it is, in its own terms; None: shares of what the policy allows."""


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Several draws of the random control beside what was chosen."""

    count: int
    passing: int
    as_good: int
    """Of those that pass: draws that lost no more than what was chosen, as far as is known."""
    spread: Spread | None
    """None: what one of them lost is not known, or they lost in other metrics."""


def summed_up(chosen: SearchAttempt, draws: Sequence[SearchAttempt]) -> Draws:
    """Sum up the draws of a search.

    Args:
        chosen: the attempt that was chosen.
        draws: the same amounts, drawn at random.
    """
    passing = [draw for draw in draws if draw.outcome == "approve"]
    return Draws(
        count=len(draws),
        passing=len(passing),
        as_good=sum(not _beats(chosen, draw) for draw in passing),
        spread=_spread(draws),
    )


def beside(draws: Sequence[One], other_scope: One | None) -> tuple[tuple[str, One], ...]:
    """All that a choice is held beside, each with the criterion or scope that makes it so."""
    scoped = [(other_scope.scope or "", other_scope)] if other_scope is not None else []
    return (*((draw.criterion, draw) for draw in draws), *scoped)


def beyond_possible(chosen: SearchAttempt, not_made: Sequence[NotMade]) -> NotMade | None:
    """The nearest amounts at least as large in every step that could not be removed; None: none."""
    beyond = [
        one
        for one in not_made
        if one.beyond
        and one.amounts != chosen.amounts
        and all(a >= b for a, b in zip(one.amounts, chosen.amounts, strict=True))
    ]
    return min(beyond, key=lambda one: sum(one.amounts), default=None)


def _beats(chosen: SearchAttempt, draw: SearchAttempt) -> bool:
    lost, without = severity(chosen), severity(draw)
    return lost is not None and without is not None and lost < without


def _spread(draws: Sequence[SearchAttempt]) -> Spread | None:
    used = [draw.margin_used for draw in draws if draw.margin_used is not None]
    if draws and len(used) == len(draws):
        return _of(used, None)
    lost = [draw.loss for draw in draws if draw.loss is not None and draw.margin_used is None]
    metrics = {(draw.loss_metric, draw.loss_class) for draw in draws}
    if not lost or len(lost) != len(draws) or len(metrics) != 1:
        return None
    return _of(lost, draws[0].loss_metric)


def _of(values: Sequence[float], metric: str | None) -> Spread:
    mean = sum(values) / len(values)
    return Spread(least=min(values), mean=mean, most=max(values), metric=metric)
