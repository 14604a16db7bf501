"""What it costs: both models' monthly cost as a picture, and the months that matter as a table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import altair as alt
from markupsafe import Markup

from prunegate.audit.record import DecisionRecord
from prunegate.cost.projection import Month, Projection
from prunegate.report import numbers, svg
from prunegate.report.headline import saving
from prunegate.report.inert import inert
from prunegate.report.palette import BASELINE, CANDIDATE, SAVED

_WIDTH, _HEIGHT = 366, 210
_NAME = 130
"""Width of a line's name and amount, about."""
_ROOM = 1.12
"""How far the axis goes beyond the highest amount."""


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


@dataclass(frozen=True, kw_only=True)
class CostView:
    """The cost section."""

    prices: str
    """One sentence about the price of one inference."""
    per_thousand: str
    chart: Markup | None
    """None without a projection over months."""
    short: tuple[MonthRow, ...]
    """Now and at the end."""
    months: tuple[MonthRow, ...]


def cost(record: DecisionRecord) -> CostView | None:
    """The cost section of a record; None where no cost was worked out."""
    projection = record.cost
    if projection is None:
        return None
    rows = tuple(_row(month, projection.currency) for month in projection.months)
    return CostView(
        prices=_prices(projection),
        per_thousand=_per_thousand(projection),
        chart=_chart(projection) if len(rows) > 1 else None,
        short=(rows[0], rows[-1]) if len(rows) > 1 else rows,
        months=rows,
    )


def _prices(projection: Projection) -> str:
    before = numbers.money(projection.price_baseline, projection.currency)
    after = numbers.money(projection.price_candidate, projection.currency)
    text = f"One inference costs {before} with the baseline and {after} with the candidate"
    low, high = projection.price_candidate_low, projection.price_candidate_high
    if low is not None and high is not None:
        ends = [numbers.money(end, projection.currency) for end in (low, high)]
        text += f" (95 % interval {ends[0]} to {ends[1]})"
    return f"{text}. Basis: {inert(projection.basis)}."


def _per_thousand(projection: Projection) -> str:
    before = numbers.money(projection.cost_per_1k_baseline, projection.currency)
    after = numbers.money(projection.cost_per_1k_candidate, projection.currency)
    change = saving(projection.cost_per_1k_baseline, projection.cost_per_1k_candidate)
    return f"1,000 inferences: {before} → {after}, {change}."


def _row(month: Month, currency: str) -> MonthRow:
    amounts = (month.baseline, month.candidate, month.saving, month.cumulative)
    before, after, saved, cumulative = (numbers.money(a, currency, cents=True) for a in amounts)
    return MonthRow(
        month="now" if month.month == 0 else f"month{numbers.GAP}{month.month}",
        volume=numbers.count(month.volume),
        before=before,
        after=after,
        saved=saved,
        part=saving(month.baseline, month.candidate),
        cumulative=cumulative,
    )


def _chart(projection: Projection) -> Markup:
    last = projection.months[-1]
    values = [
        {"month": m.month, "baseline": float(m.baseline), "candidate": float(m.candidate)}
        for m in projection.months
    ]
    top = max(max(v["baseline"], v["candidate"]) for v in values) or 1.0
    chart = alt.layer(*_layers(values), *_ends(projection)).encode(
        x=alt.X("month:Q", scale=_flat(last.month), axis=_months(last.month)),
        y=alt.Y("baseline:Q", scale=_flat(_ROOM * top), axis=_amounts(projection.currency)),
    )
    padding = {"left": 60, "right": 14, "top": 8, "bottom": 44}
    specification = svg.draw(chart, width=_WIDTH, height=_HEIGHT, padding=padding)
    ends = " to ".join(
        numbers.money(c, projection.currency) for c in (last.baseline, last.candidate)
    )
    return svg.render(
        specification,
        name="cost",
        title="Cost per month of both models",
        description=f"In month {last.month} the cost goes from {ends}. The table has the amounts.",
    )


def _flat(top: float) -> alt.Scale:
    return alt.Scale(domain=[0, top], nice=False)


def _months(last: int) -> alt.Axis:
    step = max(1, -(-last // 6))
    values = list(range(0, last + 1, step))
    return alt.Axis(values=values, title="month", grid=False, format="d")


def _amounts(currency: str) -> alt.Axis:
    return alt.Axis(title=f"{inert(currency)} a month", format=",~r", tickCount=5, gridOpacity=0.7)


def _layers(values: list[dict[str, Any]]) -> list[alt.Chart]:
    data = alt.Chart(alt.Data(values=values))
    return [
        data.mark_area(color=SAVED).encode(y="candidate:Q", y2="baseline:Q"),
        data.mark_line(color=BASELINE, strokeWidth=2.4, strokeDash=[6, 4]).encode(y="baseline:Q"),
        data.mark_line(color=CANDIDATE, strokeWidth=2.8).encode(y="candidate:Q"),
    ]


def _ends(projection: Projection) -> list[alt.Chart]:
    """The two lines named where they end; the dearer one above, the cheaper one below."""
    last = projection.months[-1]
    dearer = Decimal(last.baseline) >= Decimal(last.candidate)
    named = [
        (last.baseline, "baseline", BASELINE, dearer),
        (last.candidate, "candidate", CANDIDATE, not dearer),
    ]
    clear = _climb(projection)
    return [
        alt.Chart(alt.Data(values=[{"month": last.month, "baseline": float(amount)}])).mark_text(
            text=f"{name} {numbers.money(amount, projection.currency)}",
            align="right",
            baseline="bottom" if above else "top",
            dx=-2,
            dy=-8 + min(clear, 0) if above else 8 + max(clear, 0),
            fontSize=12.5,
            fontWeight="bold",
            color=colour,
        )
        for amount, name, colour, above in named
    ]


def _climb(projection: Projection) -> float:
    """Pixels that a line climbs over the width of its name, which has to keep clear of it."""
    months = projection.months
    start = months[int((len(months) - 1) * (1 - _NAME / _WIDTH))]
    top = max(float(amount) for m in months for amount in (m.baseline, m.candidate)) or 1.0
    climbs = [
        float(end) - float(begin)
        for begin, end in (
            (start.baseline, months[-1].baseline),
            (start.candidate, months[-1].candidate),
        )
    ]
    return min(climbs, key=abs) / (_ROOM * top) * _HEIGHT
