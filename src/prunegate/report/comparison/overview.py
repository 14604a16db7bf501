"""Overview: a row for every record: how it came out, what holds, its size, speed and cost.

The last section of the page names each record by its digest, with what it was judged by and on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prunegate.cost.measurement import is_evidence
from prunegate.cost.tariff import steady_enough
from prunegate.report.comparison.compared_limits import limits_held
from prunegate.report.comparison.compared_records import ComparedRecord, ComparedRecords
from prunegate.report.own_threshold import own_threshold, shown_threshold
from prunegate.report.page_one.savings import whole_amounts
from prunegate.report.signers import signers
from prunegate.text import numbers
from prunegate.text.escape import shorten, visible
from prunegate.text.time import short_code

_LONGEST = 80
_SHORT = 12
"""Digits of a digest that names a model or a table beside the record's own."""


@dataclass(frozen=True, kw_only=True)
class OverviewRow:
    """One record."""

    number: int
    id: str
    code: str
    """The first twelve digits of its digest, grouped."""
    day: str
    policy: str
    outcome: str
    result: str
    """What the outcome means for the candidate."""
    word: str
    """The machine's word for it."""
    threshold: str
    """From which score on each model flags; empty where the candidate's is as before."""
    held: str
    size: str
    latency: str
    cost: str


@dataclass(frozen=True, kw_only=True)
class NamedRecord:
    """What names one record."""

    number: int
    id: str
    digest: str
    facts: tuple[tuple[str, str], ...]
    """Names and values."""


def overview(compared: ComparedRecords) -> tuple[OverviewRow, ...]:
    """A row for every record, in the page's order."""
    return tuple(map(_row, compared.records))


def _row(one: ComparedRecord) -> OverviewRow:
    record, speech = one.record, one.speech
    held, limits = (speech.number(numbers.count(number)) for number in limits_held(one))
    return OverviewRow(
        number=one.number,
        id=one.id,
        code=visible(short_code(one.digest)),
        day=speech.day(record.created),
        policy=shorten(record.policy.name, _LONGEST),
        outcome=record.outcome,
        result=speech.say(f"compare.result_{_result(one)}"),
        word=speech.say(f"word.{record.outcome}"),
        threshold=_threshold(one),
        held=speech.say("compare.limits_held", held=held, n=limits),
        size=_both(one, one.words.people.stored, numbers.megabytes),
        latency=_latency(one),
        cost=_cost(one),
    )


def _result(one: ComparedRecord) -> str:
    """An approval may hang on waivers and on signatures."""
    key: str = one.record.outcome
    if key != "approve":
        return key
    if any(f.status == "waived" for f in one.record.findings if f.severity == "block"):
        key += "_waived"
    return key + ("_asked" if signers(one.record) else "")


def _threshold(one: ComparedRecord) -> str:
    own = own_threshold(one.record)
    if own is None:
        return ""
    shown = {model: shown_threshold(score, one.speech) for model, score in vars(own).items()}
    return one.speech.say("compare.threshold", **shown)


def _both(
    one: ComparedRecord,
    pair: tuple[float | None, float | None],
    show: Callable[[float | None], str],
) -> str:
    """Before and after; a dash where the candidate's is not known."""
    before, after = pair
    if after is None:
        return one.speech.say("table.not_judged")
    told = one.speech.number(show(after))
    if before is None:
        return told
    return one.speech.say("number.change", before=one.speech.number(show(before)), after=told)


def _latency(one: ComparedRecord) -> str:
    """The median; a measurement that was disturbed says so."""
    taken = one.record.measurements
    if taken is None:
        return one.speech.say("table.not_judged")
    pair = (taken.baseline.latency_p50_ms, taken.candidate.latency_p50_ms)
    told = _both(one, pair, lambda value: f"{numbers.significant(value)}{numbers.GAP}ms")
    if pair[1] is None or is_evidence(taken):
        return told
    return one.speech.say("compare.disturbed", figure=told)


def _cost(one: ComparedRecord) -> str:
    """The last month of the projection, else a thousand answers."""
    cost, speech = one.record.cost, one.speech
    if cost is None:
        return speech.say("table.not_judged")
    last = cost.months[-1] if cost.months else None
    pair = (cost.cost_per_1k_baseline, cost.cost_per_1k_candidate)
    amounts = whole_amounts((last.baseline, last.candidate) if last else pair)
    if amounts is None:
        return speech.say("table.not_judged")
    before, after = (speech.money(f"{amount:,f}", cost.currency) for amount in amounts)
    told = speech.say("number.change", before=before, after=after)
    if last is None:
        told = speech.say("compare.cost_thousand", cost=told)
    else:
        n = speech.number(numbers.count(last.volume))
        told = speech.say("compare.cost_month", cost=told, n=n)
    sure = steady_enough(cost.basis, one.record.measurements)
    return told if sure else speech.say("compare.disturbed", figure=told)


def named_records(compared: ComparedRecords) -> tuple[NamedRecord, ...]:
    """What names each record, in the page's order."""
    return tuple(
        NamedRecord(number=one.number, id=one.id, digest=one.digest, facts=tuple(_facts(one)))
        for one in compared.records
    )


def _facts(one: ComparedRecord) -> list[tuple[str, str]]:
    record, say = one.record, one.speech.say
    policy = f"{shorten(record.policy.name, _LONGEST)} ({record.policy.sha256[:_SHORT]})"
    found = [(say("compare.fact_policy"), policy)]
    for role in ("baseline", "candidate"):
        digest = record.model_digest(role)
        if digest is not None:
            found.append((say(f"compare.fact_{role}"), visible(digest[:_SHORT])))
    inputs = tuple(
        shorten(f"{given.name} ({given.sha256[:_SHORT]})" if given.sha256 else given.name, _LONGEST)
        for given in record.inputs
    )
    if inputs:
        found.append((say("compare.fact_inputs"), one.words.people.some(inputs)))
    return found
