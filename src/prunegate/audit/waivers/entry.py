"""Waiver entry: a signed waiver request as an entry of the log.

Like a signed approval it holds the request byte for byte and the approver's SSH signature, so that
``ssh-keygen -Y verify`` and nothing else can check it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prunegate.audit.record import DecisionRecord
from prunegate.audit.signing.decision import CANDIDATE, POLICY, RECORD
from prunegate.audit.signing.ssh_signature import SshSignature, parse_ssh_signature, verify_ssh
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.audit.signing.strict_json import require_keys
from prunegate.audit.waivers.request import WaiverRequest, as_waiver, parse_waiver
from prunegate.errors import EvidenceError, InputError
from prunegate.verdict.waiver import Waiver

WAIVER = "urn:prunegate:waiver:v1"
"""Predicate type of a waiver."""
ANSWERS = "candidate answers"
"""Name of the subject that tells the candidate by its answers on the gate set."""

_FIELDS = ("created", "organisation", "person", "request", "signature")


@dataclass(frozen=True, kw_only=True)
class SignedWaiver:
    """What one entry says."""

    created: str
    """When it was brought in: UTC, by the clock of whoever did."""
    person: str
    """Who signed, as her key is enrolled."""
    organisation: str
    request: str
    """The very text that was signed."""
    signature: str
    """The armored SSH signature of the request."""

    def statement(self, record: DecisionRecord, record_sha256: str) -> Statement:
        """The statement about the record whose finding it waives."""
        told = record.attempt.candidate if record.attempt is not None else ()
        digests = {RECORD: record_sha256, POLICY: record.policy.sha256}
        digests |= dict(zip((ANSWERS, CANDIDATE), told, strict=False))
        return Statement(
            subjects=tuple(Subject(name=n, sha256=d) for n, d in digests.items()),
            predicate_type=WAIVER,
            predicate={name: getattr(self, name) for name in _FIELDS},
        )


@dataclass(frozen=True, kw_only=True)
class Read:
    """A waiver entry whose signature holds; whose key it is was not asked."""

    said: SignedWaiver
    request: WaiverRequest
    signature: SshSignature

    def waives(self, entry: str, rule: int) -> Waiver:
        """What it waives, where its rule has an index in the policy at hand."""
        said = self.said
        return as_waiver(
            self.request,
            entry=entry,
            rule=rule,
            created=said.created,
            approver=said.person,
            key=self.signature.fingerprint,
        )


def waiver_in(predicate: dict[str, Any], where: str) -> SignedWaiver:
    """Read a waiver; ``where`` names the entry in messages.

    Raises:
        EvidenceError: it is none.
    """
    require_keys(predicate, frozenset(_FIELDS), where)
    if not all(isinstance(value, str) for value in predicate.values()):
        raise EvidenceError(f"{where}: no waiver; a text of it is missing")
    return SignedWaiver(**predicate)


def read_waiver(said: SignedWaiver, where: str) -> Read:
    """A waiver's request, with its signature verified.

    Raises:
        EvidenceError: the request cannot be read, or the signature is not one of it.
    """
    try:
        content = said.request.encode()
        signature = parse_ssh_signature(said.signature.encode(), where)
    except (InputError, UnicodeEncodeError) as error:
        raise EvidenceError(f"{where}: {error}") from error
    verify_ssh(signature, content, where=where)
    return Read(said=said, request=parse_waiver(content, where), signature=signature)
