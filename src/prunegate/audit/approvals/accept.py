"""Bring in: verify what somebody said of a record, and pend it in the audit trail.

Two ways give one kind of evidence: ``signed_here`` signs with a key at hand what
``signed_elsewhere`` takes from ``ssh-keygen -Y sign``. The third, ``attested``, is weaker: the
gate's key says that somebody said it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prunegate.audit.approvals.approval import Approval
from prunegate.audit.approvals.cosigning import cosigned, require_seen, seen_in
from prunegate.audit.approvals.enrolments import Enrolment
from prunegate.audit.approvals.person import same_person, unmistakable_person
from prunegate.audit.approvals.request import (
    Answer,
    ApprovalRequest,
    answered_bytes,
    expiry,
    parse_request,
    request_document,
    require_about,
)
from prunegate.audit.approvals.signers_file import FILE, signers_of
from prunegate.audit.approvals.trail import read_trail
from prunegate.audit.approvals.verified_approvals import ENROL, Book, signer_of, verified_signature
from prunegate.audit.log.entry import format_created
from prunegate.audit.log.pending import add_pending
from prunegate.audit.read import StoredRecord
from prunegate.audit.recompute import policy_of
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import PrivateKey, key_id
from prunegate.audit.signing.ssh_signature import NAMESPACE, fingerprint, key_blob, ssh_sign
from prunegate.audit.signing.statement import Statement
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.messages import literal, suggest
from prunegate.text.escape import escaped


@dataclass(frozen=True, kw_only=True)
class Case:
    """A record that somebody decides on, and where what she says is kept."""

    stored: StoredRecord
    """As read: its verdict follows from what it holds."""
    report: str
    """sha256 of its page, which was verified."""
    audit: Path
    allowed: Path | None = None
    """The allowed_signers file; None: the audit folder's own."""
    gate: PrivateKey | None = None
    """The gate's key, which signs the entry, where it is at hand."""
    person: str | None = None
    """Whom the key that signs has to be of; None: of anybody who may sign."""
    now: datetime

    @property
    def signers_file(self) -> Path:
        """Where the allowed signers stand."""
        return self.audit / FILE if self.allowed is None else self.allowed

    def book(self) -> Book:
        """Who may sign.

        Raises:
            EvidenceError: the audit folder does not verify.
            InputError: the allowed signers cannot be read.
        """
        trail = read_trail(self.audit, self.stored.digest)
        return Book(trail=trail, signers=signers_of(self.signers_file))

    def pend(self, statement: Statement) -> Path:
        """Put a statement into the trail as an entry, signed by the gate's key where it is here."""
        keys = [self.gate] if self.gate is not None else []
        return add_pending(sign_envelope(statement.to_bytes(), keys), self.audit)

    def document(self) -> dict[str, Any]:
        """The request for this record, with the log as it is now."""
        record, digest = self.stored.record, self.stored.digest
        return request_document(record, digest, self.report, seen_in(self.audit))


@dataclass(frozen=True, kw_only=True)
class BroughtIn:
    """What was filed, until it is sealed."""

    entry: Path
    request: ApprovalRequest
    approval: Approval
    signed_entry: bool
    """Whether the gate's key signed the entry too."""


def signed_here(case: Case, key: PrivateKey, answer: Answer) -> BroughtIn:
    """Sign the request with a person's key and pend it.

    Raises:
        InputError: the policy asks for no such role, or the answer is over already.
        EvidenceError: the key may not sign in that role.
    """
    content = answered_bytes(case.document(), _dated(case, answer))
    signature = ssh_sign(key, NAMESPACE, content)
    who, request = _checked(case, content, signature.encode(), "the request", "the signature")
    seal = cosigned(case.audit, request.seen, key, who.person, case.now)
    return _pend(case, request, _signed(case, content, signature, who, seal))


def signed_elsewhere(
    case: Case, content: bytes, signature: bytes, where: str, signature_where: str
) -> BroughtIn:
    """Pend a request that was answered and signed elsewhere.

    Args:
        case: the record.
        content: the request's bytes, as signed.
        signature: armored.
        where: names the request in messages.
        signature_where: names the signature in messages.

    Raises:
        InputError: no request, not answered, no signature, or a role that the policy has not.
        EvidenceError: of another record, changed, not signed by this key, or the key may not sign.
    """
    who, request = _checked(case, content, signature, where, signature_where)
    armored = signature.decode("ascii").replace("\r\n", "\n")
    return _pend(case, request, _signed(case, content, armored, who, None))


def attested(case: Case, answer: Answer, person: str, organisation: str, why: str) -> BroughtIn:
    """Pend what the agency says that somebody said; the gate's key signs for it.

    Raises:
        InputError: there is no key, nobody is named, or the role is not the policy's.
        EvidenceError: the key is not enrolled as the gate's.
    """
    if case.gate is None:
        raise InputError(
            "an attested approval is signed by the gate's key: give it with --key FILE, or "
            "PRUNEGATE_KEY holds it as PEM"
        )
    if not why.strip():
        raise InputError("--rationale says nothing; write how you know: an e-mail of what day")
    document = case.document()
    content = answered_bytes(document, _dated(case, answer))
    request = _read(case, content, "the request")
    keys = {key_id(key) for key in case.book().trail.gate_keys(case.now)}
    if key_id(case.gate.public_key()) not in keys:
        raise EvidenceError(
            "this key is not enrolled as the gate's, so its word would not count; enrol it: "
            f"{ENROL.replace('--role R', '--role gate')}"
        )
    approval = Approval(
        created=format_created(case.now),
        kind="attested",
        person=unmistakable_person(person),
        organisation=organisation,
        request=content.decode(),
        rationale=why.strip(),
    )
    return _pend(case, request, approval)


def _checked(
    case: Case, content: bytes, signature: bytes, where: str, signature_where: str
) -> tuple[Enrolment, ApprovalRequest]:
    request = _read(case, content, where)
    found = verified_signature(content, signature, signature_where)
    require_seen(case.audit, request.seen, where)
    book = case.book()
    if book.trail.is_revoked(found.fingerprint):
        raise EvidenceError(
            f"{signature_where}: key {found.fingerprint} was revoked; sign with another key of the "
            "same person, once that is enrolled"
        )
    if case.gate is not None and found.fingerprint == _fingerprint(case.gate):
        raise EvidenceError("the gate's own key never counts as an approver; sign with a person's")
    who = signer_of(book, found, request.answer.role, case.now)
    if case.person is not None and not same_person(case.person, who.person):
        raise EvidenceError(
            f"{signature_where}: the key {found.fingerprint} is {escaped(who.person)}'s, not "
            f"{escaped(case.person)}'s; ask who signed, or leave --person out"
        )
    said = {(one.person, one.request) for _, one in book.trail.approvals}
    if (who.person, content.decode()) in said:
        raise InputError(
            f"{where}: these very bytes are in the audit trail already, and count there once; to "
            "say the same again, write the day into 'date' and sign anew"
        )
    return who, request


def _dated(case: Case, answer: Answer) -> Answer:
    """The answer with the time of saying it."""
    return replace(answer, date=format_created(case.now))


def _read(case: Case, content: bytes, where: str) -> ApprovalRequest:
    """The request, which is about this record and in a role that its policy asks for."""
    request = parse_request(content, where)
    require_about(request, case.document(), where)
    policy = policy_of(case.stored.record)
    if policy.approvals is None:
        raise InputError(
            "this record's policy asks for no approvals, so there is nothing to sign; add "
            "'approvals: {required: [{role: client, count: 1}]}' to the policy and judge again"
        )
    role, roles = request.answer.role, policy.approvals.roles
    if role not in roles:
        raise InputError(
            f"{where}: the policy asks for no approval as {literal(role)}; {suggest(role, roles)}"
        )
    until = request.answer.expires
    if until and expiry(until, where) <= case.now:
        raise InputError(
            f"{where}: it expires at {escaped(until)}, which is over; name a later day"
        )
    return request


def _signed(
    case: Case, content: bytes, signature: str, who: Enrolment, seal: Mapping[str, str] | None
) -> Approval:
    return Approval(
        created=format_created(case.now),
        kind="signed",
        person=who.person,
        organisation=who.organisation,
        request=content.decode(),
        signature=signature,
        cosigned=seal,
    )


def _pend(case: Case, request: ApprovalRequest, approval: Approval) -> BroughtIn:
    stored = case.stored
    statement = approval.statement(stored.record, stored.digest, case.report)
    signed = case.gate is not None
    entry = case.pend(statement)
    return BroughtIn(entry=entry, request=request, approval=approval, signed_entry=signed)


def _fingerprint(key: PrivateKey) -> str:
    return fingerprint(key_blob(key.public_key()))


def utc_now() -> datetime:
    """Now, to the second; ``SOURCE_DATE_EPOCH`` fixes it."""
    from prunegate.audit.provenance import now

    return datetime.fromisoformat(now()).astimezone(UTC)
