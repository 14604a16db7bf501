"""History: what an audit folder says was decided, on whose word, and what was in force when.

A candidate is in force from the moment at which its approvals are complete until another one of the
same policy is, or until what carries it ends: an expiry, a term, a revocation, a rejection. That is
what was allowed to be in production; what ran there no log knows. What was replaced does not come
back by itself. Facts only: the page makes the sentences (``report/trail_view.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from prunegate.audit.approvals.approval import APPROVAL
from prunegate.audit.approvals.enrolments import ENROLMENT, REVOCATION, parse_utc
from prunegate.audit.approvals.folder_entries import Entry
from prunegate.audit.approvals.sign_off import (
    PassedOver,
    RecordFacts,
    RestsOn,
    SignOffState,
    VerifiedAnswer,
    sign_off,
)
from prunegate.audit.loosening import LOOSENING
from prunegate.audit.sealed_bar import SEAL
from prunegate.audit.signing.decision import CANDIDATE, DECISION, POLICY
from prunegate.audit.waivers.entry import WAIVER
from prunegate.audit.waivers.verified_waivers import HeardWaiver
from prunegate.policy.approvals import Approvals

Ended = Literal["superseded", "rejected", "revalidate", "waivers", "approvals"]
Bar = Literal["none", "same", "other"]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the record of a decision says of its sign-off."""

    approvals: Approvals | None
    """The policy's section; None: the verdict alone decides."""
    revalidate_at: datetime | None = None
    before_predictions: bool | None = None
    """Whether its bar was sealed before its predictions were made; None: not known."""
    waivers: tuple[RestsOn, ...] = ()
    """What it rests on beside its findings; each is in the folder."""


@dataclass(frozen=True, kw_only=True)
class Spell:
    """A time in which a candidate was in force."""

    decision: Entry
    since: datetime
    until: datetime | None
    """None: no end is known; it may lie ahead."""
    counted: tuple[VerifiedAnswer, ...]
    """The approvals that made it so; none: the policy asks for none."""
    ended: Ended | None = None
    passed_over: tuple[PassedOver, ...] = ()
    """Why approvals no longer count from then on."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One decision and what was said of it."""

    entry: Entry
    policy: str
    """The policy's name."""
    record: str
    """sha256."""
    outcome: str
    sentence: str
    terms: Terms | None
    """None: the record is not in the folder any more, so nothing is known of its sign-off."""
    said: tuple[tuple[VerifiedAnswer, PassedOver | None], ...]
    """Everything that was said of it, with why it does not count now."""
    bar: Bar
    """Whether a bar was sealed for its gate set before it: the same, or another one."""
    bar_entry: Entry | None = None
    waivers: tuple[str, ...] = ()
    """sha256 of the waiver of each finding that was waived."""

    def subject(self, name: str) -> str | None:
        """sha256 of one of the things that the decision binds."""
        subjects = self.entry.statement.subjects
        return next((one.sha256 for one in subjects if one.name == name), None)

    @property
    def predicate(self) -> Mapping[str, Any]:
        """The decision statement's."""
        return self.entry.statement.predicate


@dataclass(kw_only=True)
class Chapter:
    """All that belongs to one policy, in the order of the log."""

    policy: str
    digests: set[str] = field(default_factory=set)
    """sha256 of its files, of the candidates that it judged, and of the records of that."""
    decided: list[Decided] = field(default_factory=list)
    others: list[Entry] = field(default_factory=list)
    """Seals, loosened bars, waivers."""
    spells: tuple[Spell, ...] = ()

    def in_force(self, now: datetime) -> Spell | None:
        """What is in force at a time."""
        held = [s for s in self.spells if s.since <= now and (s.until is None or now < s.until)]
        return held[-1] if held else None


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything, grouped."""

    chapters: tuple[Chapter, ...]
    """By the policy's name."""
    people: tuple[Entry, ...]
    """Enrolments and revocations."""
    rest: tuple[Entry, ...]
    """What belongs to no policy that a decision or a seal names."""


Hear = Callable[[str], Sequence[VerifiedAnswer]]
"""Everything that was said of a record, each signature verified."""


def history(
    entries: Sequence[Entry],
    terms: Mapping[str, Terms],
    hear: Hear,
    revocations: Sequence[tuple[datetime, str]],
    now: datetime,
    waivers: Mapping[str, HeardWaiver],
) -> History:
    """Group entries by policy, and work out what was in force when.

    Args:
        entries: of the folder, in order; each is what its kind says (``entry_forms.py``).
        terms: by record, where the record is at hand.
        hear: what was said of a record.
        revocations: when which key was revoked, by fingerprint.
        now: the time, in UTC.
        waivers: of the folder, by the sha256 of their entry.

    Raises:
        EvidenceError: a signature of what was said does not hold.
    """
    chapters: dict[str, Chapter] = {}
    seals = [entry for entry in entries if entry.facts.kind == SEAL]
    for entry in entries:
        if entry.facts.kind == DECISION:
            one = _decided(entry, seals, terms, hear, revocations, now)
            chapter = chapters.setdefault(one.policy, Chapter(policy=one.policy))
            chapter.decided.append(one)
            chapter.digests |= {d for n in (POLICY, CANDIDATE) if (d := one.subject(n))}
            chapter.digests.add(one.record)
        elif entry.facts.kind == SEAL:
            name = entry.statement.predicate["policy"]["name"]
            chapter = chapters.setdefault(name, Chapter(policy=name))
            chapter.digests.add(entry.statement.subjects[0].sha256)
            chapter.others.append(entry)
    rest = [e for e in entries if e.facts.kind not in (DECISION, SEAL, APPROVAL, *_PEOPLE)]
    left = [entry for entry in rest if not _given_to(chapters.values(), entry, waivers)]
    for chapter in chapters.values():
        chapter.spells = _spells(chapter.decided, hear, revocations)
    return History(
        chapters=tuple(chapters[name] for name in sorted(chapters)),
        people=tuple(entry for entry in entries if entry.facts.kind in _PEOPLE),
        rest=tuple(left),
    )


_PEOPLE = (ENROLMENT, REVOCATION)


def _given_to(
    chapters: Iterable[Chapter], entry: Entry, waivers: Mapping[str, HeardWaiver]
) -> bool:
    """Put a loosened bar or a waiver where what it names is known: of a waiver what was signed."""
    if entry.facts.kind not in (LOOSENING, WAIVER):
        return False
    waiver = waivers.get(entry.sha256)
    about = waiver.about if waiver is not None else frozenset(entry.facts.subjects)
    found = [one for one in chapters if not one.digests.isdisjoint(about)]
    for chapter in found:
        chapter.others.append(entry)
    return bool(found)


def _decided(
    entry: Entry,
    seals: Sequence[Entry],
    terms: Mapping[str, Terms],
    hear: Hear,
    revocations: Sequence[tuple[datetime, str]],
    now: datetime,
) -> Decided:
    said = entry.statement.predicate
    record, outcome = said["record"], said["outcome"]
    bar, sealed = _bar(entry, seals)
    known = terms.get(record)
    heard: tuple[tuple[VerifiedAnswer, PassedOver | None], ...] = ()
    words = hear(record)
    if words:
        standing = _standing(record, outcome, known, words, revocations, now)
        over = {id(one): why for one, why in standing.passed_over}
        heard = tuple((one, over.get(id(one))) for one in words)
    return Decided(
        entry=entry,
        policy=said["policy"]["name"],
        record=record,
        outcome=outcome,
        sentence=said["statement"],
        terms=known,
        said=heard,
        bar=bar,
        bar_entry=sealed,
        waivers=tuple(said.get("waivers", ())),
    )


def _bar(entry: Entry, seals: Sequence[Entry]) -> tuple[Bar, Entry | None]:
    """The bar sealed for a decision's gate set before it: the earliest that is the same."""
    attempt = entry.statement.predicate.get("attempt")
    if attempt is None:
        return "none", None
    mine = [
        one
        for one in seals
        if one.statement.predicate.get("gate_set") == attempt["gate_set"]
        and one.facts.created <= entry.facts.created
    ]
    for one in mine:
        said = one.statement.predicate
        if (said.get("rules"), said.get("contents")) == (attempt["rules"], attempt["contents"]):
            return "same", one
    return ("other", mine[-1]) if mine else ("none", None)


def _standing(
    record: str,
    outcome: str,
    terms: Terms | None,
    said: Sequence[VerifiedAnswer],
    revocations: Sequence[tuple[datetime, str]],
    at: datetime,
) -> SignOffState:
    facts = RecordFacts(
        record=record,
        report=None,
        outcome=outcome,
        revalidate_at=terms.revalidate_at if terms else None,
        waivers=terms.waivers if terms else (),
    )
    revoked = frozenset(key for since, key in revocations if since <= at)
    return sign_off(terms.approvals if terms else None, facts, said, revoked, at)


def _spells(
    decided: Sequence[Decided], hear: Hear, revocations: Sequence[tuple[datetime, str]]
) -> tuple[Spell, ...]:
    """When each candidate of a policy was in force, by their beginnings."""
    seen: set[str] = set()
    alone: list[Spell] = []
    for one in decided:
        if one.outcome == "approve" and one.terms is not None and one.record not in seen:
            seen.add(one.record)
            alone += _alone(one, one.terms, hear(one.record), revocations)
    alone.sort(key=lambda spell: spell.since)
    return tuple(_cut(spell, alone[place + 1 :]) for place, spell in enumerate(alone))


def _alone(
    one: Decided,
    terms: Terms,
    said: Sequence[VerifiedAnswer],
    revocations: Sequence[tuple[datetime, str]],
) -> Iterator[Spell]:
    """The spells of one candidate, as if there were no other."""
    begun: tuple[datetime, SignOffState] | None = None
    for at in _moments(one, terms, said, revocations):
        standing = _standing(one.record, one.outcome, terms, said, revocations, at)
        if standing.ships and begun is None:
            begun = at, standing
        elif not standing.ships and begun is not None:
            yield _spell(one, begun, at, standing)
            begun = None
    if begun is not None:
        yield Spell(decision=one.entry, since=begun[0], until=None, counted=begun[1].counted)


def _moments(
    one: Decided,
    terms: Terms,
    said: Sequence[VerifiedAnswer],
    revocations: Sequence[tuple[datetime, str]],
) -> list[datetime]:
    """Every time at which its standing may change, the future included."""
    decided = parse_utc(one.entry.facts.created)
    longest = terms.approvals.max_age_days if terms.approvals is not None else None
    found = {decided, *(word.at for word in said), *(since for since, _ in revocations)}
    found |= {word.expires for word in said if word.expires is not None}
    if longest is not None:
        found |= {word.at + timedelta(days=longest) for word in said}
    found |= {one.expires for one in terms.waivers}
    if terms.revalidate_at is not None:
        found.add(terms.revalidate_at)
    return sorted(at for at in found if at >= decided)


def _spell(
    one: Decided, begun: tuple[datetime, SignOffState], until: datetime, end: SignOffState
) -> Spell:
    why = [reason.why for reason in end.reasons]
    ended: Ended = "approvals"
    if "rejected" in why:
        ended = "rejected"
    elif "revalidate" in why:
        ended = "revalidate"
    elif "waiver_expired" in why or "waiver_revoked" in why:
        ended = "waivers"
    over = tuple(dict.fromkeys(w for reason in end.reasons for w in reason.passed_over))
    return Spell(
        decision=one.entry,
        since=begun[0],
        until=until,
        counted=begun[1].counted,
        ended=ended,
        passed_over=over,
    )


def _cut(spell: Spell, later: Sequence[Spell]) -> Spell:
    """A spell ends where the next candidate's begins."""
    after = [s for s in later if s.decision is not spell.decision]
    if not after or (spell.until is not None and spell.until <= after[0].since):
        return spell
    return Spell(
        decision=spell.decision,
        since=spell.since,
        until=after[0].since,
        counted=spell.counted,
        ended="superseded",
    )
