"""Operations: what is known about running two models, beside their predictions."""

from __future__ import annotations

from dataclasses import dataclass

from prunegate.cost.measurement import Measurements
from prunegate.cost.projection import Projection, project
from prunegate.policy.model import Policy


@dataclass(frozen=True, kw_only=True)
class Operations:
    """Measurements and the costs that follow from them; None is "not known"."""

    measurements: Measurements | None = None
    cost: Projection | None = None


def operations(policy: Policy, measurements: Measurements | None) -> Operations:
    """Measurements with the projection of prices that the policy asks for, as far as it can be had.

    A price that has to be scaled by a measured ratio is absent without measurements; rules on it
    are then inconclusive.
    """
    cost = policy.cost
    if cost is None:
        return Operations(measurements=measurements)
    ratio_known = measurements is not None and measurements.cpu_ratio is not None
    if cost.billing.per_inference.candidate is None and not ratio_known:
        return Operations(measurements=measurements)
    return Operations(measurements=measurements, cost=project(cost, measurements))
