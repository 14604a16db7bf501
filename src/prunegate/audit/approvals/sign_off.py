"""Standing: may this record's candidate ship now? A pure function of what people have said.

Fails closed, and moves one way only: taking an approval away, adding a rejection, a revocation or
time never turns a no into a yes. Hence whoever approved twice keeps the longer of both terms; to
shorten it she rejects first, which takes back all that she approved before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from prunegate.audit.approvals.person import folded_name, same_person
from prunegate.audit.approvals.request import Decision
from prunegate.policy.approvals import Approvals, Required

Why = Literal[
    "outcome",
    "revalidate",
    "rejected",
    "missing",
    "not_enough",
    "not_distinct",
    "no_approver",
    "waiver_expired",
    "waiver_revoked",
    "waiver_not_sealed",
]
PassedOver = Literal[
    "another_record",
    "another_page",
    "not_yet",
    "revoked",
    "expired",
    "too_old",
    "taken_back",
    "attested",
    "role",
    "gate",
    "not_allowed",
    "not_sealed",
    "enrolment_not_sealed",
    "repeated",
]


@dataclass(frozen=True, kw_only=True)
class RestsOn:
    """A waiver that the record rests on."""

    approver: str
    key: str
    """Fingerprint of the key that signed it."""
    expires: datetime
    sealed: bool = True
    """Whether it is in the log, or need not be."""


@dataclass(frozen=True, kw_only=True)
class RecordFacts:
    """What is known of the record."""

    record: str
    """sha256."""
    report: str | None
    """sha256 of its page; None: the page is not at hand, and any is taken."""
    outcome: str
    revalidate_at: datetime | None = None
    """From when on the decision has to be taken anew."""
    waivers: tuple[RestsOn, ...] = ()
    """What it rests on beside its findings."""


@dataclass(frozen=True, kw_only=True)
class VerifiedAnswer:
    """One person's decision on one record, its signature verified."""

    record: str
    report: str
    role: str
    decision: Decision
    person: str
    organisation: str
    """Empty: not known, and then never distinct from another."""
    key: str
    """Fingerprint of the key that signed; empty: attested by the agency."""
    at: datetime
    """When it was brought in; UTC."""
    conditions: str = ""
    expires: datetime | None = None
    refused: PassedOver | None = None
    """Why it cannot count whatever else is so: its key is the gate's, or was not allowed."""
    entry: str = ""
    """sha256 of the entry of the log."""
    number: int | None = None
    """Its number in the log; None: not sealed yet."""

    @property
    def attested(self) -> bool:
        """Whether only the agency vouches for it."""
        return not self.key


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One reason why it may not ship."""

    why: Why
    role: str = ""
    """The role that it is about, if it is about one."""
    needed: int = 0
    given: int = 0
    by: tuple[str, ...] = ()
    """People whom it is about."""
    passed_over: tuple[PassedOver, ...] = ()
    """Why approvals in this role do not count."""


@dataclass(frozen=True, kw_only=True)
class SignOffState:
    """Whether it may ship, and everything that speaks for and against."""

    reasons: tuple[Refusal, ...]
    """Empty: it may ship."""
    counted: tuple[VerifiedAnswer, ...]
    """Approvals that count, in order."""
    passed_over: tuple[tuple[VerifiedAnswer, PassedOver], ...]
    """What does not count, and why."""
    objections: tuple[VerifiedAnswer, ...] = ()
    """Rejections and questions that stand, in order."""

    @property
    def ships(self) -> bool:
        """Whether it may ship."""
        return not self.reasons


def sign_off(
    wanted: Approvals | None,
    facts: RecordFacts,
    said: Sequence[VerifiedAnswer],
    revoked: Collection[str],
    now: datetime,
) -> SignOffState:
    """Whether a record's candidate may ship.

    Args:
        wanted: the policy's section; None: the verdict alone decides, though a rejection stops it.
        facts: of the record.
        said: everything that people said, of whatever record, in the order of the log.
        revoked: fingerprints of keys that are no longer trusted.
        now: the time, in UTC.
    """
    judged = [
        (one, _passed_over(one, wanted, facts, said[place + 1 :], revoked, now))
        for place, one in enumerate(said)
    ]
    counted = [one for one, why in judged if why is None and one.decision == "approve"]
    reasons = [*_of_record(facts, now), *_of_waivers(facts, revoked, now)]
    objections = [one for one, why in judged if why is None and one.decision != "approve"]
    if people := tuple(dict.fromkeys(x.person for x in objections if x.decision == "reject")):
        reasons.append(Refusal(why="rejected", by=people))
    if wanted is not None:
        reasons += _of_roles(wanted, counted, judged)
    return SignOffState(
        reasons=tuple(reasons),
        counted=tuple(counted),
        passed_over=tuple((one, why) for one, why in judged if why is not None),
        objections=tuple(objections),
    )


def ships_until(
    wanted: Approvals | None,
    facts: RecordFacts,
    said: Sequence[VerifiedAnswer],
    revoked: Collection[str],
    now: datetime,
) -> datetime | None:
    """When a record's candidate ceases to ship by time alone; None: it does not, or never does.

    Args: as ``sign_off``.
    """
    if not sign_off(wanted, facts, said, revoked, now).ships:
        return None
    longest = wanted.max_age_days if wanted is not None else None
    ends = {facts.revalidate_at, *(one.expires for one in said), *(one.at for one in said)}
    ends |= {one.expires for one in facts.waivers}
    if longest is not None:
        ends |= {one.at + timedelta(days=longest) for one in said}
    later = sorted(end for end in ends if end is not None and end > now)
    ended = (end for end in later if not sign_off(wanted, facts, said, revoked, end).ships)
    return next(ended, None)


def _of_record(facts: RecordFacts, now: datetime) -> Iterator[Refusal]:
    if facts.outcome != "approve":
        yield Refusal(why="outcome")
    if facts.revalidate_at is not None and now >= facts.revalidate_at:
        yield Refusal(why="revalidate")


def _of_waivers(facts: RecordFacts, revoked: Collection[str], now: datetime) -> Iterator[Refusal]:
    """Waivers that the record rests on and that hold no more; one reason of a kind for all."""
    ended: dict[Why, list[RestsOn]] = {
        "waiver_expired": [one for one in facts.waivers if now >= one.expires],
        "waiver_revoked": [one for one in facts.waivers if one.key in revoked],
        "waiver_not_sealed": [one for one in facts.waivers if not one.sealed],
    }
    for why, found in ended.items():
        if found:
            yield Refusal(why=why, by=tuple(dict.fromkeys(one.approver for one in found)))


def _of_roles(
    wanted: Approvals,
    counted: Sequence[VerifiedAnswer],
    judged: Sequence[tuple[VerifiedAnswer, PassedOver | None]],
) -> Iterator[Refusal]:
    if not wanted.required:  # the schema refuses it; a policy from elsewhere must not pass by it
        yield Refusal(why="no_approver")
    short = False
    for role in wanted.required:
        given = [one for one in counted if one.role == role.role]
        if not _can_be_filled([role], given, wanted):
            short = True
            yield _short(role, given, judged)
    if not short and not _can_be_filled(wanted.required, counted, wanted):
        yield Refusal(why="not_distinct", by=tuple(dict.fromkeys(one.person for one in counted)))


def _short(
    role: Required,
    given: Sequence[VerifiedAnswer],
    judged: Sequence[tuple[VerifiedAnswer, PassedOver | None]],
) -> Refusal:
    """Too few of a role: none at all, too few, or enough that are not distinct."""
    over = tuple(
        dict.fromkeys(
            why
            for one, why in judged
            if why is not None and one.role == role.role and one.decision == "approve"
            if why not in ("another_record", "not_yet")
        )
    )
    many = len(given) >= role.count
    why: Why = "not_distinct" if many else "not_enough" if given else "missing"
    return Refusal(why=why, role=role.role, needed=role.count, given=len(given), passed_over=over)


def _passed_over(
    one: VerifiedAnswer,
    wanted: Approvals | None,
    facts: RecordFacts,
    later: Sequence[VerifiedAnswer],
    revoked: Collection[str],
    now: datetime,
) -> PassedOver | None:
    """Why something said does not stand; None: it does.

    A rejection or question stands where an approval would not: it needs no page, no role and no
    term, and revoking its key does not undo it.
    """
    if one.record != facts.record:
        return "another_record"
    if one.at > now:
        return "not_yet"
    if one.refused is not None:
        return one.refused
    if one.decision == "approve":
        why = _approval_passed_over(one, wanted, facts, revoked, now)
        if why is not None:
            return why
    return "taken_back" if any(_takes_back(b, one, facts, revoked, now) for b in later) else None


def _approval_passed_over(
    one: VerifiedAnswer,
    wanted: Approvals | None,
    facts: RecordFacts,
    revoked: Collection[str],
    now: datetime,
) -> PassedOver | None:
    roles = (one.role,) if wanted is None else wanted.roles
    weak = one.attested and wanted is not None and wanted.attested != "count"
    longest = wanted.max_age_days if wanted is not None else None
    against: dict[PassedOver, bool] = {
        "revoked": one.key in revoked,
        "another_page": facts.report is not None and one.report != facts.report,
        "expired": one.expires is not None and now >= one.expires,
        "role": one.role not in roles,
        "attested": weak,
        "too_old": longest is not None and now >= one.at + timedelta(days=longest),
    }
    return next((why for why, holds in against.items() if holds), None)


def _takes_back(
    later: VerifiedAnswer,
    one: VerifiedAnswer,
    facts: RecordFacts,
    revoked: Collection[str],
    now: datetime,
) -> bool:
    """Whether a later word of the same person replaces an earlier one.

    Only an approval takes a rejection back, and only one that is worth as much: the agency cannot
    attest a signed rejection away, and a revoked key cannot sign it away.
    """
    same = same_person(later.person, one.person) and later.record == one.record
    if not same or later.at > now or later.refused is not None:
        return False
    if one.decision == "approve":
        return later.decision != "approve"
    if one.decision == "discuss":
        return True
    as_good = later.key not in revoked and (one.attested or not later.attested)
    return later.decision == "approve" and as_good and _is_of(later, facts)


def _is_of(one: VerifiedAnswer, facts: RecordFacts) -> bool:
    return one.record == facts.record and facts.report in (None, one.report)


def _can_be_filled(
    roles: Sequence[Required], counted: Sequence[VerifiedAnswer], wanted: Approvals
) -> bool:
    """Whether some choice of the approvals fills all roles and differs in what the policy says."""
    alike = {
        (x.role, folded_name(x.person), folded_name(x.organisation), x.key): x for x in counted
    }
    slots = [one.role for one in roles for _ in range(one.count)]
    return _fills(slots, tuple(alike.values()), wanted, ())


def _fills(
    slots: Sequence[str],
    left: tuple[VerifiedAnswer, ...],
    wanted: Approvals,
    chosen: tuple[VerifiedAnswer, ...],
) -> bool:
    """Go through all choices, slot by slot; a policy has nine at most, those of a role together."""
    if not slots:
        return True
    return any(
        _fills(slots[1:], _after(left, number), wanted, (*chosen, one))
        for number, one in enumerate(left)
        if one.role == slots[0] and all(_differ(one, other, wanted) for other in chosen)
    )


def _after(left: tuple[VerifiedAnswer, ...], number: int) -> tuple[VerifiedAnswer, ...]:
    """What is still to choose from: of the role that was chosen only what comes later."""
    role = left[number].role
    return tuple(one for n, one in enumerate(left) if n > number or one.role != role)


def _differ(one: VerifiedAnswer, other: VerifiedAnswer, wanted: Approvals) -> bool:
    """Whether two approvals differ in all that the policy says; what is not known does not."""
    if same_person(one.person, other.person) and one.role == other.role:
        return False  # nobody counts twice in one role, whatever the policy says
    for what in wanted.distinct:
        a, b = (x.key if what == "key" else folded_name(getattr(x, what)) for x in (one, other))
        if not a or not b or a == b:
            return False
    return True
