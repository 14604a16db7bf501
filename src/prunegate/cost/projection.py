"""Projection: what both models cost month by month, as plain values; money is exact.

Amounts are computed in Decimal from prices as they are written, and rounded to cents (half up) when
they become text, so a displayed saving can differ from the displayed costs by a cent. A price that
is scaled by a measured ratio is rounded to six digits first: what the record says is what was used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction

from prunegate.cost.measurement import Interval, Measurements
from prunegate.errors import MeasurementError
from prunegate.policy.model import Cost, Volumes

QUOTED = "quoted"
SCALED = "measured CPU-time ratio"

_CENT = Decimal("0.01")
_EXACT = Context(prec=100)
"""Wide enough that no product of a price and a volume is ever rounded."""


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month of the projection; amounts in the currency's units, two decimals, as text."""

    month: int
    """0 is now."""
    volume: int
    """Inferences in that month."""
    baseline: str
    candidate: str
    saving: str
    cumulative: str
    """Saving of months 1 to this one (month 0 is a reference, not billed)."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Cost of both models at the volumes to come."""

    currency: str
    price_baseline: str
    """Per inference, as quoted."""
    price_candidate: str
    """Per inference, as quoted or scaled."""
    price_candidate_low: str | None = None
    """Lower end of the scaled price's 95 % interval; None when quoted."""
    price_candidate_high: str | None = None
    basis: str
    """``quoted`` or ``measured CPU-time ratio``."""
    cost_per_1k_baseline: str
    cost_per_1k_candidate: str
    months: tuple[Month, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Prices:
    """Money per inference, exact; the interval only where the candidate's was scaled."""

    baseline: Decimal
    candidate: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


def project(cost: Cost, measurements: Measurements | None) -> Projection:
    """Project what both models cost, from now (month 0) to the target (the last month).

    Args:
        cost: The policy's ``cost`` section. Without the candidate's price, it is the baseline's
            times the measured CPU-time ratio.
        measurements: Both models, interleaved; None if the candidate's price is quoted.

    Raises:
        MeasurementError: the candidate's price is neither quoted nor measured.
    """
    with localcontext(_EXACT):
        prices = _prices(cost, measurements)
        return Projection(
            currency=cost.currency,
            price_baseline=_plain(prices.baseline),
            price_candidate=_plain(prices.candidate),
            price_candidate_low=None if prices.low is None else _plain(prices.low),
            price_candidate_high=None if prices.high is None else _plain(prices.high),
            basis=QUOTED if prices.low is None else SCALED,
            cost_per_1k_baseline=_at_least_cents(prices.baseline * 1000),
            cost_per_1k_candidate=_at_least_cents(prices.candidate * 1000),
            months=tuple(_months(prices, cost.volumes)) if cost.volumes else (),
        )


def volumes_by_month(volumes: Volumes) -> tuple[int, ...]:
    """Return the inferences of month 0 (now) to the last month (target), rounded half up.

    >>> volumes_by_month(Volumes(now=100, target=400, months=2))
    (100, 250, 400)
    >>> volumes_by_month(Volumes(now=100, target=400, months=2, growth="geometric"))
    (100, 200, 400)
    """
    month_numbers = range(1, volumes.months)
    between = _geometric if volumes.growth == "geometric" else _linear
    return (volumes.now, *(between(volumes, month) for month in month_numbers), volumes.target)


def _linear(volumes: Volumes, month: int) -> int:
    exact = volumes.now + Fraction((volumes.target - volumes.now) * month, volumes.months)
    return int(exact + Fraction(1, 2))


def _geometric(volumes: Volumes, month: int) -> int:
    with localcontext(_EXACT):
        growth = Decimal(volumes.target) / Decimal(volumes.now)
        exact = volumes.now * growth ** (Decimal(month) / volumes.months)
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _months(prices: _Prices, volumes: Volumes) -> Iterator[Month]:
    cumulative = Decimal(0)
    for month, volume in enumerate(volumes_by_month(volumes)):
        before, after = volume * prices.baseline, volume * prices.candidate
        # Month 0 shows today's volume for reference; it is nobody's bill.
        cumulative += before - after if month else Decimal(0)
        yield Month(
            month=month,
            volume=volume,
            baseline=_cents(before),
            candidate=_cents(after),
            saving=_cents(before - after),
            cumulative=_cents(cumulative),
        )


def _prices(cost: Cost, measurements: Measurements | None) -> _Prices:
    quoted = cost.billing.per_inference
    baseline = Decimal(str(quoted.baseline))
    if quoted.candidate is not None:
        return _Prices(baseline=baseline, candidate=Decimal(str(quoted.candidate)))
    ratio = _ratio(measurements)
    low, value, high = (_scaled(baseline, part) for part in (ratio.low, ratio.value, ratio.high))
    return _Prices(baseline=baseline, candidate=value, low=low, high=high)


def _ratio(measurements: Measurements | None) -> Interval:
    if measurements is None or measurements.cpu_ratio is None:
        raise MeasurementError(
            "the candidate's price is not known: quote it under 'cost: billing: per_inference: "
            "candidate:', or measure both models ('prunegate run' does) so that the baseline's "
            "price can be scaled by their CPU-time ratio."
        )
    return measurements.cpu_ratio


def _scaled(price: Decimal, ratio: float) -> Decimal:
    return Context(prec=6, rounding=ROUND_HALF_UP).plus(price * Decimal(str(ratio)))


def _cents(amount: Decimal) -> str:
    """Round to cents, half away from zero; never minus zero."""
    rounded = amount.quantize(_CENT, ROUND_HALF_UP)
    return str(rounded if rounded else abs(rounded))


def _plain(amount: Decimal) -> str:
    """Write an amount exactly, without an exponent or trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _at_least_cents(amount: Decimal) -> str:
    """Write an amount exactly, with two decimals or as many as it has."""
    whole, _, decimals = _plain(amount).partition(".")
    return f"{whole}.{decimals:0<2}"
