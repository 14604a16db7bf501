"""Entry: a DSSE envelope around an in-toto Statement, and the few facts that the log needs of it.

An entry is the RFC 8785 bytes of the envelope; its statement says ``created`` and names by digest
what lies under ``evidence/`` (``predicate.evidence``, a list of ``{name, digest: {sha256}}``).
Whether the envelope's signatures hold is not asked here: that is for who knows the signers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prunegate.audit.signing.dsse import parse_envelope
from prunegate.audit.signing.statement import Statement, parse_statement
from prunegate.errors import EvidenceError, InputError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CREATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, kw_only=True)
class EntryFacts:
    """What an entry says of itself, as far as the log cares."""

    created: str
    """UTC, ISO 8601 to the second, ending in Z; by the clock of who made the entry."""
    evidence: tuple[str, ...] = ()
    """sha256 of the files under ``evidence/`` that it names."""
    kind: str = ""
    """The statement's predicate type."""
    subject: str = ""
    """Name of the first subject, for people."""
    subjects: tuple[str, ...] = ()
    """sha256 of every subject."""
    signers: tuple[str, ...] = ()
    """Key ids of the envelope's signatures; none: only the log vouches for the entry."""


ReadEntry = Callable[[bytes], EntryFacts]
"""Reads an entry's facts, or raises InputError: it is none."""
RequireForm = Callable[[EntryFacts, Statement], None]
"""Asks an entry for what its kind has to hold, or raises InputError."""


def read_entry(content: bytes, require: RequireForm | None = None) -> EntryFacts:
    """Read an entry of ours, strictly.

    Args:
        content: the entry.
        require: what else is asked of it; None: nothing, as of an entry that the log took already.

    Raises:
        InputError: it is not the canonical bytes of an envelope around a canonical statement.
    """
    try:
        envelope = parse_envelope(content, "the envelope")
        statement = parse_statement(envelope.payload, "the statement")
    except EvidenceError as error:
        raise InputError(str(error)) from error
    facts = EntryFacts(
        created=_created(statement.predicate.get("created")),
        evidence=_evidence(statement.predicate.get("evidence", [])),
        kind=statement.predicate_type,
        subject=statement.subjects[0].name,
        subjects=tuple([subject.sha256 for subject in statement.subjects]),
        signers=tuple([signature.keyid for signature in envelope.signatures]),
    )
    if require is not None:
        require(facts, statement)
    return facts


def may_name(content: bytes, digest: str) -> bool:
    """Whether an entry (or a bundle of entries) can hold ``digest`` in a payload; fast, no parsing.

    Base64 spells a text in one of three ways, by where it falls; the inner characters are fixed.
    """
    return any(needle in content for needle in _needles(digest))


def _needles(digest: str) -> list[bytes]:
    spelled = []
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + digest.encode())
        whole = (shift + len(digest)) // 3 * 4
        spelled.append(encoded[4 if shift else 0 : whole])
    return spelled


def _evidence(value: Any) -> tuple[str, ...]:
    """sha256 of each resource descriptor."""
    found = []
    for one in value if isinstance(value, list) else [None]:
        named = one if isinstance(one, dict) else {}
        digest = named.get("digest")
        sha256 = digest.get("sha256") if isinstance(digest, dict) else None
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise InputError("the predicate's evidence is not a list of {name, digest: {sha256}}")
        if not isinstance(named.get("name", ""), str):
            raise InputError("a name in the predicate's evidence is no text")
        found.append(sha256)
    return tuple(found)


def _created(value: Any) -> str:
    try:
        if isinstance(value, str) and _CREATED.fullmatch(value):
            parse_created(value)
            return value
    except ValueError:
        pass
    raise InputError("the predicate's created is no UTC time such as 2026-11-28T09:00:00Z")


def parse_created(created: str) -> datetime:
    """An entry's ``created`` as a time."""
    return datetime.fromisoformat(created)


def format_created(time: datetime) -> str:
    """A time as an entry's ``created``."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
