"""The strip of warnings: what a reader must know although it does not decide.

Doubts about the data, real losses that a signature accepts, stated figures that are wrong, rules
that only warn and are broken or open, waivers and what was not measured are told from the record's
fields, in the reader's language. A warning of the record that no field speaks of stands here as it
was written, in English, where it is short; any other is counted. None is ever cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from prunegate.audit.record import DecisionRecord
from prunegate.counting.slices import identical, same_scores
from prunegate.report.headline import lost_gained
from prunegate.report.own_threshold import own_threshold
from prunegate.report.page_one.agreed_words import AgreedWords
from prunegate.report.page_one.people import OVERALL
from prunegate.report.page_one.standing import deciding, gravest
from prunegate.report.page_one.stated import wrong_figures
from prunegate.report.sentences import capital, ended
from prunegate.report.units import CLAIMS, is_unmeasured
from prunegate.text.escape import shorten, visible
from prunegate.text.languages import ENGLISH
from prunegate.verdict.finding import DoubtKind, Finding, ReferenceDoubt, SliceSummary
from prunegate.verdict.losses import is_real_loss
from prunegate.verdict.reference_sentences import doubt_sentence

MOST_NOTICES, MOST_NAMED, LONGEST_WRITTEN, LONGEST_PERSON = 3, 3, 180, 40
ROOM, LITTLE_ROOM = 400, 200
"""Characters of the strip, from its second warning on, so that page one stays one page: where the
table is short, and where it is long."""
SHORT_TABLE = 8
"""Lines."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One warning."""

    text: str
    recorded: bool = False
    """Whether it is the record's own sentence, hence English."""


_DOUBTED: dict[DoubtKind, str] = {
    "one decision": "one_decision",
    "unrelated": "unrelated",
    "weaker": "weaker",
}
"""Messages of doubts that say nothing of answers that are mixed up."""


def notices(record: DecisionRecord, agreement: AgreedWords, lines: int = 0) -> tuple[Notice, ...]:
    """The strip; empty: there is nothing to warn of.

    Args:
        record: the decision.
        agreement: how values are told.
        lines: of the table that stands above it.
    """
    written = _written(record)
    short = [text for text in written if len(text) <= LONGEST_WRITTEN]
    always = [text for tell in _ALWAYS for text in islice(tell(record, agreement), 1)]
    found = [text for tell in _TOLD for text in tell(record, agreement)] + short
    found = [text for text in found if text not in always]
    kept = _fitting(always, found, ROOM if lines <= SHORT_TABLE else LITTLE_ROOM)
    rest = len(always) + len(found) - len(kept) + len(written) - len(short)
    more = [agreement.people.speech.count("warnings.more", rest)] if rest else []
    return tuple(_notice(text, written.get(text), agreement) for text in (*kept, *more))


def _notice(text: str, recorded: str | None, agreement: AgreedWords) -> Notice:
    """A warning; one of the record in the reader's language where that can be said."""
    speech = agreement.people.speech
    if recorded is None or speech.language == ENGLISH:
        return Notice(text=text, recorded=recorded is not None)
    own = speech.recorded(recorded)
    return Notice(text=ended(capital(own)) if own else text, recorded=not own)


def _fitting(always: list[str], found: list[str], room: int) -> list[str]:
    """Those that always stand, and of the others, the gravest first, those that there is room for.

    One stands whatever room there is.
    """
    first = len(always) or 1
    kept = (always + found)[:first]
    for text in (always + found)[first:]:
        if len(kept) < MOST_NOTICES and sum(map(len, kept)) + len(text) <= room:
            kept.append(text)
    return kept


def is_mistaken(doubt: ReferenceDoubt) -> bool:
    """Whether a model's answers may stand beside other rows or under other names."""
    return doubt.kind not in _DOUBTED


def _written(record: DecisionRecord) -> dict[str, str]:
    """Warnings of the record that no field of it speaks of, whole, by how they are shown."""
    places = {fact.place for fact in record.warning_facts or ()} | set(record.allowed_losses or ())
    rows = [one.rows for one in _wholes(record)]
    alike = (tell(n) for tell in (identical, same_scores) for n in rows)
    told = {*map(doubt_sentence, record.doubts), *alike}
    return {
        ended(visible(text)): text
        for place, text in enumerate(record.warnings)
        if place not in places and text not in told
    }


def _doubts(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """That a model's answers may not be what they are taken for: the first doubt of each kind."""
    people = agreement.people
    first = {(_DOUBTED.get(one.kind, "mistaken"), one.model): one for one in record.doubts[::-1]}
    for doubt in (one for one in record.doubts if one in first.values()):
        model = (
            people.candidate if doubt.model == "candidate" else people.speech.say("words.baseline")
        )
        key = _DOUBTED.get(doubt.kind, "mistaken")
        where = people.where(doubt.slice, doubt.class_label)
        yield people.speech.say(f"warnings.{key}", where=where, model=model)


def _losses(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """Losses beyond chance that an approval accepts."""
    found = [f for f in record.findings if f.status == "pass" and is_real_loss(f)]
    worst = gravest(found)
    if worst is not None and record.outcome == "approve":
        said = agreement.about(worst)
        yield agreement.people.speech.count("warnings.losses", len(found), said=said)


def _wrong(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """Stated figures that do not hold."""
    found = wrong_figures(record, agreement)
    if found:
        yield agreement.people.speech.count("warnings.claims", len(found), first=found[0])


def _only_warn(record: DecisionRecord, status: str) -> list[Finding]:
    return [
        f
        for f in record.findings
        if f.severity == "warn" and f.status == status and f.check != CLAIMS
    ]


def _broken(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """The worst of what breaks a rule that only warns."""
    found = _only_warn(record, "fail")
    if worst := gravest(found):
        said = _with_agreed(worst, agreement)
        yield agreement.people.speech.count("warnings.broken", len(found), said=said)


def _open(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """The worst of what is not shown to keep a rule that only warns."""
    found = [f for f in _only_warn(record, "inconclusive") if not is_unmeasured(f)]
    if worst := gravest(found):
        speech = agreement.people.speech
        disturbed = worst.open_because == "unusable"
        why = speech.say("warnings.disturbed") if disturbed else ""
        told = speech.count("warnings.open", len(found), why=why)
        yield f"{agreement.about(worst)} {told}"
    stated = [f for f in record.findings if f.severity == "warn" and f.check == CLAIMS]
    if any(f.status == "inconclusive" for f in stated):
        yield agreement.people.speech.say("lead.claims_open")


def _with_agreed(finding: Finding, agreement: AgreedWords) -> str:
    said = agreement.about(finding)
    if finding.candidate is None:
        return said
    return f"{said} {agreement.people.speech.say('lead.agreed', limit=agreement.limit(finding))}"


def _waived(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """Limits that do not hold and that somebody has let pass."""
    waived = [f for f in deciding(record) if f.status == "waived"]
    worst = gravest(waived)
    if worst is None:
        return
    people, speech = agreement.people, agreement.people.speech
    until = min((one.expires for one in record.waivers), default="")
    by = tuple(dict.fromkeys(one.approver for one in record.waivers))[:MOST_NAMED]
    yield speech.count(
        "warnings.waived",
        len(waived),
        day=speech.day(until),
        by=speech.listed(tuple(shorten(name, LONGEST_PERSON) for name in by)),
        metric=agreement.name(worst.metric),
        place=people.place(worst.slice, worst.class_label),
    )


def _unmeasured(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """Figures that a rule is about and that nobody measured."""
    names = dict.fromkeys(
        agreement.name(f.metric)
        for f in record.findings
        if is_unmeasured(f) and f.status == "inconclusive" and f.check != CLAIMS
    )
    if names:
        listed = agreement.people.speech.listed(tuple(names)[:MOST_NAMED])
        yield agreement.people.speech.count("warnings.unmeasured", len(names), names=listed)


def _undeclared(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """Kinds of content that were judged although the policy does not name them."""
    people, facts = agreement.people, record.warning_facts or ()
    found = [fact.slice for fact in facts if fact.kind == "undeclared" and fact.slice]
    if found:
        place = people.place(found[0])
        yield people.speech.count("warnings.undeclared", len(found), place=place)


def _unjudged(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """Kinds of content that nobody judged."""
    facts = record.warning_facts or ()
    found = [fact.slice for fact in facts if fact.kind == "unjudged" and fact.slice]
    if found:
        people, count = agreement.people, sum(map(_left_out, record.slices))
        first = next((one for one in record.slices if one.name == found[0]), None)
        bare = first is not None and first.positives == 0 and agreement.units.task.yes_no
        told = {"place": people.place(found[0])}
        if bare:
            told["positive"] = people.positive.said
        yield people.speech.count(f"warnings.unjudged{'_none' if bare else ''}", count, **told)


def _wholes(record: DecisionRecord) -> list[SliceSummary]:
    return [one for one in record.slices if one.slicing == OVERALL]


def _alike(record: DecisionRecord, agreement: AgreedWords) -> Iterator[str]:
    """That the two models cannot be told apart."""
    speech = agreement.people.speech
    known = {identical(one.rows): one for one in _wholes(record)}
    moved = {same_scores(one.rows): one for one in _wholes(record)}
    for text in record.warnings:
        one = moved.get(text) or known.get(text)
        if one is not None:
            key = "alike_scores" if text in moved or _decide_otherwise(record, one) else "alike"
            yield speech.say(f"warnings.{key}", n=speech.whole(one.rows))


def _decide_otherwise(record: DecisionRecord, one: SliceSummary) -> bool:
    """Whether models that score alike decide otherwise, as earlier records do not say."""
    return own_threshold(record) is not None and lost_gained(one) not in (None, (0, 0))


def _left_out(one: SliceSummary) -> bool:
    return not one.judged and one.rows > 0


_TOLD: tuple[Callable[[DecisionRecord, AgreedWords], Iterator[str]], ...] = (
    *(
        _waived,
        _doubts,
        _losses,
        _wrong,
        _broken,
        _unmeasured,
        _open,
        _unjudged,
        _undeclared,
        _alike,
    ),
)
"""The gravest first."""
_ALWAYS = (_waived, _doubts)
"""Of these the first stands whatever room there is: whoever signs lets it pass."""
