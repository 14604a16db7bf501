"""What it costs: both models' monthly cost as a picture, and the months that matter as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from prunegate.audit.record import DecisionRecord
from prunegate.cost.projection import Month, Projection
from prunegate.report.cost_chart import cost_chart
from prunegate.report.headline import saving
from prunegate.report.svg import Chart
from prunegate.text import numbers
from prunegate.text.escape import visible
from prunegate.text.money import money

SCENARIO_COLUMNS = (
    "Volumes",
    "Inferences in the last month",
    "Baseline",
    "Candidate",
    "Saving",
    "Saved by the end",
    "Paid back",
)


def prices(projection: Projection) -> str:
    """How inference is paid for, and what one inference costs where there is one price."""
    text = {
        "tiers": "Inference is billed in volume tiers",
        "instance": "Inference is billed by whole instances",
    }.get(projection.billing) or _single_price(projection)
    return f"{text}{_terms(projection)}. Basis: {visible(projection.basis)}."


def _single_price(projection: Projection) -> str:
    if projection.price_baseline is None or projection.unit == "tokens":
        by = {"per_1k_tokens": "tokens", "per_second": "seconds of computing"}
        return f"Inference is billed by {by.get(projection.billing, 'the number of inferences')}"
    before = money(projection.price_baseline, projection.currency)
    after = money(projection.price_candidate, projection.currency)
    text = f"One inference costs {before} with the baseline and {after} with the candidate"
    low, high = projection.price_candidate_low, projection.price_candidate_high
    if low is not None and high is not None:
        ends = [money(end, projection.currency) for end in (low, high)]
        text += f" (95 % interval {ends[0]} to {ends[1]})"
    return text


def _terms(projection: Projection) -> str:
    """The terms of the whole bill, as a clause; empty where there are none."""
    found = ""
    if projection.discount is not None:
        found += f", after a discount of {numbers.share(float(projection.discount))}"
    if projection.minimum_per_month is not None:
        found += f", at least {money(projection.minimum_per_month, projection.currency)} a month"
    if projection.other_inferences is not None:
        found += f", on top of {numbers.count(projection.other_inferences)} of other models"
    return found


def per_thousand(projection: Projection) -> str:
    """What 1,000 inferences (or tokens) cost, before and after."""
    before = money(projection.cost_per_1k_baseline, projection.currency)
    after = money(projection.cost_per_1k_candidate, projection.currency)
    change = saving(projection.cost_per_1k_baseline, projection.cost_per_1k_candidate)
    when = " in the last month" if projection.price_baseline is None else ""
    return f"1,000 {visible(projection.unit)}{when}: {before} → {after}, {change}."


def payback(projection: Projection) -> tuple[str, ...]:
    """Sentences on the one-off cost and the range of the saving; none where there is neither."""
    if not projection.months:
        return ()
    sentences = []
    if Decimal(projection.one_off):
        price = money(projection.one_off, projection.currency)
        sentences.append(f"The compression work costs {price} once; {_paid(projection)}.")
    if projection.saving_low is not None:
        total, low, high = (
            money(amount, projection.currency)
            for amount in (
                projection.months[-1].cumulative,
                projection.saving_low,
                projection.saving_high,
            )
        )
        sentences.append(
            f"By the end {total} is saved, in the range of {low} to {high}: {_why(projection)}."
        )
    return tuple(sentences)


def _paid(projection: Projection) -> str:
    month = projection.break_even
    text = f"the saving has paid for it in month {month}"
    if month is None:
        text = f"the saving does not pay for it within {projection.months[-1].month} months"
    if projection.months[-1].cumulative_low is None:
        return text
    early, late = (
        _month(month, projection.months)
        for month in (projection.break_even_early, projection.break_even_late)
    )
    return (
        f"{text} (95 % interval of the measurement: {early} to {late})" if early != late else text
    )


def _month(month: int | None, months: Sequence[Month]) -> str:
    return f"not within {months[-1].month} months" if month is None else f"in month {month}"


def _why(projection: Projection) -> str:
    """What the range comes from."""
    reasons = []
    if projection.months[-1].cumulative_low is not None:
        reasons.append("the 95 % interval of what was measured")
    if projection.scenarios:
        names = " and ".join(scenario.name for scenario in projection.scenarios)
        reasons.append(f"the {names} volumes")
    return " with ".join(reasons)


def beside(projection: Projection) -> tuple[tuple[str, ...], ...]:
    """A row for every course of volumes, from low to high; none where there are no scenarios."""
    if not projection.scenarios:
        return ()
    courses = {
        scenario.name: (scenario.months, scenario.break_even) for scenario in projection.scenarios
    }
    courses["expected"] = (projection.months, projection.break_even)
    return tuple(
        _course(name, *courses[name], projection.currency)
        for name in ("low", "expected", "high")
        if name in courses
    )


def _course(
    name: str, months: Sequence[Month], break_even: int | None, currency: str
) -> tuple[str, ...]:
    last = months[-1]
    amounts = (last.baseline, last.candidate, last.saving, last.cumulative)
    return (
        name,
        numbers.count(last.volume),
        *(money(amount, currency, cents=True) for amount in amounts),
        _month(break_even, months),
    )


def instances(month: Month) -> str:
    """Whole instances before and after; empty where they are not what is paid for."""
    if month.baseline_instances is None or month.candidate_instances is None:
        return ""
    before, after = month.baseline_instances, month.candidate_instances
    return f"{numbers.count(before)} → {numbers.count(after)}"


@dataclass(frozen=True, kw_only=True)
class MonthRow:
    """One month, every cell as text."""

    month: str
    volume: str
    before: str
    after: str
    saved: str
    part: str
    """The saving as a share."""
    cumulative: str
    instances: str
    """Whole instances before and after; empty where they are not what is paid for."""


@dataclass(frozen=True, kw_only=True)
class CostView:
    """The cost section."""

    prices: str
    """One sentence about the price of one inference."""
    per_thousand: str
    chart: Chart | None
    """None without a projection over months."""
    short: tuple[MonthRow, ...]
    """Now and at the end."""
    months: tuple[MonthRow, ...]
    payback: tuple[str, ...]
    """Sentences on the one-off cost, the break-even and the range; empty where there are none."""
    notes: tuple[str, ...]
    scenarios: tuple[tuple[str, ...], ...]
    """One row a course of volumes: its name, then the other columns."""
    scenario_columns: tuple[str, ...] = SCENARIO_COLUMNS


def cost(record: DecisionRecord) -> CostView | None:
    """The cost section of a record; None where no cost was worked out."""
    projection = record.cost
    if projection is None:
        return None
    rows = tuple(_row(month, projection.currency) for month in projection.months)
    return CostView(
        prices=prices(projection),
        per_thousand=per_thousand(projection),
        chart=cost_chart(projection) if len(rows) > 1 else None,
        short=(rows[0], rows[-1]) if len(rows) > 1 else rows,
        months=rows,
        payback=payback(projection),
        notes=tuple(visible(note) for note in projection.notes),
        scenarios=beside(projection),
    )


def _row(month: Month, currency: str) -> MonthRow:
    amounts = (month.baseline, month.candidate, month.saving, month.cumulative)
    before, after, saved, cumulative = (money(a, currency, cents=True) for a in amounts)
    return MonthRow(
        month="now" if month.month == 0 else f"month{numbers.GAP}{month.month}",
        volume=numbers.count(month.volume),
        before=before,
        after=after,
        saved=saved,
        part=saving(month.baseline, month.candidate),
        cumulative=cumulative,
        instances=instances(month),
    )
