"""The projection on a terminal: a table of months, and around it what the report says."""

from __future__ import annotations

from collections.abc import Sequence

from prunegate.cost.projection import Month, Projection
from prunegate.report.cost import CostWords
from prunegate.text import numbers
from prunegate.text.money import money

_COLUMNS = ("month", "inferences", "baseline", "candidate", "saving", "%", "saved so far")


def cost_lines(projection: Projection, *, brief: bool) -> list[str]:
    """The lines; ``brief``: the table alone, or the price where there are no months."""
    words = CostWords.of(projection)
    columns = tuple(projection.unit if name == "inferences" else name for name in _COLUMNS)
    table = _table(columns, [_row(m, projection.currency) for m in projection.months])
    if any(words.instances(month) for month in projection.months):
        shown = [(*_row(m, projection.currency), words.instances(m)) for m in projection.months]
        table = _table((*columns, "instances"), shown)
    opening = [words.prices, words.per_thousand]
    if brief:
        return [numbers.plain(line) for line in (table if projection.months else opening)]
    closing = [*words.payback, *projection.notes]
    parts = [
        opening,
        table if projection.months else [],
        _table([name.lower() for name in words.columns], words.beside) if words.beside else [],
        closing,
    ]
    text = "\n\n".join("\n".join(part) for part in parts if part)
    return [numbers.plain(line) for line in text.split("\n")]


def _row(month: Month, currency: str) -> tuple[str, ...]:
    amounts = (month.baseline, month.candidate, month.saving)
    return (
        "now" if month.month == 0 else str(month.month),
        numbers.count(month.volume),
        *(money(amount, currency, cents=True) for amount in amounts),
        month.saving_percent or "",
        money(month.cumulative, currency, cents=True),
    )


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (names, *rows)
    ]
