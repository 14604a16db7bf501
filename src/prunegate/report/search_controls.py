"""What a chosen candidate is held beside: draws at random, and the same amounts by another scope.

Counts and a range: of few draws a deviation or an interval would say too much. That a draw loses
more than the choice is said where a paired test on the same rows shows it, at 5 % for all draws of
a search together (Holm).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from prunegate.audit.search_record import NotMade, SearchAttempt
from prunegate.stats.result import adjust
from prunegate.verdict.losses import LEVEL

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
    shown: tuple[int, ...]
    """Draws, from 1, that are shown to lose more than what was chosen."""
    as_good: int
    """Of those that pass: draws that are not."""
    tested: bool
    """Whether every draw was held against the choice on the same rows."""
    spread: Spread | None
    """None: what one of them lost is not known, or they lost in other metrics."""


def summed_up(draws: Sequence[SearchAttempt]) -> Draws:
    """Sum up the draws of a search.

    Args:
        draws: the same amounts, drawn at random.
    """
    passing = {place for place, one in enumerate(draws, 1) if one.outcome == "approve"}
    shown = draws_shown_worse(draws)
    return Draws(
        count=len(draws),
        passing=len(passing),
        shown=shown,
        as_good=len(passing - {*shown}),
        tested=all(draw.lost_more is not None for draw in draws),
        spread=_spread(draws),
    )


def draws_shown_worse(draws: Sequence[SearchAttempt]) -> tuple[int, ...]:
    """The draws, from 1, whose paired test shows that they lose more than what was chosen.

    One that was not tested counts as one that showed nothing.
    """
    found = adjust([1.0 if one.lost_more is None else one.lost_more.p_value for one in draws])
    return tuple(place for place, p_value in enumerate(found, start=1) if p_value <= LEVEL)


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
