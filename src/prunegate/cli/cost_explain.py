"""``prunegate cost --explain``: the bill of one month, line by line, for both models."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from prunegate.cost.amounts import EXACT, amount_text, in_currency
from prunegate.cost.bills import HOURS, Bill, BillLine
from prunegate.cost.measurement import Measurements
from prunegate.cost.tariff import tariff
from prunegate.cost.volumes import course
from prunegate.errors import InputError
from prunegate.policy.cost import Cost
from prunegate.text import numbers
from prunegate.text.money import money

_CALENDAR = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
ROLES = ("baseline", "candidate")


def month_number(asked: str, today: date) -> int:
    """Number of a month of the projection, given so or as a calendar month (2027-03).

    The present month is month 0, as in the table.

    Raises:
        InputError: it is neither.
    """
    found = _CALENDAR.fullmatch(asked)
    if found is not None:
        return (int(found[1]) - today.year) * 12 + int(found[2]) - today.month
    if asked.isascii() and asked.isdigit() and len(asked) <= 3:
        return int(asked)
    raise InputError(f"--explain takes a month such as 2027-03, or its number such as 4: {asked!r}")


def month_bill(
    cost: Cost, measurements: Measurements | None, month: int, today: date | None = None
) -> dict[str, Any]:
    """The bill of a month as plain values; amounts are exact text.

    Args:
        cost: the policy's section.
        measurements: what it leans on, if on anything.
        month: its number.
        today: in month 0; a month that is not there is then told by the calendar, too.

    Raises:
        InputError: the projection has no such month.
        MeasurementError: the cost leans on something that was not measured.
    """
    volumes = dict(course(cost.volumes)) if cost.volumes else {}
    if not volumes:
        raise InputError("--explain shows a month, and this policy's 'cost' has no volumes")
    if month not in volumes:
        first, last, asked = (_named(n, today) for n in (min(volumes), max(volumes), month))
        raise InputError(f"the projection has months {first} to {last}, and no month {asked}")
    with localcontext(EXACT):
        bills, volume = tariff(cost, measurements), volumes[month]
        return {
            "month": month,
            "volume": volume,
            "currency": cost.currency,
            **{role: _bill(getattr(bills, role), volume) for role in ROLES},
        }


def _named(month: int, today: date | None) -> str:
    """A month's number, and the calendar's name for it."""
    if today is None:
        return str(month)
    year, place = divmod(today.year * 12 + today.month - 1 + month, 12)
    return f"{month} ({year:04}-{place + 1:02})"


def _bill(bill: Bill, volume: int) -> dict[str, Any]:
    lines = [
        {
            "kind": line.kind,
            "quantity": _whole(line.quantity),
            "price": amount_text(line.price),
            "up_to": line.up_to,
            "amount": amount_text(line.amount),
            "words": _words(line),
        }
        for line in bill.lines(volume)
    ]
    return {"lines": lines, "total": amount_text(bill.cost(volume))}


def _whole(quantity: int | Decimal) -> int | float:
    """A quantity as a plain number."""
    return int(quantity) if quantity == int(quantity) else float(quantity)


def _words(line: BillLine) -> str:
    quantity, price = _whole(line.quantity), amount_text(line.price)
    whole = isinstance(quantity, int)
    count = numbers.count(quantity) if whole else amount_text(Decimal(line.quantity))
    hourly = amount_text(line.price / HOURS)
    end = "" if line.up_to is None else f" (up to {numbers.count(line.up_to)} a month)"
    return {
        "tier": f"{count} {line.unit} x {price}{end}".replace("  ", " "),
        "input": f"{count} tokens read x {price}",
        "output": f"{count} tokens written x {price}",
        "on_demand": f"{count} on demand x {HOURS} hours x {hourly}",
        "reserved": f"{count} reserved x {HOURS} hours x {hourly}",
        "upfront": "a month's part of what was paid in advance",
        "discount": f"discount of {numbers.share(float(line.price))}",
        "minimum": f"to the least amount of {price}"
        if line.amount > 0
        else f"what others pay anyway, for the least amount of {price}",
    }[line.kind]


def bill_lines(found: dict[str, Any]) -> list[str]:
    """The same for a terminal."""
    currency = found["currency"]
    shown = [f"Month {found['month']}: {numbers.count(found['volume'])} a month"]
    for role in ROLES:
        rows = [(line["words"], line["amount"]) for line in found[role]["lines"]]
        rows.append((f"{role} in total", found[role]["total"]))
        texts = [(words, _money(amount, currency)) for words, amount in rows]
        widths = [max(len(text[place]) for text in texts) for place in (0, 1)]
        shown += ["", role, *(f"  {a:<{widths[0]}}  {b:>{widths[1]}}" for a, b in texts)]
    saved = Decimal(found["baseline"]["total"]) - Decimal(found["candidate"]["total"])
    shown += ["", f"saving  {_money(amount_text(saved), currency)}{_exactly(found, currency)}"]
    return [numbers.plain(line) for line in shown]


def _exactly(found: dict[str, Any], currency: str) -> str:
    """Both totals in full, where rounded they do not give the saving as it is rounded."""
    totals = [Decimal(found[role]["total"]) for role in ROLES]
    before, after = (Decimal(in_currency(total, currency)) for total in totals)
    if before - after == Decimal(in_currency(totals[0] - totals[1], currency)):
        return ""
    return f" (before rounding: {amount_text(totals[0])} - {amount_text(totals[1])})"


def _money(amount: str, currency: str) -> str:
    return money(in_currency(Decimal(amount), currency), currency, cents=True)
