"""Statement: what is claimed (a predicate) of which artefacts (subjects), as in-toto Statement v1.

Subjects are matched by digest, names are for people. A statement alone proves nothing: it lies in a
DSSE envelope, and that in the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.signing.strict_json import parse_canonical_object, require_keys
from prunegate.errors import EvidenceError
from prunegate.policy.messages import literal

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"

_FIELDS = frozenset({"_type", "subject", "predicateType", "predicate"})
_SUBJECT_FIELDS = frozenset({"name", "digest"})
_DIGEST_FIELDS = frozenset({"sha256"})
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TYPE_URI = re.compile(r"(https://|urn:)[!-~]+")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One artefact that a statement is about."""

    name: str
    """For people; unique within the statement."""
    sha256: str
    """In lower-case hexadecimal."""

    def plain(self) -> dict[str, Any]:
        """The resource descriptor, plain JSON."""
        return {"name": self.name, "digest": {"sha256": self.sha256}}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A claim about artefacts; its canonical bytes are what is signed."""

    subjects: tuple[Subject, ...]
    """At least one."""
    predicate_type: str
    """The kind of claim, a URI."""
    predicate: dict[str, Any]
    """The claim, plain JSON."""

    def to_bytes(self) -> bytes:
        """RFC 8785 bytes.

        Raises:
            EvidenceError: this would be no statement that can be read back.
        """
        content = canonical_bytes(
            {
                "_type": STATEMENT_TYPE,
                "subject": [subject.plain() for subject in self.subjects],
                "predicateType": self.predicate_type,
                "predicate": self.predicate,
            }
        )
        parse_statement(content)
        return content


def parse_statement(content: bytes, where: str = "statement") -> Statement:
    """Read a statement's canonical bytes; ``where`` names them in messages.

    Raises:
        EvidenceError: anything but a statement of this form.
    """
    value = parse_canonical_object(content, where)
    require_keys(value, _FIELDS, where)
    if value["_type"] != STATEMENT_TYPE:
        raise EvidenceError(f"{where}: its type is {literal(value['_type'])}, not {STATEMENT_TYPE}")
    kind = value["predicateType"]
    if not isinstance(kind, str) or not _TYPE_URI.fullmatch(kind):
        raise EvidenceError(f"{where}: the predicate type {literal(kind)} is no URI")
    if not isinstance(value["predicate"], dict):
        raise EvidenceError(f"{where}: 'predicate' is no object")
    return Statement(
        subjects=_subjects(value["subject"], where),
        predicate_type=kind,
        predicate=value["predicate"],
    )


def _subjects(value: Any, where: str) -> tuple[Subject, ...]:
    if not isinstance(value, list) or not value:
        raise EvidenceError(f"{where}: has no subject, so it is about nothing")
    found = tuple([_subject(item, where, number) for number, item in enumerate(value)])
    seen: set[str] = set()
    for subject in found:
        if subject.name in seen:
            raise EvidenceError(f"{where}: two subjects are called {literal(subject.name)}")
        seen.add(subject.name)
    return found


def _subject(value: Any, where: str, number: int) -> Subject:
    if isinstance(value, dict) and value.keys() == _SUBJECT_FIELDS:
        name, digest = value["name"], value["digest"]
        if isinstance(digest, dict) and digest.keys() == _DIGEST_FIELDS:
            sha256 = digest["sha256"]
            well = isinstance(name, str) and name and isinstance(sha256, str)
            if well and _SHA256.fullmatch(sha256):
                return Subject(name=name, sha256=sha256)
    raise EvidenceError(_no_subject(value, f"{where}: subject[{number}]"))


def _no_subject(value: Any, where: str) -> str:
    """Why a value is no subject."""
    try:
        require_keys(value, _SUBJECT_FIELDS, where)
        require_keys(value["digest"], _DIGEST_FIELDS, f"{where}: digest")
    except EvidenceError as error:
        return str(error)
    if not isinstance(value["name"], str) or not value["name"]:
        return f"{where}: has no name"
    return f"{where}: {literal(value['digest']['sha256'])} is no sha256 in lower-case hexadecimal"
