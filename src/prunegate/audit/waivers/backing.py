"""Backing: is every finding that a record calls waived backed by a waiver in the audit trail?

A record by itself can only be consistent (``consistency.py``; recomputing asks that). Whether
somebody did sign what it lists is in the audit folder: the entry has to be there, its signature has
to hold, and it has to say to the letter what the record says of it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from prunegate.audit.approvals.enrolments import parse_utc
from prunegate.audit.approvals.signers_file import FILE, signers_of
from prunegate.audit.approvals.trail import read_trail
from prunegate.audit.approvals.verified_approvals import Book
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.entry import EntryFacts
from prunegate.audit.log.folder import EVIDENCE
from prunegate.audit.read import parse_record
from prunegate.audit.record import DecisionRecord
from prunegate.audit.signing.decision import DECISION
from prunegate.audit.signing.dsse import parse_envelope
from prunegate.audit.signing.statement import parse_statement
from prunegate.audit.waivers.consistency import require_consistent
from prunegate.audit.waivers.entry import Read, read_waiver
from prunegate.audit.waivers.in_force import refused
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.messages import literal
from prunegate.text.escape import escaped
from prunegate.verdict.waiver import Waiver


@dataclass(frozen=True, kw_only=True)
class Backed:
    """A waiver that a record rests on, found in the trail."""

    waiver: Waiver
    sealed: bool
    """Whether the log holds it; else it is pending."""


def require_backed(record: DecisionRecord, book: Book) -> tuple[Backed, ...]:
    """The waivers that a record rests on, each found in the audit trail.

    Args:
        record: it follows from itself.
        book: the trail, and who may sign.

    Raises:
        EvidenceError: one is not there, says something else, or did not count at the time.
    """
    require_consistent(record)
    held = {entry.sha256: (entry, said) for entry, said in book.trail.waivers}
    before = parse_utc(record.created) - timedelta(seconds=1)  # times are whole seconds
    revoked = book.trail.revoked(before)
    found = []
    for one in record.waivers:
        if one.entry not in held:
            raise EvidenceError(
                f"{_named(one)} rests on the waiver {one.entry[:12]}, which is not in the audit "
                "trail; bring the entry back, or judge again"
            )
        entry, said = held[one.entry]
        read = read_waiver(said, entry.where)
        require_same(one, read, entry.where)
        why = refused(book, entry, read, revoked)
        if why is not None:
            raise EvidenceError(
                f"{entry.where}: did not count when {_named(one)} was waived: {why}"
            )
        found.append(Backed(waiver=one, sealed=entry.number is not None))
    return tuple(found)


def require_same(one: Waiver, read: Read, where: str) -> None:
    """That an entry says what a record says that it does.

    Raises:
        EvidenceError: naming the first field in which it does not.
    """
    expected = replace(read.waives(one.entry, one.rule), without=one.without)
    for name in ("slice", "check", "class_label", "terms", "candidate", "expires", "approver"):
        got, wanted = getattr(one, name), getattr(expected, name)
        if got != wanted:
            raise EvidenceError(
                f"{_named(one)}: its {name.replace('_', ' ')} is {literal(got)}, but {where} "
                f"waives {literal(wanted)}"
            )
    if one != expected:
        raise EvidenceError(f"{_named(one)}: is told otherwise than {where} says")


def _named(one: Waiver) -> str:
    return f"the finding on {escaped(one.slice)} (rule {one.rule}, {escaped(one.check)})"


def waived_something(content: bytes, facts: EntryFacts) -> bool:
    """Whether an entry is a decision that waived something."""
    return facts.kind == DECISION and _waives(content)


def _waives(entry: bytes) -> bool:
    """Whether a decision lists waivers; parsing every one of them would take seconds."""
    payload = entry.partition(b'"payload":"')[2].partition(b'"')[0]
    return b'"waivers":[' in base64.b64decode(payload)


def require_all_backed(decisions: Iterable[bytes], audit: Path) -> int:
    """That every decision of a folder which waived something is backed there; how many there are.

    Raises:
        EvidenceError: one is not, or its record is changed.
    """
    decisions = tuple(decisions)
    if not decisions:
        return 0
    book = Book(trail=read_trail(audit), signers=signers_of(audit / FILE))
    for entry in decisions:
        name = f"the decision {hashlib.sha256(entry).hexdigest()[:12]}"
        statement = parse_statement(parse_envelope(entry, name).payload, name)
        kept = audit / EVIDENCE / str(statement.predicate["record"])
        if kept.is_file():  # evidence may be allowed to be gone
            try:
                record = parse_record(kept.read_bytes(), name).record
            except InputError as error:
                raise EvidenceError(f"{name}: its record cannot be read ({error})") from error
            require_listed(record, statement.predicate.get("waivers", []), name)
            require_backed(record, book)
    return len(decisions)


def require_listed(record: DecisionRecord, listed: object, where: str) -> None:
    """That a decision lists the waivers of its record.

    Raises:
        EvidenceError: it lists others.
    """
    if canonical_bytes(listed) != canonical_bytes([one.entry for one in record.waivers]):
        raise EvidenceError(f"{where}: lists other waivers than its record")
