"""What it costs: both models' monthly cost as a picture, and the months that matter as a table."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from prunegate.audit.record import DecisionRecord
from prunegate.cost.projection import Month
from prunegate.report.cost_chart import cost_chart
from prunegate.report.cost_words import (
    SCENARIO_COLUMNS,
    beside,
    instances,
    payback,
    per_thousand,
    prices,
)
from prunegate.report.headline import saving
from prunegate.text import numbers
from prunegate.text.escape import visible
from prunegate.text.money import money


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
    chart: Markup | None
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
