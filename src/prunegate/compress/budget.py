"""Budgets: how many units each layer keeps, so that the least is lost within what may be spent.

Each row of units has a curve: what is lost when it alone keeps so many. A few points of it are
known and the line between two stands for what lies there. The counts that lose least in sum and
cost no more than the budget are found exactly, as a mixed-integer linear program (HiGHS, through
``scipy.optimize.milp``). Losses of several rows are taken to add up, as in Kwon et al., "A Fast
Post-Training Pruning Framework for Transformers", NeurIPS 2022. Numbers in, counts out; no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from prunegate.errors import InternalError, ModelError

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


def allot(
    curves: Sequence[Curve], costs: Sequence[float], budget: float, *, exact: bool = False
) -> tuple[int, ...]:
    """Choose how many units each row keeps.

    Args:
        curves: One per row.
        costs: Of one unit of each row, above 0.
        budget: What the units that stay may cost together.
        exact: They have to cost just that.

    Returns:
        Units kept per row, each within its curve's first and last count.

    Raises:
        ModelError: nothing on the curves fits the budget.
    """
    segments = [one for row, curve in enumerate(curves) for one in _segments(row, curve)]
    price = np.array([0.0] * len(segments) + [costs[one.row] for one in segments])
    spent = LinearConstraint(price[None], budget if exact else -np.inf, budget)
    highest = [1.0] * len(segments) + [float(one.high) for one in segments]
    found = milp(
        _objective(segments, len(curves)),
        integrality=np.ones(len(price)),
        bounds=Bounds(0, highest),
        constraints=[*_on_one_segment(segments, len(curves)), spent],
        options={"mip_rel_gap": 0.0},
    )
    if found.status == _INFEASIBLE:
        raise ModelError(
            "scope: budget: no plan keeps the minimum of every layer within the budget; ask for "
            "less or lower min_per_layer."
        )
    if found.x is None:
        raise InternalError(f"the budget was not solved: {found.message}")
    kept = [0] * len(curves)
    for one, count in zip(segments, found.x[len(segments) :], strict=True):
        kept[one.row] += round(count)
    return tuple(kept)


def _on_one_segment(segments: Sequence[_Segment], rows: int) -> list[LinearConstraint]:
    """Each row lies on one of its segments, and keeps what that segment allows.

    Variables: for each segment whether its row lies on it, then how many units the row keeps.
    """
    each, ones = np.arange(len(segments)), np.ones(len(segments))
    shape = (len(segments), 2 * len(segments))
    places = (np.tile(each, 2), np.concatenate([each, each + len(segments)]))

    def kept_less(end: str) -> Any:
        ends = np.array([-float(getattr(one, end)) for one in segments])
        return coo_array((np.concatenate([ends, ones]), places), shape=shape)

    own = ([one.row for one in segments], each)
    chosen = coo_array((ones, own), shape=(rows, 2 * len(segments)))
    return [
        LinearConstraint(chosen, 1, 1),
        LinearConstraint(kept_less("low"), 0, np.inf),
        LinearConstraint(kept_less("high"), -np.inf, 0),
    ]


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
