"""Entry: a DSSE envelope around an in-toto Statement, and the few facts that the log needs of it.

An entry is the RFC 8785 bytes of the envelope; its statement says ``created`` and names by digest
what lies under ``evidence/`` (``predicate.evidence``, a list of ``{name, digest: {sha256}}``).
Whether the envelope's signatures hold is not asked here: that is for who knows the signers.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prunegate.errors import InputError, InternalError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

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


class _FloatError(Exception):
    """A number that ``json`` may spell otherwise than RFC 8785."""


def _float(text: str) -> float:
    raise _FloatError(text)


_DECODER = json.JSONDecoder(parse_float=_float)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_entry(content: bytes) -> EntryFacts:
    """Read an entry of ours, strictly.

    Raises:
        InputError: it is not the canonical bytes of an envelope around a canonical statement.
    """
    envelope, text, _ = _object(content, "the envelope")
    if set(envelope) != {"payload", "payloadType", "signatures"}:
        raise InputError("the envelope's keys are not payload, payloadType, signatures")
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise InputError(f"the envelope's payloadType is not {PAYLOAD_TYPE}")
    signers = _signers(envelope["signatures"])
    payload = _base64(envelope["payload"], "payload")
    if text != _spelled(envelope):
        raise InputError("the envelope is not in canonical form (RFC 8785)")
    statement = _canonical_object(payload, "the statement")
    if statement.get("_type") != STATEMENT_TYPE:
        raise InputError(f"the payload's _type is not {STATEMENT_TYPE}")
    kind, predicate = statement.get("predicateType"), statement.get("predicate")
    if not isinstance(kind, str) or not kind or not isinstance(predicate, dict):
        raise InputError("the statement has no predicateType, or its predicate is no object")
    subjects = _resources(statement.get("subject"), "subject")
    return EntryFacts(
        created=_created(predicate.get("created")),
        evidence=tuple(d for _, d in _resources(predicate.get("evidence", []), "evidence")),
        kind=kind,
        subject=subjects[0][0] if subjects else "",
        subjects=tuple(digest for _, digest in subjects),
        signers=signers,
    )


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


def _spelled(envelope: dict[str, Any]) -> str:
    """The envelope in RFC 8785, put together: its two texts are known to need no escapes."""
    signatures = envelope["signatures"] and _ENCODER.encode(envelope["signatures"])
    head = f'{{"payload":"{envelope["payload"]}","payloadType":"{PAYLOAD_TYPE}"'
    return f'{head},"signatures":{signatures}}}'


def _canonical_object(content: bytes, what: str) -> dict[str, Any]:
    """A JSON object from its RFC 8785 bytes.

    ``json`` agrees with RFC 8785 where all is ASCII and no number is a float; only else is the
    slower library asked.
    """
    value, text, has_float = _object(content, what)
    plain = content.isascii() and not has_float
    if not (plain and _ENCODER.encode(value) == text) and _rfc8785(value, what) != content:
        raise InputError(f"{what} is not in canonical form (RFC 8785)")
    return value


def _object(content: bytes, what: str) -> tuple[dict[str, Any], str, bool]:
    """A JSON object, its text, and whether a float is in it."""
    has_float = False
    try:
        text = content.decode()
        try:
            value = _DECODER.decode(text)
        except _FloatError:
            value, has_float = json.loads(text), True
    except (ValueError, RecursionError) as error:
        raise InputError(f"{what} is no JSON") from error
    if not isinstance(value, dict):
        raise InputError(f"{what} is no JSON object")
    return value, text, has_float


def _rfc8785(value: dict[str, Any], what: str) -> bytes:
    from prunegate.audit.canonical import canonical_bytes

    try:
        return canonical_bytes(value)
    except InternalError as error:
        raise InputError(f"{what} has no canonical form (RFC 8785)") from error


def _signers(signatures: Any) -> tuple[str, ...]:
    if not isinstance(signatures, list):
        raise InputError("the envelope's signatures are no list")
    for one in signatures:
        if not isinstance(one, dict) or set(one) != {"keyid", "sig"}:
            raise InputError("a signature of the envelope is not {keyid, sig}")
        if not isinstance(one["keyid"], str):
            raise InputError("a keyid of the envelope is no text")
        _base64(one["sig"], "sig")
    return tuple(one["keyid"] for one in signatures)


def _base64(text: Any, what: str) -> bytes:
    try:
        content = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        content = b""
    if not content or base64.b64encode(content).decode() != text:
        raise InputError(f"the envelope's {what} is not base64")
    return content


def _resources(value: Any, what: str) -> list[tuple[str, str]]:
    """Name and sha256 of each resource descriptor."""
    found = []
    for one in value if isinstance(value, list) else [None]:
        digest = one.get("digest") if isinstance(one, dict) else None
        sha256 = digest.get("sha256") if isinstance(digest, dict) else None
        name = one.get("name", "") if isinstance(one, dict) else None
        if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise InputError(
                f"the statement's {what} is not a list of {{name, digest: {{sha256}}}}"
            )
        if not isinstance(name, str):
            raise InputError(f"a name in the statement's {what} is no text")
        found.append((name, sha256))
    return found


def _created(value: Any) -> str:
    try:
        if isinstance(value, str) and _CREATED.fullmatch(value):
            parse_time(value)
            return value
    except ValueError:
        pass
    raise InputError("the predicate's created is no UTC time such as 2026-11-28T09:00:00Z")


def parse_time(created: str) -> datetime:
    """An entry's ``created`` as a time."""
    return datetime.fromisoformat(created)


def format_time(time: datetime) -> str:
    """A time as an entry's ``created``."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
