"""Tariff: the bills of both models, from the policy's prices and the measurements they lean on.

A candidate's price that is not quoted is the baseline's times the measured CPU-time ratio. An
instance carries what was measured of each model at the measured batch. What comes from a
measurement has an interval, and the candidate's bill at its cheap and at its dear end beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Literal

from prunegate.cost.amounts import EXACT, exact_decimal, six_digits
from prunegate.cost.bills import (
    Bill,
    Graduated,
    ReadAndWritten,
    Rented,
    Reservation,
    monthly_capacity,
)
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures, is_evidence, steady
from prunegate.errors import MeasurementError
from prunegate.policy.billing import (
    Billing,
    Instance,
    Reserved,
    TokenPrices,
    TokenPricesByModel,
    TokensByDirection,
)
from prunegate.policy.cost import Cost
from prunegate.text.numbers import as_written

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
    billing = cost.billing
    if billing.instance is not None:
        return _rented(billing, billing.instance, measurements)
    if billing.priced_by == "per_second":
        return _by_second(billing, measurements)
    if billing.quoted:
        return Tariff(
            baseline=_graduated(billing, "baseline"),
            candidate=_graduated(billing, "candidate"),
            basis=QUOTED,
        )
    return _scaled(billing, _ratio(measurements))


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
    def at(part: float) -> Bill:
        return _graduated(billing, "baseline", exact_decimal(part))

    return Tariff(
        baseline=_graduated(billing, "baseline"),
        candidate=at(ratio.value),
        low=at(ratio.low),
        high=at(ratio.high),
        basis=SCALED,
    )


def _graduated(billing: Billing, role: str, part: Decimal | None = None) -> Bill:
    """A bill by use at a model's prices, each times ``part`` of what was measured."""
    tokens, single = billing.tokens_per_inference, billing.per_1k_tokens
    if isinstance(single, TokenPricesByModel) and isinstance(tokens, TokensByDirection):
        return _read_and_written(billing, getattr(single, role), tokens, part)
    each = Decimal(1)  # units of use that an inference takes
    with localcontext(EXACT):
        units = [_unit_price(getattr(price, role), billing) for price in billing.prices]
        if billing.tiers and isinstance(tokens, float):
            each = exact_decimal(tokens)
        if part is not None:
            units = [six_digits(price * part) for price in units]
    ends = [tier.up_to for tier in billing.tiers] if billing.tiers else [None]
    tiers = tuple(zip(ends, units, strict=True))
    unit: Literal["", "tokens"] = (
        "tokens" if billing.tiers and billing.priced_by == "per_1k_tokens" else ""
    )
    return _with_terms(billing, Graduated(tiers=tiers, per_inference=each, unit=unit))


def _read_and_written(
    billing: Billing, prices: TokenPrices, tokens: TokensByDirection, part: Decimal | None
) -> Bill:
    """A bill of tokens that are read and tokens that are written."""

    def line(price: float, number: float) -> tuple[Decimal, Decimal]:
        of_one = exact_decimal(price) / 1000
        return exact_decimal(number), of_one if part is None else six_digits(of_one * part)

    with localcontext(EXACT):
        read, written = line(prices.input, tokens.input), line(prices.output, tokens.output)
    return _with_terms(billing, ReadAndWritten(read=read, written=written))


def _unit_price(price: float | None, billing: Billing) -> Decimal:
    """What an inference costs; within tiers of tokens, what a token does."""
    exact, tokens = exact_decimal(price or 0.0), billing.tokens_per_inference
    if billing.priced_by != "per_1k_tokens":
        return exact
    together = tokens if isinstance(tokens, float) and not billing.tiers else 1.0
    return exact * exact_decimal(together) / 1000


def _with_terms(billing: Billing, usage: Graduated | ReadAndWritten | Rented) -> Bill:
    return Bill(
        usage=usage,
        discount=exact_decimal(billing.discount),
        minimum=exact_decimal(billing.minimum_per_month),
        others=billing.other_inferences,
    )


def _by_second(billing: Billing, measurements: Measurements | None) -> Tariff:
    """A bill by the seconds that inferences take, as they are stated or as they were measured."""

    def bill(role: str, seconds: Decimal) -> Bill:
        if billing.tiers:
            prices = ((tier.up_to, getattr(tier.prices, role)) for tier in billing.tiers)
            tiers = tuple((end, exact_decimal(price)) for end, price in prices)
        else:
            tiers = ((None, exact_decimal(getattr(billing.per_second, role))),)
        usage = Graduated(tiers=tiers, per_inference=seconds, unit="seconds")
        return _with_terms(billing, usage)

    stated = billing.seconds_per_inference
    if stated is not None:
        return Tariff(
            baseline=bill("baseline", exact_decimal(stated.baseline)),
            candidate=bill("candidate", exact_decimal(stated.candidate)),
            basis=QUOTED,
        )
    measured = _required(measurements, _SECONDS)
    before, after = (_rate(role, measured, _SECONDS) for role in ("baseline", "candidate"))
    slow, fast = _ends(before, after, measured.latency_ratio)

    def of(throughput: float | None) -> Bill | None:
        if throughput is None:
            return None
        return bill("candidate", six_digits(1 / exact_decimal(throughput)))

    return Tariff(
        baseline=bill("baseline", six_digits(1 / exact_decimal(before))),
        candidate=bill("candidate", six_digits(1 / exact_decimal(after))),
        low=of(fast),
        high=of(slow),
        basis=RENTED,
    )


def _ratio(measurements: Measurements | None) -> Estimate95:
    if measurements is None or measurements.cpu_ratio is None:
        raise MeasurementError(
            "the candidate's price is not known: quote it beside the baseline's under 'cost: "
            "billing:' (candidate: ..), or measure both models ('prunegate measure' does) and give "
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


_INSTANCES = "instances are counted from the measured throughput of both models"
_SECONDS = "the seconds of an inference are taken from the measured throughput of both models"


def _rented(billing: Billing, instance: Instance, measurements: Measurements | None) -> Tariff:
    measured = _required(measurements, _INSTANCES)
    before, after = (_served(role, instance, measured) for role in ("baseline", "candidate"))
    slow, fast = _ends(before, after, measured.latency_ratio)

    def bill(role: str, throughput: float) -> Bill:
        return _with_terms(billing, _machines(instance, role, throughput))

    return Tariff(
        baseline=bill("baseline", before),
        candidate=bill("candidate", after),
        low=None if fast is None else bill("candidate", fast),
        high=None if slow is None else bill("candidate", slow),
        basis=RENTED,
    )


def _machines(instance: Instance, role: str, throughput: float) -> Rented:
    held = instance.reservation(role)
    with localcontext(EXACT):
        reservation = None if held is None else _reservation(held)
    return Rented(
        per_hour=exact_decimal(instance.hourly(role)),
        capacity=monthly_capacity(throughput, instance.utilisation),
        minimum=instance.minimum,
        reservation=reservation,
    )


def _reservation(held: Reserved) -> Reservation:
    return Reservation(
        count=held.count,
        per_hour=exact_decimal(held.per_hour),
        advance=exact_decimal(held.upfront) / held.term_months,
    )


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


def _required(measurements: Measurements | None, what_for: str) -> Measurements:
    if measurements is None:
        raise MeasurementError(
            f"{what_for}: measure them ('prunegate measure' does) and give --measurements."
        )
    return measurements


def _rate(role: str, measurements: Measurements, what_for: str) -> float:
    """Measured inferences per second."""
    figures: ModelFigures = getattr(measurements, role)
    if not figures.throughput_per_s:
        raise MeasurementError(
            f"the {role}'s throughput is not in the measurements, and {what_for}; measure both "
            "models ('prunegate measure' does)."
        )
    return figures.throughput_per_s


def _served(role: str, instance: Instance, measurements: Measurements) -> float:
    """Inferences per second, of a model that is fast enough."""
    rate = _rate(role, measurements, _INSTANCES)
    limit = instance.max_latency_ms
    latency = getattr(measurements, role).latency_p95_ms
    if limit is not None and latency is None:
        raise MeasurementError(
            f"the {role}'s p95 latency is not in the measurements (it takes 20 calls), so it is "
            f"not known whether it stays within max_latency_ms ({as_written(limit)} ms); measure "
            "longer."
        )
    if limit is not None and latency > limit:
        raise MeasurementError(
            f"the {role} cannot be served this way: its p95 latency at batch {measurements.batch} "
            f"is {latency:g} ms and max_latency_ms allows {as_written(limit)}; measure at a "
            "smaller batch or on the instance itself, or allow more."
        )
    return rate
