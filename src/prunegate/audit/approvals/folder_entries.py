"""Folder entries: an audit folder verified, and its entries opened, those that can be read apart.

The log keeps what it took. A sealed entry of a kind of ours that nobody can read (another program
sealed it) counts for nothing and is told; a pending one can still be taken out, and has to be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from prunegate.audit.entry_forms import fault_of
from prunegate.audit.log.entry import EntryFacts
from prunegate.audit.log.folder import is_log, read_trust_policy
from prunegate.audit.log.trust_policy import NONE
from prunegate.audit.log.verify import Verified, each_valid_pending, verify_log
from prunegate.audit.signing.dsse import Envelope, parse_envelope
from prunegate.audit.signing.signers import read_signers, signed_reader
from prunegate.audit.signing.statement import Statement, parse_statement
from prunegate.errors import EvidenceError


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
class Unread:
    """A sealed entry of a kind of ours that cannot be read."""

    entry: Entry
    fault: str

    def __str__(self) -> str:
        """For people."""
        return f"{self.entry.where} cannot be read and counts for nothing ({self.fault})"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """An audit folder, verified and read."""

    entries: tuple[Entry, ...]
    """Sealed ones by number, then pending ones by time; only those that can be read."""
    log: Verified | None
    """What was verified; None: there is no log, only pending entries."""
    keys: int
    """Public keys that entries were verified with; 0: their signatures were not looked at."""
    unread: tuple[Unread, ...] = ()
    """Sealed entries of our kinds that cannot be read."""

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
        EvidenceError: the log does not verify, an entry is no statement, or a pending one is not
            what its kind says.
    """
    signers = read_signers(audit)
    read, log = signed_reader(signers), None

    def wanted(_: bytes, facts: EntryFacts) -> bool:
        return kinds is None or facts.kind in kinds

    if is_log(audit):
        policy = replace(read_trust_policy(audit), quorum=NONE)
        log = verify_log(audit, read, keep=wanted, policy=policy, missing_ok=True)
        kept = log.kept
    else:
        pending = each_valid_pending(audit, read)
        kept = tuple(one for one in pending if wanted(one.content, one.facts))
    opened = sorted((open_entry(one.number, one.content, one.facts) for one in kept), key=log_order)
    unread = tuple(_unread(opened))
    left = {one.entry.sha256 for one in unread}
    entries = tuple(entry for entry in opened if entry.sha256 not in left)
    return Folder(entries=entries, log=log, keys=len(signers), unread=unread)


def _unread(entries: Iterable[Entry]) -> Iterator[Unread]:
    """The sealed ones that cannot be read; a pending one can still be taken out."""
    for entry in entries:
        fault = fault_of(entry.facts, entry.statement)
        if fault is not None and entry.number is None:
            raise EvidenceError(
                f"pending/{entry.sha256}: {fault}; take it out of pending/, and ask who wrote it"
            )
        if fault is not None:
            yield Unread(entry=entry, fault=fault)


def log_order(entry: Entry) -> tuple[bool, int, str, str]:
    """By what entries are sorted: sealed ones by number, then pending ones by time."""
    return entry.number is None, entry.number or 0, entry.facts.created, entry.sha256


def open_entry(number: int | None, content: bytes, facts: EntryFacts) -> Entry:
    """An entry with its number (None: pending) and facts, opened."""
    envelope = parse_envelope(content)
    return Entry(
        sha256=hashlib.sha256(content).hexdigest(),
        number=number,
        facts=facts,
        envelope=envelope,
        statement=parse_statement(envelope.payload),
    )
