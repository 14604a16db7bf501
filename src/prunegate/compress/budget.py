"""Budgets: how many units each layer keeps, so that the least is lost within what may be spent.

Each row of units has a curve: what is lost when it alone keeps so many. A few points of it are
known and the line between two stands for what lies there. The counts that lose least in sum and
cost no more than the budget are found exactly, as a mixed-integer linear program (HiGHS, through
``scipy.optimize.milp``), and so are the next best that differ from all before by some units. Losses
of several rows are taken to add up, as in Kwon et al., "A Fast Post-Training Pruning Framework for
Transformers", NeurIPS 2022. Numbers in, counts out; no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from prunegate.errors import AmountError, InternalError
from prunegate.text.said import said

_SCALE = 1e3  # of the objective; HiGHS stops within 1e-6
_INFEASIBLE = 2  # scipy's status
_TIE = 1e-5  # of the largest loss: of equal plans, the one that takes from earlier rows


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What is lost when a row keeps so many units."""

    kept: tuple[int, ...]
    """Ascending; the last is all of them."""
    losses: tuple[float, ...]
    """At each of these counts; finite."""


@dataclass(frozen=True, kw_only=True)
class _Segment:
    """Between two neighbouring points of a curve."""

    row: int
    low: int
    high: int
    slope: float
    constant: float


@dataclass(frozen=True, kw_only=True)
class UnitBudget:
    """What the units that stay may cost together."""

    costs: tuple[float, ...]
    """Of one unit of each row, above 0."""
    most: float
    exact: bool = False
    """They have to cost just that."""


def best_plans(
    curves: Sequence[Curve], budget: UnitBudget, *, plans: int, apart: int
) -> tuple[tuple[int, ...], ...]:
    """Choose plans within a budget: the one that loses least, then the next that is far enough.

    Args:
        curves: One per row.
        budget: What may be spent.
        plans: How many, at most; fewer where there are no more.
        apart: Units, summed over rows, by which each differs from all before, at least 1. Where the
            budget is met to the unit, half of them move from some rows to others.

    Returns:
        Units kept per row, of each plan; the least loss first.

    Raises:
        AmountError: nothing on the curves fits the budget.
    """
    found = [allot(curves, budget)]
    while len(found) < plans:
        try:
            found.append(allot(curves, budget, unlike=found, apart=apart))
        except AmountError:
            break
    return tuple(found)


def allot(
    curves: Sequence[Curve],
    budget: UnitBudget,
    *,
    unlike: Sequence[tuple[int, ...]] = (),
    apart: int = 1,
) -> tuple[int, ...]:
    """Choose how many units each row keeps.

    Args:
        curves: One per row.
        budget: What may be spent.
        unlike: Plans that it is not.
        apart: Units, summed over rows, by which it differs from each of them, at least.

    Returns:
        Units kept per row, each within its curve's first and last count.

    Raises:
        AmountError: nothing on the curves fits the budget.
    """
    segments = [one for row, curve in enumerate(curves) for one in _segments(row, curve)]
    program = _Program(segments=tuple(segments), rows=len(curves), unlike=tuple(unlike))
    found = milp(
        program.wide(_objective(segments, len(curves))[None])[0],
        integrality=program.whole(),
        bounds=Bounds(0, program.highest()),
        constraints=[*program.on_one_segment(), program.spent(budget), *program.differs(apart)],
        options={"mip_rel_gap": 0.0},
    )
    if found.status == _INFEASIBLE:
        raise AmountError(said("amount.budget"), beyond=True)
    if found.x is None:
        raise InternalError(f"the budget was not solved: {found.message}")
    kept = [0] * len(curves)
    for one, count in zip(segments, found.x[len(segments) :], strict=False):
        kept[one.row] += round(count)
    return tuple(kept)


def lost(curves: Sequence[Curve], plan: Sequence[int]) -> float:
    """What a plan loses, by its curves."""
    pairs = zip(plan, curves, strict=True)
    return float(sum(np.interp(kept, one.kept, one.losses) for kept, one in pairs))


@dataclass(frozen=True, kw_only=True)
class _Program:
    """The integer program.

    Variables: for each segment whether its row lies on it, then how many units the row keeps there;
    then, for each plan that it has to differ from, by how many units each row is above it, by how
    many below, and whether it is above.
    """

    segments: tuple[_Segment, ...]
    rows: int
    unlike: tuple[tuple[int, ...], ...]

    def wide(self, matrix: np.ndarray) -> np.ndarray:
        """A matrix over the first variables, with zeros for the others."""
        width = 2 * len(self.segments) + 3 * self.rows * len(self.unlike)
        return np.pad(matrix, ((0, 0), (0, width - matrix.shape[1])))

    def whole(self) -> np.ndarray:
        """1 for a variable that is a whole number; distances are so by themselves."""
        apart = np.repeat([0, 0, 1], self.rows)
        return np.concatenate([np.ones(2 * len(self.segments)), *([apart] * len(self.unlike))])

    def highest(self) -> np.ndarray:
        """Upper bounds."""
        most = self._most()
        counts = [float(one.high) for one in self.segments]
        apart = np.repeat([most, most, 1.0], self.rows)
        return np.concatenate([np.ones(len(counts)), counts, *([apart] * len(self.unlike))])

    def spent(self, budget: UnitBudget) -> LinearConstraint:
        """What stays costs no more than the budget, or just that."""
        prices = [budget.costs[one.row] for one in self.segments]
        price = self.wide(np.array([[0.0] * len(prices) + prices]))
        return LinearConstraint(price, budget.most if budget.exact else -np.inf, budget.most)

    def on_one_segment(self) -> Iterator[LinearConstraint]:
        """Each row lies on one of its segments, and keeps what that segment allows."""
        counts = self._counts()
        yield LinearConstraint(self.wide(counts[:, len(self.segments) :]), 1, 1)
        here = np.eye(len(self.segments))
        for end, low, high in (("low", 0, np.inf), ("high", -np.inf, 0)):
            ends = np.diag([-float(getattr(one, end)) for one in self.segments])
            yield LinearConstraint(self.wide(np.hstack([ends, here])), low, high)

    def differs(self, apart: int) -> Iterator[LinearConstraint]:
        """The counts differ by so many units in sum from each plan that it is not."""
        counts, each, most = self._counts(), np.eye(self.rows), self._most()
        none = np.zeros_like(each)
        for number, plan in enumerate(self.unlike):
            before = np.zeros((self.rows, 3 * self.rows * number))
            zeros = np.hstack([np.zeros_like(counts), before])
            there = np.hstack([counts, before, -each, each])
            yield LinearConstraint(self.wide(there), plan, plan)
            above = np.hstack([zeros, each, none, -most * each])
            yield LinearConstraint(self.wide(above), -np.inf, 0)
            below = np.hstack([zeros, none, each, most * each])
            yield LinearConstraint(self.wide(below), -np.inf, most)
            both = np.hstack([zeros, each, each]).sum(axis=0, keepdims=True)
            yield LinearConstraint(self.wide(both), apart, np.inf)

    def _counts(self) -> np.ndarray:
        """What makes the rows' counts of the variables, [rows, 2 x segments]."""
        found = np.zeros((self.rows, 2 * len(self.segments)))
        for place, one in enumerate(self.segments):
            found[one.row, len(self.segments) + place] = 1
        return found

    def _most(self) -> float:
        return float(max(one.high for one in self.segments))


def _segments(row: int, curve: Curve) -> Iterator[_Segment]:
    points = list(zip(curve.kept, curve.losses, strict=True))
    if len(points) == 1:
        (kept, loss) = points[0]
        yield _Segment(row=row, low=kept, high=kept, slope=0.0, constant=loss)
    for (low, more), (high, less) in pairwise(points):
        slope = (less - more) / (high - low)
        yield _Segment(row=row, low=low, high=high, slope=slope, constant=more - slope * low)


def _objective(segments: Sequence[_Segment], rows: int) -> np.ndarray:
    constants = np.array([one.constant for one in segments])
    slopes = np.array([one.slope for one in segments])
    ends = np.concatenate(
        [constants + slopes * [getattr(one, end) for one in segments] for end in ("low", "high")]
    )
    largest = float(np.abs(ends).max()) or 1.0
    most = max(one.high for one in segments)
    # Keeping a unit of a later row is a hair cheaper, so that ties are broken one way.
    hair = _TIE / (most * rows) * np.array([rows - one.row for one in segments])
    return _SCALE * np.concatenate([constants / largest, slopes / largest + hair])
