"""Shifts: one slice made worse, so that one of its limits is met exactly, or missed by as much.

A share of some cell of the slice's rows changes the candidate's decision, the same share in each of
its groups; everything else stays as it was, the expected disagreement included:

* to get worse, decisions that both models got right become the candidate's errors: those that the
  metric's form calls ``worse`` (for precision false alarms, for F1 misses);
* to get better (a limit on improvement, ``max_gain``), its errors become right: ``better``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from prunegate.evidence.of_metric import of_decisions
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.hypothesis import (
    Contrast,
    Difference,
    ErrorsAtMost,
    Hypothesis,
    Level,
    SuccessRatio,
    asks_for_more,
)
from prunegate.planning.groups import Floats, Group, expected
from prunegate.planning.planned_limits import PLANNED, PlannedLimit

_FINE = 1 << 40
"""Parts that an expected row is cut into, so that exact fractions can be taken of it."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One slice's candidate, moved."""

    limit: PlannedLimit
    groups: tuple[int, ...]
    """Places of the slice's groups."""
    share: float
    """Of the rows in ``cells`` whose decision changes."""
    cells: tuple[int, ...]

    def applied(self, groups: Sequence[Group]) -> tuple[Group, ...]:
        """The slice's groups after the shift, in the order of ``groups``."""
        return tuple(self._moved(groups[place]) for place in self.groups)

    def _moved(self, group: Group) -> Group:
        chances = list(group.chances)
        for cell in self.cells:
            step = chances[cell] * self.share
            chances[cell] -= step
            chances[cell ^ 1] += step
        return replace(group, chances=tuple(chances))


def expected_rates(metric: str, cells: Floats) -> tuple[float, float]:
    """Expected success rates of baseline and candidate on cells [8]; NaN first for flip rates.

    Raises:
        ValueError: a rate is undefined on these cells.
    """
    found = of_decisions(metric, tuple(round(float(cell) * _FINE) for cell in cells))
    if found.candidate is None:
        raise ValueError(f"{metric} is undefined on these cells")
    before = float("nan") if found.baseline is None else float(found.baseline)
    return before, float(found.candidate)


def border(claim: Hypothesis, before: float) -> float:
    """The candidate's success rate at which the claim holds exactly."""
    if isinstance(claim, Level):
        return float(claim.limit)
    return _against(claim, before)


def _against(claim: Contrast, before: float) -> float:
    if isinstance(claim, Difference):
        margin = float(claim.margin)
        return before + margin if claim.swapped else before - margin
    ratio = float(1 / claim.ratio if claim.swapped else claim.ratio)
    if isinstance(claim, SuccessRatio):
        return before * ratio
    assert isinstance(claim, ErrorsAtMost)  # noqa: S101  # the last of the contrasts
    return 1 - (1 - before) * ratio


def distance_to_border(claim: Hypothesis, before: float, after: float) -> float:
    """How far the candidate's rate is on the good side of the claim; negative beyond it."""
    distance = after - border(claim, before)
    return distance if asks_for_more(claim) else -distance


def shift(
    limit: PlannedLimit, groups: Sequence[Group], members: Sequence[int], times: float
) -> Shift | None:
    """The slice at ``times`` its distance to the limit.

    None where nothing changed breaks the limit already, or the rows cannot move that far.

    Args:
        limit: the limit that is to be met exactly (times = 1) or missed (2).
        groups: all groups.
        members: places of the limit's slice's groups.
        times: multiple of the distance between nothing changed and the limit.
    """
    cells = expected([groups[place] for place in members]).sum(axis=0)
    try:
        before, after = expected_rates(limit.metric, cells)
    except ValueError:
        return None
    if not distance_to_border(limit.claim, before, after) > 0:
        return None
    target = after + times * (border(limit.claim, before) - after)
    form = METRICS[limit.metric].forms[PLANNED]
    moving = form.worse if target < after else form.better
    share = _share(limit.metric, cells, moving, target)
    if share is None:
        return None
    return Shift(limit=limit, groups=tuple(members), share=share, cells=moving)


def _share(metric: str, cells: Floats, moving: tuple[int, ...], target: float) -> float | None:
    """The share of the moving cells at which the candidate's rate is the target, by bisection."""

    def rate(share: float) -> float:
        moved = np.array(cells)
        for cell in moving:
            moved[cell ^ 1] += share * cells[cell]
            moved[cell] -= share * cells[cell]
        return expected_rates(metric, moved)[1]

    start, end = rate(0.0), rate(1.0)
    if not min(start, end) <= target <= max(start, end):
        return None
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if (rate(middle) - target) * (start - target) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
