"""Trail: what the audit folder says of people, approvals and waivers: sealed entries, then pending.

Where there is a log, all of it is verified before a word of it is believed. Pending entries count
too: they are what has just been said, and only the log's key will vouch for when.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
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
    parse_utc,
    revocation_in,
)
from prunegate.audit.log.entry import EntryFacts, ReadEntry, read_entry
from prunegate.audit.log.folder import as_evidence, is_log, read_trust_policy
from prunegate.audit.log.pending import each_pending
from prunegate.audit.log.trust_policy import NONE
from prunegate.audit.log.verify import Verified, verify_log
from prunegate.audit.signing.decision import DECISION
from prunegate.audit.signing.dsse import Envelope, parse_envelope
from prunegate.audit.signing.keys import PublicKey, key_id
from prunegate.audit.signing.signers import read_signers, signed_reader
from prunegate.audit.signing.statement import Statement, parse_statement
from prunegate.audit.waivers.entry import WAIVER, SignedWaiver, waiver_in

GATE_WRITES = frozenset({DECISION, "urn:prunegate:seal:v1"})
"""Kinds of entry that only the gate signs."""
TOLD = frozenset({ENROLMENT, REVOCATION, APPROVAL, WAIVER})
"""Kinds that say something of people, or that people say."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry, opened."""

    sha256: str
    number: int | None
    """In the log; None: pending."""
    facts: EntryFacts
    envelope: Envelope
    statement: Statement

    @property
    def where(self) -> str:
        """For messages."""
        place = f"pending/{self.sha256[:12]}" if self.number is None else f"entry {self.number}"
        return f"{place} ({self.facts.kind.split(':')[-2]})"


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
            owner = one.person.casefold() == mine[0].person.casefold()
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
    return trail_of(audit, read_folder(audit, GATE_WRITES | TOLD).entries, record)


def trail_of(audit: Path, entries: Sequence[Entry], record: str | None) -> Trail:
    """What entries of a folder say of people, and of approvals of one record.

    Raises:
        EvidenceError: an entry is not what its kind says.
    """
    return _trail(entries, record, _gate_signers(audit, entries))


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
    found = sorted((_opened(n, c, read_entry(c)) for n, c in entries), key=_order)
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


@dataclass(frozen=True, kw_only=True)
class Folder:
    """An audit folder, verified and read."""

    entries: tuple[Entry, ...]
    """Sealed ones by number, then pending ones by time."""
    log: Verified | None
    """What was verified; None: there is no log, only pending entries."""
    keys: int
    """Public keys that entries were verified with; 0: their signatures were not looked at."""

    @property
    def by_sha256(self) -> dict[str, Entry]:
        """Entries by the sha256 of their content."""
        return {entry.sha256: entry for entry in self.entries}


def read_folder(audit: Path, kinds: frozenset[str] | None = None) -> Folder:
    """Verify the folder and open its entries.

    Args:
        audit: the audit folder; one that is not there says nothing.
        kinds: of which kinds; None: of all.

    Raises:
        EvidenceError: the log does not verify, or an entry is no statement.
    """
    signers = read_signers(audit)
    taken = _Taken(signed_reader(signers), kinds)
    log, size = None, 0
    if is_log(audit):
        policy = replace(read_trust_policy(audit), quorum=NONE)
        log = verify_log(audit, taken.read, policy=policy, missing_ok=True)
        size = log.checkpoint.size
    else:
        with as_evidence("a pending file"):
            for name, content in each_pending(audit):
                with as_evidence(f"pending/{name[:12]} (take it out of there)"):
                    taken.read(content)
    opened = [_opened(n if n < size else None, c, f) for n, c, f in taken.kept]
    return Folder(entries=tuple(sorted(opened, key=_order)), log=log, keys=len(signers))


def _order(entry: Entry) -> tuple[bool, int, str, str]:
    return entry.number is None, entry.number or 0, entry.facts.created, entry.sha256


class _Taken:
    """Keeps, while a log is verified, the entries that are wanted here."""

    def __init__(self, reader: ReadEntry, kinds: frozenset[str] | None) -> None:
        self._reader = reader
        self._kinds = kinds
        self.kept: list[tuple[int, bytes, EntryFacts]] = []
        self._count = 0

    def read(self, content: bytes) -> EntryFacts:
        number, self._count = self._count, self._count + 1
        facts = self._reader(content)
        if self._kinds is None or facts.kind in self._kinds:
            self.kept.append((number, content, facts))
        return facts


def _opened(number: int | None, content: bytes, facts: EntryFacts) -> Entry:
    envelope = parse_envelope(content)
    return Entry(
        sha256=hashlib.sha256(content).hexdigest(),
        number=number,
        facts=facts,
        envelope=envelope,
        statement=parse_statement(envelope.payload),
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
