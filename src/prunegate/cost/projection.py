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
    exact_decimal,
    exact_in_currency,
    half_up,
    in_currency,
    settled,
    worked_out,
)
from prunegate.cost.bills import HOURS, Bill, Graduated, Rented
from prunegate.cost.measurement import Measurements
from prunegate.cost.tariff import Tariff, steady_enough, tariff
from prunegate.cost.volumes import Course, course, scenarios
from prunegate.policy.billing import Billing
from prunegate.policy.cost import Cost
from prunegate.text.said import said


def notes(bills: Tariff, volumes: Course, measurements: Measurements | None) -> tuple[str, ...]:
    """The sentences, the most important first; empty where the amounts explain themselves."""
    return tuple(_notes(bills, volumes, measurements))


def _notes(bills: Tariff, volumes: Course, measurements: Measurements | None) -> Iterator[str]:
    if not steady_enough(bills.basis, measurements):
        yield said("cost.busy")
    before, after = bills.baseline.usage, bills.candidate.usage
    if isinstance(before, Rented) and isinstance(after, Rented):
        yield said("cost.whole", hours=HOURS)
        if before.reservation or after.reservation:
            yield said("cost.reserved")
        for volume in dict.fromkeys(volume for _, volume in (volumes[0], volumes[-1])):
            yield _step(bills, before, after, volume)
    if isinstance(before, Graduated) and len(before.tiers) > 1:
        yield said("cost.tiers")


def _step(bills: Tariff, baseline: Rented, candidate: Rented, volume: int) -> str:
    """Why there is a saving at a volume, or none."""
    before, after = baseline.instances(volume), candidate.instances(volume)
    same = bills.baseline.cost(volume) == bills.candidate.cost(volume)
    count = said("cost.instances", n=before)
    if before != after:
        key = "cost.takes_same" if same else "cost.takes"
        return said(key, volume=volume, before=count, after=after)
    if before == 0 and same:
        return said("cost.nothing", volume=volume)
    many = "least" if before == baseline.minimum > 1 else "one" if before == 1 else "some"
    return said(f"cost.{many}_{'same' if same else 'otherwise'}", volume=volume, count=count)


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month of the projection; amounts as text, with the currency's decimals."""

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
    """How inference is paid for: ``per_inference``, ``tiers``, ``per_1k_tokens``, ``per_second`` or
    ``instance``."""
    unit: str = "inferences"
    """What volumes count: ``inferences`` or ``tokens``."""
    discount: str | None = None
    """Share that is taken off every amount; None: nothing is, or an older record."""
    minimum_per_month: str | None = None
    """Least amount of a month; None: there is none, or an older record."""
    other_inferences: int | None = None
    """What other models bring onto the same bill each month; None: nothing, or an older record."""
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
        bills, least = tariff(cost, measurements), exact_decimal(cost.billing.minimum_per_month)
        expected = course(cost.volumes) if cost.volumes else ()
        ledger = list(_ledger(bills, expected, cost))
        beside = {
            name: list(_ledger(bills, volumes, cost))
            for name, volumes in (scenarios(cost.volumes) if cost.volumes else ())
        }
        early, late = (_break_even(ledger, place) for place in (2, 1))
        low, high = _range([ledger, *beside.values()], cost.currency)
        return Projection(
            currency=cost.currency,
            **_prices(bills),
            basis=bills.basis,
            cost_per_1k_baseline=_per_1k(bills.baseline, expected, cost.currency),
            cost_per_1k_candidate=_per_1k(bills.candidate, expected, cost.currency),
            cost_per_1k_candidate_low=_per_1k(bills.low, expected, cost.currency),
            cost_per_1k_candidate_high=_per_1k(bills.high, expected, cost.currency),
            months=tuple(row.shown for row in ledger),
            one_off=in_currency(exact_decimal(cost.one_off), cost.currency),
            break_even=_break_even(ledger, 0),
            break_even_early=early,
            break_even_late=late,
            saving_low=low,
            saving_high=high,
            scenarios=tuple(_scenario(name, rows) for name, rows in beside.items()),
            billing=cost.billing.unit,
            unit=_unit(cost.billing),
            discount=_stated(cost.billing.discount),
            minimum_per_month=in_currency(least, cost.currency) if least else None,
            other_inferences=cost.billing.other_inferences or None,
            notes=notes(bills, expected, measurements),
        )


def _stated(number: float) -> str | None:
    return amount_text(exact_decimal(number)) if number else None


def _unit(billing: Billing) -> str:
    tokens = billing.priced_by == "per_1k_tokens" and billing.tokens_per_inference is None
    return "tokens" if tokens else "inferences"


def _scenario(name: str, rows: Sequence[_Ledger]) -> Scenario:
    months = tuple(row.shown for row in rows)
    return Scenario(name=name, months=months, break_even=_break_even(rows, 0))


def _ledger(bills: Tariff, volumes: Course, cost: Cost) -> Iterator[_Ledger]:
    one_off = exact_decimal(cost.one_off)
    candidates = [bill for bill in (bills.candidate, bills.high, bills.low) if bill is not None]
    saved = [Decimal(0)] * len(candidates)
    for month, volume in volumes:
        before = bills.baseline.cost(volume)
        after = [bill.cost(volume) for bill in candidates]
        if month:  # month 0 shows today's volume for reference; it is nobody's bill
            saved = [total + before - one for total, one in zip(saved, after, strict=True)]
        totals = tuple(total - one_off for total in saved)
        yield _Ledger(
            shown=_month((month, volume), bills, (before, *after), totals, cost.currency),
            totals=totals,
            paid=tuple(total >= one_off and total > 0 for total in map(settled, saved)),
        )


def _month(
    at: tuple[int, int],
    bills: Tariff,
    costs: Sequence[Decimal],
    totals: Sequence[Decimal],
    currency: str,
) -> Month:
    before, after, *ends = (in_currency(amount, currency) for amount in costs)
    total, *total_ends = (in_currency(amount, currency) for amount in totals)
    month, volume = at
    spread = {} if not ends else {
        "candidate_low": ends[1],
        "candidate_high": ends[0],
        "cumulative_low": total_ends[0],
        "cumulative_high": total_ends[1],
    }  # fmt: skip
    saved = costs[0] - costs[1]
    return Month(
        month=month,
        volume=volume,
        baseline=before,
        candidate=after,
        saving=in_currency(saved, currency),
        cumulative=total,
        saving_percent=half_up(100 * saved / costs[0], 2) if costs[0] else None,
        baseline_instances=bills.baseline.instances(volume),
        candidate_instances=bills.candidate.instances(volume),
        **spread,
    )


def _break_even(ledger: Sequence[_Ledger], place: int) -> int | None:
    """The first month in which a total has paid the one-off cost; None: no month, or no total."""
    rows = (row for row in ledger if place < len(row.paid) and row.paid[place])
    return next((row.shown.month for row in rows), None)


def _range(ledgers: Sequence[Sequence[_Ledger]], currency: str) -> tuple[str | None, str | None]:
    ends = [total for ledger in ledgers if ledger for total in ledger[-1].totals]
    if len(ends) < 2:
        return None, None
    return in_currency(min(ends), currency), in_currency(max(ends), currency)


def _prices(bills: Tariff) -> dict[str, str | None]:
    """The single prices, where each bill has one."""
    parts = {"baseline": bills.baseline, "candidate": bills.candidate,
             "candidate_low": bills.low, "candidate_high": bills.high}  # fmt: skip
    return {f"price_{name}": _single_price(bill) for name, bill in parts.items()}


def _single_price(bill: Bill | None) -> str | None:
    price = None if bill is None else bill.single_price
    return None if price is None else amount_text(price)


def _per_1k(bill: Bill | None, volumes: Course, currency: str) -> str | None:
    """What 1,000 units cost: by their price, or in the last month where there is no single."""
    if bill is None:
        return None
    if bill.single_price is not None:
        return exact_in_currency(1000 * bill.single_price, currency)
    volume = volumes[-1][1]
    if not volume:
        return None
    return exact_in_currency(worked_out(1000 * bill.cost(volume) / volume, currency), currency)
