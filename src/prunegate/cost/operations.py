"""Operations: what is known about running two models, beside their predictions."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.cost.measurement import Measurements
from prunegate.cost.projection import Projection, project
from prunegate.errors import MeasurementError
from prunegate.policy.schema import Policy


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Measurements and the costs that follow from them; None is "not known"."""

    measurements: Measurements | None = None
    cost: Projection | None = None
    unpriced: str = ""
    """Why a cost that the policy asks for is not known although there are measurements."""


def operations(policy: Policy, measurements: Measurements | None) -> Operations:
    """Measurements with the projection of prices that the policy asks for, as far as it can be had.

    A cost that leans on what was not measured, or on a model that is too slow to be served, is
    absent; rules on it are then inconclusive.
    """
    if policy.cost is None:
        return Operations(measurements=measurements)
    try:
        cost = project(policy.cost, measurements)
    except MeasurementError as error:
        why = "" if measurements is None else str(error).rstrip(".")
        return Operations(measurements=measurements, unpriced=why)
    return Operations(measurements=measurements, cost=cost)
