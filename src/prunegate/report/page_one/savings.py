"""What it saves, in whole units of the currency, worded by whether it comes true.

Both costs are rounded and the saving is their difference, so that the three agree on the page; the
cost section has them to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from prunegate.audit.record import DecisionRecord
from prunegate.cost.tariff import steady_enough
from prunegate.report.page_one.agreed_words import AgreedWords
from prunegate.text import numbers

_WHOLE_FROM = 10
"""Amounts from here on are told in whole units, smaller ones to the hundredth."""


@dataclass(frozen=True, kw_only=True)
class SavingsView:
    """The paragraph on money."""

    title: str
    text: str
    not_realised: str
    """That it does not come true; empty under an approval."""
    unsure: str
    """That the measurement is no evidence; empty where it is."""


def savings(record: DecisionRecord, agreement: AgreedWords) -> SavingsView:
    """What the candidate saves, or would save."""
    speech = agreement.people.speech
    text = _money(record, agreement) or _size(agreement)
    held_back = record.outcome != "approve" and bool(text)
    cost = record.cost
    disturbed = cost is not None and not steady_enough(cost.basis, record.measurements)
    return SavingsView(
        title=speech.say(f"savings.title_{record.outcome}"),
        text=text or speech.say("savings.nothing"),
        not_realised=speech.say(f"savings.not_realised_{record.outcome}") if held_back else "",
        unsure=speech.say("savings.unsure") if disturbed else "",
    )


def _money(record: DecisionRecord, agreement: AgreedWords) -> str:
    """The last month of the projection, else the price of a thousand; empty: no money is known."""
    cost, speech = record.cost, agreement.people.speech
    if cost is None:
        return ""
    items = agreement.people.items.said
    if cost.months:
        last = cost.months[-1]
        parts = {"volume": speech.number(numbers.count(last.volume)), "items": items}
        return _told("month", (last.baseline, last.candidate), cost.currency, parts, agreement)
    pair = (cost.cost_per_1k_baseline, cost.cost_per_1k_candidate)
    return _told("thousand", pair, cost.currency, {"items": items}, agreement)


def _told(
    key: str,
    amounts: tuple[str | None, str | None],
    currency: str,
    parts: dict[str, str],
    agreement: AgreedWords,
) -> str:
    speech, whole = agreement.people.speech, whole_amounts(amounts)
    exact = tuple(map(_amount, amounts))
    if whole is None or exact[0] is None or exact[1] is None:
        return ""
    before, after = whole

    def money(amount: Decimal) -> str:
        return speech.money(f"{amount:,f}", currency)

    told = {"before": money(before), "after": money(after), **parts}
    if before == after:
        return speech.say(f"savings.{key}_same", **told)
    if after > before:
        return speech.say(f"savings.{key}_more", more=money(after - before), **told)
    share = speech.number(numbers.share(float((exact[0] - exact[1]) / exact[0])))
    return speech.say(f"savings.{key}", saved=money(before - after), share=share, **told)


def whole_amounts(amounts: tuple[str | None, str | None]) -> tuple[Decimal, Decimal] | None:
    """Both amounts to whole units, or to hundredths where one is small; None: one is not known."""
    before, after = map(_amount, amounts)
    if before is None or after is None:
        return None
    places = Decimal(1) if min(before, after) >= _WHOLE_FROM else Decimal("0.01")
    return before.quantize(places, ROUND_HALF_UP), after.quantize(places, ROUND_HALF_UP)


def _amount(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def _size(agreement: AgreedWords) -> str:
    """The stored weights, where nothing is known of money."""
    before, after = agreement.people.stored
    if before is None or after is None:
        return ""
    number = agreement.people.speech.number
    return agreement.people.speech.say(
        "savings.size",
        before=number(numbers.megabytes(before)),
        after=number(numbers.megabytes(after)),
    )
