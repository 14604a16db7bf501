"""The strip of warnings: what a reader must know although it does not decide.

Broken rules that only warn, stated figures that are wrong, waivers and what was not measured are
told from the record's fields, in the reader's language; then the record's own warnings, a few, as
they were written. Losses within their limits are in the table and no warning here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prunegate.audit.record import DecisionRecord
from prunegate.report.page_one.agreement import AgreedWords
from prunegate.report.page_one.standing import deciding, gravest
from prunegate.report.units import CLAIMS, is_operational
from prunegate.report.warnings import warnings
from prunegate.text.escape import shorten

MOST_NOTICES, MOST_NAMED, LONGEST_NOTICE = 3, 3, 104


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One warning."""

    text: str
    english: bool = False
    """Whether it is the record's own sentence, which is always English."""


def notices(record: DecisionRecord, agreement: AgreedWords) -> tuple[Notice, ...]:
    """The strip; empty: there is nothing to warn of."""
    told = [Notice(text=text) for text in _facts(record, agreement)]
    own = warnings(record)
    written = [Notice(text=shorten(t, LONGEST_NOTICE), english=True)
               for t in (*own.others, *own.more_others)]  # fmt: skip
    found = told + written
    rest = len(found) - MOST_NOTICES
    if rest <= 0:
        return tuple(found)
    more = agreement.people.speech.count("warnings.more", rest)
    return (*found[:MOST_NOTICES], Notice(text=more))


def _facts(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """What the record's fields say, the gravest first."""
    people, speech = agreement.people, agreement.people.speech
    broken = [f for f in record.findings if f.severity == "warn" and f.status == "fail"]
    wrong = [f for f in broken if f.check == CLAIMS]
    if contradicted := _contradicted(record):
        names = speech.listed(contradicted[:MOST_NAMED])
        yield speech.count("warnings.claims", len(contradicted), figures=names)
    rules = [f for f in broken if f not in wrong]
    if first := gravest(rules):
        place = people.place(first.slice, first.class_label)
        yield speech.count(
            "warnings.broken", len(rules), metric=agreement.name(first.metric), place=place
        )
    yield from _waived(record, agreement)
    missing = [f for f in record.findings if f.candidate is None and is_operational(f.metric)]
    open_ = dict.fromkeys(
        agreement.name(f.metric)
        for f in missing
        if f.status == "inconclusive" and f.check != CLAIMS
    )
    if open_:
        names = speech.listed(tuple(open_)[:MOST_NAMED])
        yield speech.count("warnings.unmeasured", len(open_), names=names)


def _contradicted(record: DecisionRecord) -> tuple[str, ...]:
    if record.claims is None:
        return ()
    return tuple(dict.fromkeys(shorten(one.figure, 40) for one in record.claims.contradictions))


def _waived(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """Limits that do not hold and that somebody has let pass."""
    waived = [f for f in deciding(record) if f.status == "waived"]
    worst = gravest(waived)
    if worst is None:
        return
    people, speech = agreement.people, agreement.people.speech
    until = min((one.expires for one in record.waivers), default="")
    yield speech.count(
        "warnings.waived",
        len(waived),
        day=speech.day(until),
        metric=agreement.name(worst.metric),
        place=people.place(worst.slice, worst.class_label),
    )
