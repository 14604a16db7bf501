"""Tariff: the bills of both models, from the policy's prices and the measurements they lean on.

A candidate's price that is not quoted is the baseline's times the measured CPU-time ratio. An
instance carries what was measured of each model at the measured batch. What comes from a
measurement has an interval, and the candidate's bill at its cheap and at its dear end beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from prunegate.cost.amounts import EXACT, exact_decimal, six_digits
from prunegate.cost.bills import Bill, Graduated, Rented, monthly_capacity
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures, is_evidence, steady
from prunegate.errors import MeasurementError
from prunegate.policy.cost import Billing, Cost, Instance

QUOTED = "quoted"
SCALED = "measured CPU-time ratio"
RENTED = "measured throughput"

_LARGEST_RATIO = 1e6


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """What each model's month costs, at any volume."""

    baseline: Bill
    candidate: Bill
    low: Bill | None = None
    """The candidate's at the cheap end of the measurement's 95 % interval; None: nothing was
    estimated, or it has no interval."""
    high: Bill | None = None
    basis: str


def tariff(cost: Cost, measurements: Measurements | None) -> Tariff:
    """The bills that a ``cost`` section describes.

    Raises:
        MeasurementError: they lean on something that was not measured, or a model is too slow to
            be served the way the policy says.
    """
    if cost.billing.instance is not None:
        return _rented(cost.billing.instance, measurements)
    if cost.billing.quoted:
        prices = [exact_decimal(price.candidate or 0.0) for price in cost.billing.prices]
        return Tariff(
            baseline=_graduated(cost.billing, _baseline(cost.billing)),
            candidate=_graduated(cost.billing, prices),
            basis=QUOTED,
        )
    return _scaled(cost.billing, _ratio(measurements))


def steady_enough(basis: str, measurements: Measurements | None) -> bool:
    """Whether the machine was quiet enough for what the bills lean on.

    A ratio of CPU times needs steady CPU time, which a busy machine disturbs far less than the wall
    time that throughput is measured in.
    """
    if basis == QUOTED or measurements is None:
        return True
    if basis == RENTED or measurements.cpu_noise is None:
        return is_evidence(measurements)
    return steady(measurements.cpu_noise)


def _scaled(billing: Billing, ratio: Estimate95) -> Tariff:
    def at(part: float) -> Graduated:
        with localcontext(EXACT):
            return _graduated(
                billing, [six_digits(price * exact_decimal(part)) for price in _baseline(billing)]
            )

    return Tariff(
        baseline=_graduated(billing, _baseline(billing)),
        candidate=at(ratio.value),
        low=at(ratio.low),
        high=at(ratio.high),
        basis=SCALED,
    )


def _baseline(billing: Billing) -> list[Decimal]:
    return [exact_decimal(price.baseline) for price in billing.prices]


def _graduated(billing: Billing, prices: Sequence[Decimal]) -> Graduated:
    ends = [tier.up_to for tier in billing.tiers] if billing.tiers else [None]
    return Graduated(tiers=tuple(zip(ends, prices, strict=True)))


def _ratio(measurements: Measurements | None) -> Estimate95:
    if measurements is None or measurements.cpu_ratio is None:
        raise MeasurementError(
            "the candidate's price is not known: quote it under 'cost: billing: per_inference: "
            "candidate:', or measure both models ('prunegate measure' does) and give "
            "--measurements, so that the baseline's price can be scaled by their CPU-time ratio."
        )
    return _sane(measurements.cpu_ratio)


def _sane(ratio: Estimate95) -> Estimate95:
    if ratio.low < 1 / _LARGEST_RATIO or ratio.high > _LARGEST_RATIO:
        raise MeasurementError(
            f"a measured ratio between {ratio.low:g} and {ratio.high:g} prices nothing; measure "
            "both models again."
        )
    return ratio


def _rented(instance: Instance, measurements: Measurements | None) -> Tariff:
    if measurements is None:
        raise MeasurementError(
            "instances are counted from the measured throughput of both models: measure them "
            "('prunegate measure' does) and give --measurements."
        )
    before = _throughput("baseline", instance, measurements.baseline, measurements.batch)
    after = _throughput("candidate", instance, measurements.candidate, measurements.batch)
    bill = _bill_of(instance)
    slow, fast = _ends(before, after, measurements.latency_ratio)
    return Tariff(
        baseline=bill(before),
        candidate=bill(after),
        low=None if fast is None else bill(fast),
        high=None if slow is None else bill(slow),
        basis=RENTED,
    )


def _bill_of(instance: Instance) -> Callable[[float], Rented]:
    def bill(throughput: float) -> Rented:
        return Rented(
            per_hour=exact_decimal(instance.per_hour),
            capacity=monthly_capacity(throughput, instance.utilisation),
            minimum=instance.minimum,
        )

    return bill


def _ends(
    before: float, after: float, ratio: Estimate95 | None
) -> tuple[float | None, float | None]:
    """The candidate's throughput if its paired latency ratio is really at its dear or cheap end.

    The figure is a mean over calls and the ratio one of medians, so the figure is kept inside.
    """
    if ratio is None:
        return None, None
    ratio = _sane(ratio)
    return min(after, before / ratio.high), max(after, before / ratio.low)


def _throughput(role: str, instance: Instance, figures: ModelFigures, batch: int) -> float:
    """Inferences per second, of a model that is fast enough."""
    if not figures.throughput_per_s:
        raise MeasurementError(
            f"the {role}'s throughput is not in the measurements, so its instances cannot be "
            "counted; measure both models ('prunegate measure' does)."
        )
    limit, latency = instance.max_latency_ms, figures.latency_p95_ms
    if limit is not None and latency is None:
        raise MeasurementError(
            f"the {role}'s p95 latency is not in the measurements (it takes 20 calls), so it is "
            f"not known whether it stays within max_latency_ms ({limit:g} ms); measure longer."
        )
    if limit is not None and latency is not None and latency > limit:
        raise MeasurementError(
            f"the {role} cannot be served this way: its p95 latency at batch {batch} is "
            f"{latency:g} ms and max_latency_ms allows {limit:g}; measure at a smaller batch or on "
            "the instance itself, or allow more."
        )
    return figures.throughput_per_s
