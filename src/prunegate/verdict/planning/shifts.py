"""Shifts: one slice made worse, so that one of its limits is met exactly, or missed by as much.

A share of some cell of the slice's rows changes the candidate's decision, the same share in each of
its groups; everything else stays as it was, the expected disagreement included:

* recall, specificity, accuracy, flips: decisions that both models got right become lost;
* precision: negatives that both left alone become the candidate's false positives;
* F1: positives that both found become the candidate's misses;
* a limit on improvement (``max_gain``): the candidate's mistakes of these kinds become right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from prunegate.evaluation.hypothesis import (
    Contrast,
    Difference,
    ErrorRatio,
    Hypothesis,
    Level,
    SuccessRatio,
)
from prunegate.evaluation.metrics import of_decisions
from prunegate.verdict.planning.groups import Floats, Group, expected
from prunegate.verdict.planning.limits import Limit

_WORSE: dict[str, tuple[int, ...]] = {
    "recall": (0b111,),
    "specificity": (0b000,),
    "false_positive_rate": (0b000,),
    "accuracy": (0b111, 0b000),
    "negative_flip_rate": (0b111, 0b000),
    "churn": (0b111, 0b000),
    "precision": (0b000,),
    "f1": (0b111,),
}
"""Cells in which both models are right, and in which the candidate's error moves the metric."""
_BETTER: dict[str, tuple[int, ...]] = {
    "recall": (0b100, 0b110),
    "specificity": (0b011, 0b001),
    "false_positive_rate": (0b011, 0b001),
    "accuracy": (0b100, 0b110, 0b011, 0b001),
    "precision": (0b011, 0b001),
    "f1": (0b100, 0b110),
}
"""Cells in which the candidate is wrong."""
_FINE = 1 << 40
"""Parts that an expected row is cut into, so that exact fractions can be taken of it."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One slice's candidate, moved."""

    limit: Limit
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


def rates(metric: str, cells: Floats) -> tuple[float, float]:
    """Expected success rates of baseline and candidate; the first is NaN for flip rates.

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
    assert isinstance(claim, ErrorRatio)  # noqa: S101  # the last of the contrasts
    return 1 - (1 - before) * ratio


def room(claim: Hypothesis, before: float, after: float) -> float:
    """How far the candidate's rate is on the good side of the claim; negative beyond it."""
    good_above = claim.at_least if isinstance(claim, Level) else not claim.swapped
    distance = after - border(claim, before)
    return distance if good_above else -distance


def shift(
    limit: Limit, groups: Sequence[Group], members: Sequence[int], times: float
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
        before, after = rates(limit.metric, cells)
    except ValueError:
        return None
    if not room(limit.claim, before, after) > 0:
        return None
    target = after + times * (border(limit.claim, before) - after)
    moving = (_WORSE if target < after else _BETTER).get(limit.metric, ())
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
        return rates(metric, moved)[1]

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
