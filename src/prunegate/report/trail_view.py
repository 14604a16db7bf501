"""Trail view: the history of an audit folder as the texts that its page shows, all inert."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prunegate.audit.approvals.enrolments import ENROLMENT
from prunegate.audit.approvals.folder_entries import Entry
from prunegate.audit.approvals.person import folded_name
from prunegate.audit.approvals.sentences import PASSED_OVER
from prunegate.audit.approvals.sign_off import PassedOver, VerifiedAnswer
from prunegate.audit.history import Chapter, Decided, Spell
from prunegate.audit.history_read import ReadHistory, SeenLog
from prunegate.audit.loosening import LOOSENING
from prunegate.audit.sealed_bar import SEAL
from prunegate.audit.signing.decision import CANDIDATE, POLICY
from prunegate.report.provenance import Fact
from prunegate.report.trail_checks import TrailCheck, trail_checks
from prunegate.report.trail_parts import CODE, Event, SignOff, spelled, when, where
from prunegate.report.trail_waiver import rests_on, waiver_event
from prunegate.text.escape import LONGEST, named, shorten
from prunegate.text.numbers import number_of

_FIELDS_SHOWN = 24


@dataclass(frozen=True, kw_only=True)
class Held:
    """A time in which a candidate was in force."""

    candidate: str
    since: str
    until: str
    whose: tuple[str, ...]
    why: str
    now: bool


@dataclass(frozen=True, kw_only=True)
class ChapterView:
    """One policy."""

    policy: str
    held: tuple[Held, ...]
    events: tuple[Event, ...]
    """The latest first."""
    current: Held | None


@dataclass(frozen=True, kw_only=True)
class TrailView:
    """The page."""

    title: str
    made: str
    entries: str
    checkpoint: tuple[Fact, ...]
    checks: tuple[TrailCheck, ...]
    chapters: tuple[ChapterView, ...]
    people: tuple[Event, ...]
    rest: tuple[Event, ...]


def trail_view(read: ReadHistory) -> TrailView:
    """Everything that the page shows."""
    log, entries = read.folder.log, read.folder.entries
    return TrailView(
        title=named(log.checkpoint.origin) if log else "An audit trail without a log",
        made=when(read.made),
        entries=f"{sum(e.number is not None for e in entries):,}",
        checkpoint=tuple(_checkpoint(read)),
        checks=tuple(trail_checks(read)),
        chapters=tuple(_chapter(one, read) for one in read.history.chapters),
        people=tuple(_person(one) for one in reversed(read.history.people)),
        rest=tuple(_other(one, read) for one in reversed(read.history.rest)),
    )


def _checkpoint(read: ReadHistory) -> Iterator[Fact]:
    log = read.folder.log
    if log is None:
        return
    tree = log.checkpoint
    yield Fact(name="Log (origin)", value=named(tree.origin), code=True)
    yield Fact(name="Entries (size)", value=f"{tree.size}", code=True)
    root = base64.b64encode(tree.root).decode("ascii")
    yield Fact(name="Root over all of them", value=root, code=True)
    yield Fact(name="Key that signed it", value=named(log.log_key), code=True)
    witnesses = ", ".join(named(name) for name in log.cosignatures)
    yield Fact(name="Cosigned by", value=witnesses or "no witness that the trust policy names")


def _chapter(chapter: Chapter, read: ReadHistory) -> ChapterView:
    now = read.made
    entries = [(one.entry, _decision(one, read)) for one in chapter.decided]
    entries += [(entry, _other(entry, read)) for entry in chapter.others]
    entries.sort(key=lambda pair: _order(pair[0]), reverse=True)
    current = chapter.in_force(now)
    held = {id(spell): _held(spell, now, current is spell) for spell in chapter.spells}
    begun = [spell for spell in reversed(chapter.spells) if spell.since <= now]
    return ChapterView(
        policy=named(chapter.policy),
        held=tuple(held[id(spell)] for spell in begun),
        events=tuple(event for _, event in entries),
        current=held[id(current)] if current is not None else None,
    )


def _order(entry: Entry) -> tuple[bool, int, str, str]:
    return entry.number is None, entry.number or 0, entry.facts.created, entry.sha256


_ENDED = {
    "superseded": "another candidate took its place",
    "rejected": "somebody who had a say rejected it",
    "revalidate": "its term was over: it had to be judged anew",
    "waivers": "a waiver that it rested on no longer counted",
    "approvals": "its approvals no longer counted",
}
_WILL_END = {
    "superseded": "then another candidate takes its place",
    "rejected": "then somebody who has a say rejects it",
    "revalidate": "then its term is over: it has to be judged anew",
    "waivers": "then a waiver that it rests on no longer counts",
    "approvals": "then its approvals no longer count",
}


def _held(spell: Spell, now: datetime, current: bool) -> Held:
    subjects = {one.name: one.sha256 for one in spell.decision.statement.subjects}
    candidate = subjects.get(CANDIDATE)
    code = candidate[:CODE] if candidate else f"of decision {spell.decision.sha256[:CODE]}"
    ahead = spell.until is not None and spell.until > now
    why = (_WILL_END if ahead else _ENDED)[spell.ended] if spell.ended else ""
    if spell.passed_over and not ahead:
        why += f" ({'; '.join(PASSED_OVER[one] for one in spell.passed_over)})"
    until = "no end is set" if spell.until is None else when(spell.until)
    whose = tuple(_whose(one) for one in _by_person(spell.counted))
    return Held(
        candidate=code,
        since=when(spell.since),
        until=until,
        whose=whose or ("the verdict alone: its policy asks for no approval",),
        why=why,
        now=current,
    )


def _by_person(counted: Iterable[VerifiedAnswer]) -> list[VerifiedAnswer]:
    """Each person once in a role, however she is spelled; by her signature, where there is one."""
    people: dict[tuple[str, str], VerifiedAnswer] = {}
    for one in counted:
        key = folded_name(one.person), one.role
        if key not in people or people[key].attested:
            people[key] = one
    return list(people.values())


def _whose(one: VerifiedAnswer) -> str:
    place = f", {named(one.organisation)}" if one.organisation else ""
    weak = " (attested by the agency, not signed)" if one.attested else ""
    return f"{named(one.person)} as {named(one.role)}{place}{weak}"


_OUTCOME = {"approve": "Approved", "reject": "Rejected", "inconclusive": "Not enough evidence"}


def _decision(one: Decided, read: ReadHistory) -> Event:
    status = one.outcome if one.outcome in _OUTCOME else "inconclusive"
    return Event(
        status=status,
        title=_OUTCOME.get(one.outcome, "An outcome that is not known"),
        when=spelled(one.entry.facts.created),
        where=where(one.entry),
        text=shorten(one.sentence, LONGEST),
        facts=tuple(_decision_facts(one, read)),
        said=tuple(_sign_off(word, over, read.seen.get(word.entry)) for word, over in one.said),
    )


def _decision_facts(one: Decided, read: ReadHistory) -> Iterator[Fact]:
    for name, subject in (("Candidate", CANDIDATE), ("Policy file", POLICY)):
        digest = one.subject(subject)
        value = digest[:CODE] if digest else "not known: only its predictions were judged"
        yield Fact(name=name, value=value, code=digest is not None)
    yield Fact(name="Record", value=one.record[:CODE], code=True)
    attempt = one.predicate.get("attempt")
    if isinstance(attempt, dict):
        gate_set = str(attempt.get("gate_set"))[:CODE]
        value = f"number {attempt.get('number')} on the gate set {gate_set}"
        yield Fact(name="Attempt", value=shorten(value, LONGEST))
    yield Fact(name="Bar", value=_bar(one))
    search = one.predicate.get("search")
    if isinstance(search, dict):
        tried = f"chosen by a search among {search.get('attempts')} candidates, on other rows"
        yield Fact(name="Search", value=shorten(tried, LONGEST))
    if one.waivers:
        yield Fact(name="Rests on", value=rests_on(one.waivers, read.folder.by_sha256))
    if (term := one.predicate.get("revalidate")) is not None:
        yield Fact(name="To be judged anew", value=shorten(f"from {term} on", 60))
    yield Fact(name="Signed by the gate", value=_signers(one.entry))


def _bar(one: Decided) -> str:
    if one.bar_entry is None:
        return "not sealed before it was judged"
    sealed = f"sealed {spelled(one.bar_entry.facts.created)} ({where(one.bar_entry)})"
    if one.bar == "other":
        return f"another one was {sealed}: it was judged by other rules, or on changed slices"
    before = one.terms.before_predictions if one.terms is not None else None
    if before is None:
        return f"{sealed}; when the predictions were made is not known"
    return f"{sealed}, {'before' if before else 'after'} the predictions were made"


def _signers(entry: Entry) -> str:
    if not entry.facts.signers:
        return "no: only the log’s key vouches for it"
    return "with key " + ", ".join(shorten(name, CODE + 1) for name in entry.facts.signers)


_WORD = {"approve": "approves", "reject": "rejects", "discuss": "has questions"}
_MARK = {"approve": "approve", "reject": "reject", "discuss": "inconclusive"}


def _sign_off(one: VerifiedAnswer, over: PassedOver | None, seen: SeenLog | None) -> SignOff:
    place = f", {named(one.organisation)}" if one.organisation else ""
    details = [f"on {when(one.at)}"]
    details += [f"until {when(one.expires)}"] if one.expires else []
    details += [f"entry {one.number}" if one.number is not None else "not sealed yet"]
    details += [_saw(seen)] if seen is not None else []
    details += [f"under conditions: {shorten(one.conditions, LONGEST)}"] if one.conditions else []
    details += [f"does not count: {PASSED_OVER[over]}"] if over is not None else []
    return SignOff(
        status=_MARK[one.decision] if over is None else "hollow",
        word=_WORD[one.decision],
        who=f"{named(one.person)} as {named(one.role)}{place}",
        how="attested by the agency, not signed: weaker" if one.attested else f"key {one.key}",
        weak=one.attested,
        details=tuple(details),
    )


def _saw(seen: SeenLog) -> str:
    entries = number_of(seen.size, "entry", "entries")
    return f"{'cosigned' if seen.cosigned else 'saw'} the log at {entries}"


def _person(entry: Entry) -> Event:
    said = entry.statement.predicate
    if entry.facts.kind == ENROLMENT:
        title = f"{_get(said, 'person')} got a key as {_get(said, 'role')}"
        text = f"Said by {_get(said, 'by')}; made sure by: {_get(said, 'channel')}."
        facts = [Fact(name="Key", value=entry.facts.subject, code=True)]
        if said.get("organisation"):
            facts.append(Fact(name="Organisation", value=_get(said, "organisation")))
        if said.get("valid_until"):
            facts.append(Fact(name="Valid until", value=spelled(str(said["valid_until"]))))
        status = "pass"
    else:
        title, text = "A key was revoked, for good", f"Reason: {_get(said, 'reason')}"
        facts, status = [Fact(name="Key", value=_get(said, "fingerprint"), code=True)], "fail"
    return Event(
        status=status,
        title=title,
        when=spelled(entry.facts.created),
        where=where(entry),
        text=text,
        facts=tuple(facts),
    )


def _other(entry: Entry, read: ReadHistory) -> Event:
    """A seal, a loosened bar, a waiver, or an entry of a kind that is not known here."""
    if (waiver := read.waivers.get(entry.sha256)) is not None:
        return waiver_event(entry, waiver, read.made)
    said, kind = entry.statement.predicate, entry.facts.kind
    facts: tuple[Fact, ...] = ()
    points: tuple[str, ...] = ()
    if kind == SEAL:
        title, status = "The bar was sealed", "note"
        text = "Which rules will hold on which labelled rows, said before these are judged."
        facts = (
            Fact(name="Policy file", value=entry.statement.subjects[0].sha256[:CODE], code=True),
            Fact(name="Gate set", value=_get(said, "gate_set")[:CODE], code=True),
            Fact(name="Rows", value=_get(said, "rows")),
        )
    elif kind == LOOSENING:
        title, status = "The bar was lowered", "fail"
        text = f"Reason given: {_get(said, 'reason')}"
        points = tuple(_loosened(said))
    else:
        title, status, text = f"An entry of the kind {named(kind)}", "note", ""
        facts = tuple(_flat(said))
    return Event(
        status=status,
        title=title,
        when=spelled(entry.facts.created),
        where=where(entry),
        text=text,
        facts=facts,
        points=points,
    )


def _loosened(said: Mapping[str, Any]) -> Iterator[str]:
    listed = said.get("loosened")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            yield shorten(str(one.get("sentence", "")), LONGEST)
    more = said.get("loosened_not_named")
    if isinstance(more, int) and more > 0:
        yield f"and {more} more, which the entry counts and does not name"


def _flat(value: Mapping[str, Any], prefix: str = "") -> list[Fact]:
    """The plain values of a predicate by their path; what is long is cut, and lists are joined."""
    found: list[Fact] = []
    for key, part in value.items():
        name = f"{prefix}{key}"
        if isinstance(part, dict):
            found += _flat(part, f"{name} ")
        elif name != "created" and part not in (None, "", []):
            text = ", ".join(map(str, part)) if isinstance(part, list) else str(part)
            found.append(Fact(name=named(name.replace("_", " ")), value=shorten(text, LONGEST)))
    return found[:_FIELDS_SHOWN]


def _get(said: Mapping[str, Any], name: str) -> str:
    return shorten(str(said.get(name, "not said")), LONGEST)
