"""Trail: what the audit folder says of people, approvals and waivers: sealed entries, then pending.

Where there is a log, all of it is verified before a word of it is believed. Pending entries count
too: they are what has just been said, and only the log's key will vouch for when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from prunegate.audit.approvals.approval import APPROVAL, Approval, approval_in
from prunegate.audit.approvals.enrolments import (
    ENROLMENT,
    REVOCATION,
    Enrolment,
    Revocation,
    enrolment_in,
    keys_named_in,
    parse_utc,
    revocation_in,
)
from prunegate.audit.approvals.folder_entries import (
    Entry,
    Folder,
    Unread,
    log_order,
    open_entry,
    read_folder,
)
from prunegate.audit.approvals.person import same_person
from prunegate.audit.approvals.request import parse_request
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.folder import EVIDENCE, is_log, read_trust_policy
from prunegate.audit.signing.decision import DECISION
from prunegate.audit.signing.keys import PublicKey, key_id
from prunegate.audit.signing.signers import read_signers
from prunegate.audit.waivers.entry import WAIVER, SignedWaiver, waiver_in
from prunegate.errors import EvidenceError, InputError

GATE_WRITES = frozenset({DECISION, "urn:prunegate:seal:v1"})
"""Kinds of entry that only the gate signs."""
TOLD = frozenset({ENROLMENT, REVOCATION, APPROVAL, WAIVER})
"""Kinds that say something of people, or that people say."""


@dataclass(frozen=True, kw_only=True)
class Trail:
    """What the folder says, in order."""

    enrolments: tuple[tuple[Entry, Enrolment], ...]
    revocations: tuple[Revocation, ...]
    approvals: tuple[tuple[Entry, Approval], ...]
    """Of the record that was asked for."""
    waivers: tuple[tuple[Entry, SignedWaiver], ...]
    """Of every record."""
    gate_signers: frozenset[str]
    """Ids of keys that signed what only the gate signs or are listed to, and of the log's own."""
    unread: tuple[Unread, ...] = ()
    """Sealed entries of our kinds that cannot be read, and count for nothing."""
    gone: tuple[str, ...] = ()
    """sha256 of what the decision on the record names as evidence and the folder has no more."""

    def enrolled(
        self, key: str, role: str | None, at: datetime, *, sealed: bool = False
    ) -> Enrolment | None:
        """The enrolment of a key in a role at a time; the first one says whose key it is.

        Args:
            key: fingerprint.
            role: None: in any.
            at: only what had been enrolled by then.
            sealed: only what the log holds.
        """
        mine = [one for entry, one in self.enrolments
                if one.fingerprint == key and parse_utc(one.created) <= at
                and (entry.number is not None or not sealed)]  # fmt: skip
        for one in mine:
            owner = same_person(one.person, mine[0].person)
            held = one.valid_until is None or at <= parse_utc(one.valid_until)
            if owner and held and role in (None, one.role):
                return one
        return None

    def gate_keys(self, at: datetime) -> tuple[PublicKey, ...]:
        """The keys that may attest."""
        return tuple(
            one.public
            for _, one in self.enrolments
            if one.is_gate and parse_utc(one.created) <= at
            if not self.is_revoked(one.fingerprint, at)
        )

    def is_revoked(self, key: str, at: datetime | None = None) -> bool:
        """Whether a key was revoked, by a time or at all."""
        return key in self.revoked(at)

    def revoked(self, at: datetime | None = None) -> frozenset[str]:
        """Fingerprints of keys that were revoked, by a time or at all."""
        return frozenset(
            one.fingerprint
            for one in self.revocations
            if at is None or parse_utc(one.created) <= at
        )


def read_trail(audit: Path, record: str | None = None) -> Trail:
    """Verify the folder and read what it says of people, and of approvals of one record.

    Args:
        audit: the audit folder; one that is not there says nothing.
        record: sha256 of a record.

    Raises:
        EvidenceError: the log does not verify, or a file or entry is not what its kind says.
    """
    return trail_of(audit, read_folder(audit, GATE_WRITES | TOLD), record)


def trail_of(audit: Path, folder: Folder, record: str | None) -> Trail:
    """What a folder says of people, and of approvals of one record.

    Raises:
        EvidenceError: nobody can tell which key a revocation, or an enrolment, is about.
    """
    for one in folder.unread:
        if record in one.entry.facts.subjects and _may_object(one.entry):
            raise EvidenceError(
                f"{one}; it may be a rejection of this record, so nothing ships by it: judge the "
                "candidate again, and ask who sealed that entry"
            )
    every = [*folder.entries, *(one.entry for one in folder.unread)]
    found = _trail(folder.entries, record, _gate_signers(audit, every))
    ended = tuple(key for one in folder.unread for key in _ended_by(one, found))
    return replace(found, revocations=(*found.revocations, *ended), unread=folder.unread,
                   gone=tuple(_gone(audit, folder.entries, record)))  # fmt: skip


def _gone(audit: Path, entries: Sequence[Entry], record: str | None) -> Iterator[str]:
    named = [
        digest
        for entry in entries
        if entry.facts.kind == DECISION and record in entry.facts.subjects
        for digest in entry.facts.evidence
    ]
    return (one for one in dict.fromkeys(named) if not (audit / EVIDENCE / one).exists())


def _may_object(entry: Entry) -> bool:
    """Whether an unread entry may say no: an approval that is passed over takes nothing away."""
    if entry.facts.kind != APPROVAL:
        return False
    try:
        asked = parse_request(str(entry.statement.predicate.get("request")).encode(), entry.where)
    except (InputError, UnicodeEncodeError):
        return True
    return asked.answer.decision != "approve"


def _ended_by(one: Unread, trail: Trail) -> tuple[Revocation, ...]:
    """The keys that an unread entry ends: whatever it was to say of them, it was not that they may.

    A revocation that is passed over would let a lost key sign on, and an enrolment may say that a
    key is the gate's or somebody else's. So the keys that such an entry names count no more; where
    a revocation names none that is known here, nobody can tell whose it was, and nothing is told.
    """
    entry = one.entry
    if entry.facts.kind not in (ENROLMENT, REVOCATION):
        return ()
    known = {each.fingerprint for _, each in trail.enrolments}
    named = keys_named_in(entry.statement) & known
    if not named and entry.facts.kind == REVOCATION:
        raise EvidenceError(
            f"{one}; which key it revokes nobody can tell, so none can be relied on: begin another "
            "log (prunegate audit init), enrol who is still trusted, and ask who sealed this"
        )
    return tuple(
        Revocation(created=entry.facts.created, fingerprint=key, reason=f"{entry.where}: unread")
        for key in sorted(named)
    )


def trail_in_bundle(
    entries: Iterable[tuple[int | None, bytes]], record: str, gate: frozenset[str]
) -> Trail:
    """The same of entries that lie in a bundle, each with its number in the log.

    Args:
        entries: number (None: not sealed) and content, in any order.
        record: sha256 of a record.
        gate: ids of the keys that decide, and of the log's.

    Raises:
        EvidenceError: an entry is not what its kind says.
    """
    found = sorted((open_entry(n, c, read_entry(c)) for n, c in entries), key=log_order)
    return _trail(found, record, gate | _writers(found))


def approvals_of(entries: Iterable[Entry], record: str) -> tuple[tuple[Entry, Approval], ...]:
    """The approvals of one record, of entries that are approvals.

    Raises:
        EvidenceError: an entry is not what its kind says.
    """
    return tuple(
        (one, approval_in(one.statement.predicate, one.where))
        for one in entries
        if record in one.facts.subjects
    )


def _trail(entries: Sequence[Entry], record: str | None, gate: frozenset[str]) -> Trail:
    found: dict[str, list[Entry]] = {kind: [] for kind in TOLD}
    for entry in entries:
        if entry.facts.kind in found:
            found[entry.facts.kind].append(entry)
    return Trail(
        enrolments=tuple(
            (e, enrolment_in(e.statement.predicate, e.where)) for e in found[ENROLMENT]
        ),
        revocations=tuple(revocation_in(e.statement.predicate, e.where) for e in found[REVOCATION]),
        approvals=() if record is None else approvals_of(found[APPROVAL], record),
        waivers=tuple((e, waiver_in(e.statement.predicate, e.where)) for e in found[WAIVER]),
        gate_signers=gate,
    )


def _writers(entries: Sequence[Entry]) -> frozenset[str]:
    """Ids of keys that signed what only the gate signs."""
    return frozenset(s for e in entries if e.facts.kind in GATE_WRITES for s in e.facts.signers)


def _gate_signers(audit: Path, entries: Sequence[Entry]) -> frozenset[str]:
    found = _writers(entries) | {key_id(key) for key in read_signers(audit)}
    if is_log(audit):
        for log in read_trust_policy(audit).logs:
            found |= {key_id(Ed25519PublicKey.from_public_bytes(log.key.material))}
    return found
