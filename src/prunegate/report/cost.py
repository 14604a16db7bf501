"""What it costs: both models' monthly cost as a picture, and the months that matter as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from prunegate.audit.record import DecisionRecord
from prunegate.cost.projection import Month, Projection
from prunegate.cost.tariff import QUOTED, RENTED, SCALED
from prunegate.report.cost_chart import cost_chart
from prunegate.report.headline import saving
from prunegate.report.speech import Speech, speech
from prunegate.report.svg import Chart
from prunegate.text import numbers
from prunegate.text.escape import visible
from prunegate.text.languages import ENGLISH
from prunegate.text.money import money

COURSE_COLUMNS = ("course", "course_volume", "head_before", "head_after", "head_saved")
"""The catalogue's keys of the columns of courses of volumes, less the last two."""
_BASES = {QUOTED: "quoted", SCALED: "scaled", RENTED: "rented"}
"""The catalogue's keys of what a price rests on."""


@dataclass(frozen=True, kw_only=True)
class CostWords:
    """Says what a projection holds, in one language."""

    projection: Projection
    said: Speech

    @classmethod
    def of(cls, projection: Projection, said: Speech | None = None) -> CostWords:
        """The words of a projection, in English or in another language."""
        return cls(projection=projection, said=said or speech(ENGLISH))

    def say(self, key: str, **parts: str) -> str:
        """A message about costs."""
        return self.said.say(f"costs.{key}", **parts)

    def money(self, amount: str | None, *, cents: bool = False) -> str:
        """An amount in the projection's currency."""
        currency = self.projection.currency
        return self.said.amount(money(amount, currency, cents=cents), currency)

    @property
    def prices(self) -> str:
        """How inference is paid for, what one costs where there is one price, and on what basis."""
        return self.say("basis", text=self.terms, basis=self.basis)

    @property
    def basis(self) -> str:
        """What the candidate's price rests on."""
        key = _BASES.get(self.projection.basis)
        return self.say(key) if key else visible(self.projection.basis)

    @property
    def terms(self) -> str:
        """How inference is paid for, and what one inference costs where there is one price."""
        one = self.projection
        text = self._single_price()
        if one.billing in ("tiers", "instance"):
            text = self.say(one.billing)
        if one.discount is not None:
            share = self.said.figure(numbers.share(float(one.discount)))
            text = self.say("discount", text=text, share=share)
        if one.minimum_per_month is not None:
            text = self.say("minimum", text=text, amount=self.money(one.minimum_per_month))
        if one.other_inferences is not None:
            others = self.said.number(numbers.count(one.other_inferences))
            text = self.say("on_top", text=text, n=others)
        return text

    def _single_price(self) -> str:
        one = self.projection
        if one.price_baseline is None or one.unit == "tokens":
            by = {"per_1k_tokens": "by_tokens", "per_second": "by_seconds"}
            return self.say(by.get(one.billing, "by_number"))
        before, after = self.money(one.price_baseline), self.money(one.price_candidate)
        text = self.say("single", before=before, after=after)
        if one.price_candidate_low is None or one.price_candidate_high is None:
            return text
        low, high = map(self.money, (one.price_candidate_low, one.price_candidate_high))
        return self.say("single_range", single=text, low=low, high=high)

    @property
    def per_thousand(self) -> str:
        """What 1,000 inferences (or tokens) cost, before and after."""
        one = self.projection
        unit = f"costs.unit_{one.unit}"
        return self.say(
            "per_thousand_last" if one.price_baseline is None else "per_thousand",
            unit=self.said.say(unit) if self.said.knows(unit) else visible(one.unit),
            before=self.money(one.cost_per_1k_baseline),
            after=self.money(one.cost_per_1k_candidate),
            change=saving(one.cost_per_1k_baseline, one.cost_per_1k_candidate, self.said),
        )

    @property
    def payback(self) -> tuple[str, ...]:
        """Sentences on the one-off cost and the range of the saving; none without either."""
        one = self.projection
        if not one.months:
            return ()
        sentences = []
        if Decimal(one.one_off):
            sentences.append(self.say("once", price=self.money(one.one_off), paid=self._paid()))
        if one.saving_low is not None:
            ends = (one.months[-1].cumulative, one.saving_low, one.saving_high)
            total, low, high = map(self.money, ends)
            why = self._why()
            sentences.append(self.say("range", total=total, low=low, high=high, why=why))
        return tuple(sentences)

    def _paid(self) -> str:
        one, last = self.projection, self.projection.months[-1]
        text = self.say("paid", month=str(one.break_even))
        if one.break_even is None:
            text = self.say("not_paid", months=str(last.month))
        if last.cumulative_low is None:
            return text
        early, late = (
            self.month_of(month, one.months)
            for month in (one.break_even_early, one.break_even_late)
        )
        if early == late:
            return text
        return self.say("paid_range", paid=text, early=early, late=late)

    def month_of(self, month: int | None, months: Sequence[Month]) -> str:
        """In which month the saving has paid for the work."""
        if month is None:
            return self.say("not_within", months=str(months[-1].month))
        return self.say("in_month", month=str(month))

    def _why(self) -> str:
        """What the range comes from."""
        one = self.projection
        measured = self.say("why_measured")
        if not one.scenarios:
            return measured if one.months[-1].cumulative_low is not None else ""
        names = self.said.listed(tuple(self.say(scenario.name) for scenario in one.scenarios))
        volumes = self.say("why_volumes", names=names)
        if one.months[-1].cumulative_low is None:
            return volumes
        return self.say("why_both", one=measured, other=volumes)

    @property
    def columns(self) -> tuple[str, ...]:
        """Heads of the columns of ``beside``."""
        return tuple(self.say(key) for key in (*COURSE_COLUMNS, "course_end", "course_paid"))

    @property
    def beside(self) -> tuple[tuple[str, ...], ...]:
        """A row for every course of volumes, from low to high; none without scenarios."""
        one = self.projection
        if not one.scenarios:
            return ()
        courses = {found.name: (found.months, found.break_even) for found in one.scenarios}
        courses["expected"] = (one.months, one.break_even)
        names = (name for name in ("low", "expected", "high") if name in courses)
        return tuple(self._course(name, *courses[name]) for name in names)

    def _course(self, name: str, months: Sequence[Month], paid: int | None) -> tuple[str, ...]:
        last = months[-1]
        amounts = (last.baseline, last.candidate, last.saving, last.cumulative)
        return (
            self.say(name),
            self.said.number(numbers.count(last.volume)),
            *(self.money(amount, cents=True) for amount in amounts),
            self.month_of(paid, months),
        )

    def instances(self, month: Month) -> str:
        """Whole instances before and after; empty where they are not what is paid for."""
        if month.baseline_instances is None or month.candidate_instances is None:
            return ""
        both = (month.baseline_instances, month.candidate_instances)
        before, after = (self.said.number(numbers.count(n)) for n in both)
        return self.said.say("number.change", before=before, after=after)


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
    """Of the record, hence English."""
    scenarios: tuple[tuple[str, ...], ...]
    """One row a course of volumes: its name, then the other columns."""
    scenario_columns: tuple[str, ...]


def cost(record: DecisionRecord, said: Speech | None = None) -> CostView | None:
    """The cost section of a record; None where no cost was worked out."""
    projection = record.cost
    if projection is None:
        return None
    words = CostWords.of(projection, said)
    rows = tuple(_row(month, words) for month in projection.months)
    return CostView(
        prices=words.prices,
        per_thousand=words.per_thousand,
        chart=cost_chart(projection, words.said) if len(rows) > 1 else None,
        short=(rows[0], rows[-1]) if len(rows) > 1 else rows,
        months=rows,
        payback=words.payback,
        notes=tuple(visible(note) for note in projection.notes),
        scenarios=words.beside,
        scenario_columns=words.columns,
    )


def _row(month: Month, words: CostWords) -> MonthRow:
    amounts = (month.baseline, month.candidate, month.saving, month.cumulative)
    before, after, saved, cumulative = (words.money(a, cents=True) for a in amounts)
    return MonthRow(
        month=words.say("month", month=str(month.month)) if month.month else words.say("now"),
        volume=words.said.number(numbers.count(month.volume)),
        before=before,
        after=after,
        saved=saved,
        part=saving(month.baseline, month.candidate, words.said),
        cumulative=cumulative,
        instances=words.instances(month),
    )
