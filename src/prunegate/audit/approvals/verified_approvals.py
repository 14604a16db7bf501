"""Hearing: what the trail's approvals are worth, each with its signature verified again.

A signature that does not hold is evidence that does not verify. A signature that holds, of a key
that may not sign, is heard and does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from prunegate.audit.approvals.approval import Approval
from prunegate.audit.approvals.enrolments import Enrolment, parse_utc
from prunegate.audit.approvals.folder_entries import Entry
from prunegate.audit.approvals.person import folded_name
from prunegate.audit.approvals.request import ApprovalRequest, expiry
from prunegate.audit.approvals.sign_off import PassedOver, VerifiedAnswer
from prunegate.audit.approvals.trail import Trail
from prunegate.audit.signing.allowed_signers import AllowedSigner, who_signed
from prunegate.audit.signing.dsse import verify_envelope
from prunegate.audit.signing.keys import key_id
from prunegate.audit.signing.ssh_signature import SshSignature, parse_ssh_signature, verify_ssh
from prunegate.errors import EvidenceError, InputError
from prunegate.text.escape import escaped

ENROL = "prunegate audit enrol --person WHO --organisation O --role R --key FILE.pub --by WHO"


@dataclass(frozen=True, kw_only=True)
class Book:
    """Who may sign: the trail and the allowed signers."""

    trail: Trail
    signers: Sequence[AllowedSigner]


def verified_signature(request: bytes, signature: bytes, where: str) -> SshSignature:
    """The signature of a request, which holds.

    Raises:
        InputError: it is no SSH signature.
        EvidenceError: it is of other bytes, or was made for another namespace.
    """
    found = parse_ssh_signature(signature, where)
    verify_ssh(found, request, where=where)
    return found


def is_gate(trail: Trail, signature: SshSignature) -> bool:
    """Whether the key is the gate's own or the log's."""
    enrolled = any(
        e.is_gate and e.fingerprint == signature.fingerprint for _, e in trail.enrolments
    )
    public = signature.public
    return enrolled or (
        not isinstance(public, RSAPublicKey) and key_id(public) in trail.gate_signers
    )


def signer_of(
    book: Book, signature: SshSignature, role: str | None, at: datetime, *, sealed: bool = False
) -> Enrolment:
    """Whose signature it is, where she may sign in a role (None: in any) at a time.

    Raises:
        EvidenceError: the key is the gate's, is not allowed to sign then, or is not enrolled.
    """
    key, trail = signature.fingerprint, book.trail
    if is_gate(trail, signature):
        raise EvidenceError(
            f"key {key} is the gate's or the log's own, which never approves; sign with the key of "
            "the person who does"
        )
    lines = who_signed(book.signers, signature.key_blob, at)
    found = trail.enrolled(key, role, at, sealed=sealed)
    if found is None:
        other = trail.enrolled(key, None, at, sealed=sealed)
        held = f"is enrolled as {escaped(other.role)} only" if other else "is not enrolled"
        asked = "" if role is None else f", not as {escaped(role)}"
        raise EvidenceError(f"key {key} {held}{asked}; enrol it: {ENROL}")
    if not any(line.is_of(found.person) for line in lines):
        raise EvidenceError(
            f"key {key} is enrolled for {escaped(found.person)}, but the allowed signers give it "
            f"to {escaped(lines[0].principals)} ({lines[0].place}); one of the two is wrong"
        )
    return found


def said_in(book: Book, *, sealed: bool = False) -> tuple[VerifiedAnswer, ...]:
    """Everything that was said of a record, in order.

    Args:
        book: who may sign; its trail is of that record.
        sealed: whether only what the log holds may count for something.

    Raises:
        EvidenceError: an entry's signature does not hold, or its request cannot be read.
    """
    heard: set[tuple[str, str]] = set()
    found = []
    for entry, one in book.trail.approvals:
        said = _said(book, entry, one, sealed)
        word = (said.key or folded_name(said.person), one.request)
        if word in heard and said.refused is None:  # else an old word undoes a later one
            said = replace(said, refused="repeated")
        elif said.refused in (None, "not_sealed"):
            heard.add(word)
        found.append(said)
    return tuple(found)


def _said(book: Book, entry: Entry, one: Approval, sealed: bool) -> VerifiedAnswer:
    asked = one.asked(entry.where)
    at = parse_utc(entry.facts.created)
    open_yet = sealed and entry.number is None and asked.answer.decision == "approve"
    late: PassedOver | None = "not_sealed" if open_yet else None
    if one.kind == "attested":
        refused = _attested_refusal(book.trail, entry, at) or late
        return _of(entry, asked, at, one, "", refused)
    try:
        signature = verified_signature(
            one.request.encode(), str(one.signature).encode(), entry.where
        )
    except InputError as error:
        raise EvidenceError(str(error)) from error
    try:
        who = signer_of(book, signature, asked.answer.role, at, sealed=sealed)
    except EvidenceError:
        why: PassedOver = "gate" if is_gate(book.trail, signature) else "not_allowed"
        if sealed and _may_sign(book, signature, asked.answer.role, at):
            why = "enrolment_not_sealed"
        return _of(entry, asked, at, one, signature.fingerprint, why)
    return _of(entry, asked, at, who, signature.fingerprint, late)


def _may_sign(book: Book, signature: SshSignature, role: str, at: datetime) -> bool:
    try:
        signer_of(book, signature, role, at)
    except EvidenceError:
        return False
    return True


def _attested_refusal(trail: Trail, entry: Entry, at: datetime) -> PassedOver | None:
    return None if verify_envelope(entry.envelope, trail.gate_keys(at)) else "not_allowed"


def _of(
    entry: Entry,
    asked: ApprovalRequest,
    at: datetime,
    who: Approval | Enrolment,
    key: str,
    refused: PassedOver | None,
) -> VerifiedAnswer:
    return VerifiedAnswer(
        record=asked.record,
        report=asked.report,
        role=asked.answer.role,
        decision=asked.answer.decision,
        person=who.person,
        organisation=who.organisation,
        key=key,
        at=at,
        conditions=asked.answer.conditions,
        expires=expiry(asked.answer.expires) if asked.answer.expires else None,
        refused=refused,
        entry=entry.sha256,
        number=entry.number,
    )
