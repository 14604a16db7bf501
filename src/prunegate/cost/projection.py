"""Projection: what both models cost month by month, as plain values; money is exact.

Amounts are computed in Decimal from prices as they are written, and rounded to cents (half up) when
they become text, so a displayed saving can differ from the displayed costs by a cent. A price that
is scaled by a measured ratio is rounded to six digits first: what the record says is what was used.

The saving is net: it starts at minus the one-off cost of the compression work, and breaks even in
the first month in which it has paid for it. Two things make a range around it: the interval of what
was measured, and the policy's low and high volumes. Rules look at the expected volumes alone, with
the interval; a scenario is for planning and proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from prunegate.cost.amounts import (
    EXACT,
    amount_text,
    at_least_cents,
    cents,
    exact_decimal,
    six_digits,
)
from prunegate.cost.bills import HOURS, Bill, Graduated, Rented
from prunegate.cost.measurement import Measurements
from prunegate.cost.tariff import Tariff, steady_enough, tariff
from prunegate.cost.volumes import Course, course, scenarios
from prunegate.policy.cost import Cost


def notes(bills: Tariff, volumes: Course, measurements: Measurements | None) -> tuple[str, ...]:
    """The sentences, the most important first; empty where the amounts explain themselves."""
    return tuple(_notes(bills, volumes, measurements))


def _notes(bills: Tariff, volumes: Course, measurements: Measurements | None) -> Iterator[str]:
    if not steady_enough(bills.basis, measurements):
        yield (
            "The machine was too busy while it measured: these amounts are no evidence, measure "
            "again on a quiet one."
        )
    if isinstance(bills.baseline, Rented) and isinstance(bills.candidate, Rented):
        yield (
            "Instances are whole, so a saving comes in steps. Their number follows the month's "
            f"average load ({HOURS} hours); what is not utilised is left for peaks."
        )
        for volume in dict.fromkeys(volume for _, volume in (volumes[0], volumes[-1])):
            yield _step(bills.baseline, bills.candidate, volume)
    if isinstance(bills.baseline, Graduated) and len(bills.baseline.tiers) > 1:
        yield "Tiers are graduated: each price is for the part of a month's volume in its tier."


def _step(baseline: Rented, candidate: Rented, volume: int) -> str:
    """Why there is a saving at a volume, or none."""
    before, after = baseline.instances(volume), candidate.instances(volume)
    at = f"At {volume:,} inferences a month"
    if before != after:
        return f"{at} the baseline takes {_counted(before)} and the candidate {after:,}."
    if before == 0:
        return f"{at} nothing runs, so there is nothing to save."
    least = ", the least that runs," if before == baseline.minimum > 1 else ""
    carry = "carries" if before == 1 else "carry"
    both = "both models" if before == 1 else "either model"
    return f"{at} {_counted(before)}{least} {carry} {both}, so there is nothing to save."


def _counted(instances: int) -> str:
    return "one instance" if instances == 1 else f"{instances:,} instances"


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
    """Saving of months 1 to this one, less the one-off cost (month 0 is nobody's bill)."""
    saving_percent: str | None = None
    """Of the baseline's cost, two decimals; None: that is zero, or an older record."""
    candidate_low: str | None = None
    """The candidate at the cheap end of what was measured; None: nothing was."""
    candidate_high: str | None = None
    cumulative_low: str | None = None
    """The cumulative saving at the dear end of what was measured: the smallest."""
    cumulative_high: str | None = None
    baseline_instances: int | None = None
    """Whole instances that the volume takes; None: they are not what is paid for."""
    candidate_instances: int | None = None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The same bills at other volumes."""

    name: str
    """``low`` or ``high``."""
    months: tuple[Month, ...]
    break_even: int | None
    """As in the projection."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Cost of both models at the volumes to come."""

    currency: str
    price_baseline: str | None
    """Per inference, as quoted; None: tiers or instances, which have no single price."""
    price_candidate: str | None
    """Per inference, as quoted or scaled."""
    price_candidate_low: str | None = None
    """Lower end of the scaled price's 95 % interval; None when quoted."""
    price_candidate_high: str | None = None
    basis: str
    """``quoted``, ``measured CPU-time ratio`` or ``measured throughput``."""
    cost_per_1k_baseline: str | None
    """Of 1,000 inferences; with tiers and instances in the last month, None if that has none."""
    cost_per_1k_candidate: str | None
    cost_per_1k_candidate_low: str | None = None
    """The same at the cheap end of what was measured; None: nothing was, or an older record."""
    cost_per_1k_candidate_high: str | None = None
    months: tuple[Month, ...] = ()
    one_off: str = "0.00"
    """What the compression work costs once."""
    break_even: int | None = None
    """First month in which the saving has paid the one-off cost; None: not within these months."""
    break_even_early: int | None = None
    """The same at the cheap end of what was measured."""
    break_even_late: int | None = None
    saving_low: str | None = None
    """Smallest cumulative saving at the end, over the interval and the scenarios together; None:
    there are neither."""
    saving_high: str | None = None
    scenarios: tuple[Scenario, ...] = ()
    billing: str = "per_inference"
    """How inference is paid for: ``per_inference``, ``tiers`` or ``instance``."""
    notes: tuple[str, ...] = ()
    """What a reader has to know about these amounts, in sentences."""


@dataclass(frozen=True, kw_only=True)
class _Ledger:
    """One month with its exact amounts."""

    shown: Month
    totals: tuple[Decimal, ...]
    """Net cumulative saving: as estimated and, where there is an interval, at its dear and its
    cheap end."""
    paid: tuple[bool, ...]
    """Whether each of these has paid the one-off cost, and something was saved at all."""


def project(cost: Cost, measurements: Measurements | None) -> Projection:
    """Project what both models cost, from now (month 0) to the last month.

    Args:
        cost: The policy's ``cost`` section. Without the candidate's price, it is the baseline's
            times the measured CPU-time ratio.
        measurements: Both models, interleaved; None if the candidate's price is quoted.

    Raises:
        MeasurementError: the cost leans on something that was not measured, or a model is too slow
            to be served the way the policy says.
    """
    with localcontext(EXACT):
        bills = tariff(cost, measurements)
        one_off = exact_decimal(cost.one_off)
        expected = course(cost.volumes) if cost.volumes else ()
        ledger = list(_ledger(bills, expected, one_off))
        beside = {
            name: list(_ledger(bills, volumes, one_off))
            for name, volumes in (scenarios(cost.volumes) if cost.volumes else ())
        }
        early, late = (_break_even(ledger, place) for place in (2, 1))
        low, high = _range([ledger, *beside.values()])
        return Projection(
            currency=cost.currency,
            **_prices(bills),
            basis=bills.basis,
            cost_per_1k_baseline=_per_1k(bills.baseline, expected),
            cost_per_1k_candidate=_per_1k(bills.candidate, expected),
            cost_per_1k_candidate_low=_per_1k(bills.low, expected),
            cost_per_1k_candidate_high=_per_1k(bills.high, expected),
            months=tuple(row.shown for row in ledger),
            one_off=cents(one_off),
            break_even=_break_even(ledger, 0),
            break_even_early=early,
            break_even_late=late,
            saving_low=low,
            saving_high=high,
            scenarios=tuple(_scenario(name, rows) for name, rows in beside.items()),
            billing=next(way for way in _WAYS if getattr(cost.billing, way) is not None),
            notes=notes(bills, expected, measurements),
        )


_WAYS = ("per_inference", "tiers", "instance")


def _scenario(name: str, rows: Sequence[_Ledger]) -> Scenario:
    months = tuple(row.shown for row in rows)
    return Scenario(name=name, months=months, break_even=_break_even(rows, 0))


def _ledger(bills: Tariff, volumes: Course, one_off: Decimal) -> Iterator[_Ledger]:
    candidates = [bill for bill in (bills.candidate, bills.high, bills.low) if bill is not None]
    saved = [Decimal(0)] * len(candidates)
    for month, volume in volumes:
        before = bills.baseline.cost(volume)
        after = [bill.cost(volume) for bill in candidates]
        if month:  # month 0 shows today's volume for reference; it is nobody's bill
            saved = [total + before - cost for total, cost in zip(saved, after, strict=True)]
        totals = tuple(total - one_off for total in saved)
        yield _Ledger(
            shown=_month((month, volume), bills, (before, *after), totals),
            totals=totals,
            paid=tuple(total >= one_off and total > 0 for total in saved),
        )


def _month(
    at: tuple[int, int], bills: Tariff, costs: Sequence[Decimal], totals: Sequence[Decimal]
) -> Month:
    before, after, *ends = costs
    month, volume = at
    spread = {} if not ends else {
        "candidate_low": cents(ends[1]),
        "candidate_high": cents(ends[0]),
        "cumulative_low": cents(totals[1]),
        "cumulative_high": cents(totals[2]),
    }  # fmt: skip
    return Month(
        month=month,
        volume=volume,
        baseline=cents(before),
        candidate=cents(after),
        saving=cents(before - after),
        cumulative=cents(totals[0]),
        saving_percent=cents(100 * (before - after) / before) if before else None,
        baseline_instances=bills.baseline.instances(volume),
        candidate_instances=bills.candidate.instances(volume),
        **spread,
    )


def _break_even(ledger: Sequence[_Ledger], place: int) -> int | None:
    """The first month in which a total has paid the one-off cost; None: no month, or no total."""
    rows = (row for row in ledger if place < len(row.paid) and row.paid[place])
    return next((row.shown.month for row in rows), None)


def _range(ledgers: Sequence[Sequence[_Ledger]]) -> tuple[str | None, str | None]:
    ends = [total for ledger in ledgers if ledger for total in ledger[-1].totals]
    return (cents(min(ends)), cents(max(ends))) if len(ends) > 1 else (None, None)


def _prices(bills: Tariff) -> dict[str, str | None]:
    """The single prices, where each bill has one."""
    parts = {"baseline": bills.baseline, "candidate": bills.candidate,
             "candidate_low": bills.low, "candidate_high": bills.high}  # fmt: skip
    return {
        f"price_{name}": amount_text(bill.tiers[0][1])
        if isinstance(bill, Graduated) and len(bill.tiers) == 1
        else None
        for name, bill in parts.items()
    }


def _per_1k(bill: Bill | None, volumes: Course) -> str | None:
    """What 1,000 inferences cost: by their price, or in the last month where there is no single."""
    if bill is None:
        return None
    if isinstance(bill, Graduated) and len(bill.tiers) == 1:
        return at_least_cents(1000 * bill.tiers[0][1])
    volume = volumes[-1][1]
    return at_least_cents(six_digits(1000 * bill.cost(volume) / volume)) if volume else None
