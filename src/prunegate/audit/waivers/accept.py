"""Bring in a waiver: write the request, and verify what was signed before it is filed.

As with approvals two ways give one kind of evidence: ``waived_here`` signs with a key at hand what
``waived_elsewhere`` takes from ``ssh-keygen -Y sign``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prunegate.audit.approvals.accept import Case
from prunegate.audit.approvals.enrolments import Enrolment, checked_text
from prunegate.audit.approvals.person import same_person
from prunegate.audit.approvals.request import expiry
from prunegate.audit.approvals.verified_approvals import signer_of, verified_signature
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.entry import format_created
from prunegate.audit.recompute import policy_of
from prunegate.audit.signing.keys import PrivateKey
from prunegate.audit.signing.ssh_signature import NAMESPACE, fingerprint, key_blob, ssh_sign
from prunegate.audit.waivers.entry import SignedWaiver, read_waiver
from prunegate.audit.waivers.in_force import asked_by_signer
from prunegate.audit.waivers.request import (
    PLACE,
    Ask,
    WaiverRequest,
    latest,
    parse_waiver,
    waiver_document,
)
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.messages import literal
from prunegate.policy.waivers import Waivers
from prunegate.text.escape import escaped
from prunegate.verdict.finding import Finding
from prunegate.verdict.waiver import Waiver, unwaivable


@dataclass(frozen=True, kw_only=True)
class WantedWaiver:
    """Which finding somebody wants waived, and why."""

    rule: int
    """Index in the record's policy, from 0."""
    slice: str
    check: str | None = None
    """None: the only limit of that rule there that can be waived."""
    class_label: str | None = None
    reason: str
    owner: str
    author: str
    expires: str
    """A UTC day (through its end) or time."""


@dataclass(frozen=True, kw_only=True)
class WaiverIn:
    """What was filed, until it is sealed."""

    entry: Path
    request: WaiverRequest
    waiver: Waiver
    signed_entry: bool
    """Whether the gate's key signed the entry too."""


def waiver_request(case: Case, wanted: WantedWaiver) -> bytes:
    """The request for what is wanted, canonical; whoever signs these bytes waives it.

    Raises:
        InputError: it cannot be waived: the message says why.
    """
    waivers = _section(case)
    ask = Ask(
        reason=checked_text(wanted.reason, "--reason"),
        owner=checked_text(wanted.owner, "--owner"),
        author=checked_text(wanted.author, "--author"),
        asked=format_created(case.now),
        expires=_moment(wanted.expires),
    )
    finding = _finding(case, wanted)
    document = waiver_document(case.stored.record, case.stored.digest, finding, ask)
    content = canonical_bytes(document)
    _require_term(case, waivers, parse_waiver(content, "the request"), "--expires")
    return content


def waived_here(case: Case, key: PrivateKey, wanted: WantedWaiver) -> WaiverIn:
    """Sign the request with the approver's key and pend it.

    Raises:
        InputError: it cannot be waived.
        EvidenceError: the key may not sign, or is the author's own.
    """
    content = waiver_request(case, wanted)
    signature = ssh_sign(key, NAMESPACE, content)
    return _brought_in(case, content, signature, "the request", "the signature")


def waived_elsewhere(
    case: Case, content: bytes, signature: bytes, where: str, signature_where: str
) -> WaiverIn:
    """Pend a request that was signed elsewhere.

    Args:
        case: the record.
        content: the request's bytes, as signed.
        signature: armored.
        where: names the request in messages.
        signature_where: names the signature in messages.

    Raises:
        InputError: it cannot be waived, or is in the trail already.
        EvidenceError: of another record, changed, not signed by this key, or the key may not sign.
    """
    try:
        armored = signature.decode("ascii").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{signature_where}: no SSH signature") from error
    return _brought_in(case, content, armored, where, signature_where)


def _brought_in(
    case: Case, content: bytes, armored: str, where: str, signature_where: str
) -> WaiverIn:
    request = _checked(case, content, where)
    verified_signature(content, armored.encode(), signature_where)
    who = _approver(case, content, armored, signature_where)
    said = SignedWaiver(
        created=format_created(case.now),
        person=who.person,
        organisation=who.organisation,
        request=content.decode(),
        signature=armored,
    )
    statement = said.statement(case.stored.record, case.stored.digest)
    entry = case.pend(statement)
    waiver = read_waiver(said, signature_where).waives(entry.name, request.finding["rule"])
    return WaiverIn(entry=entry, request=request, waiver=waiver, signed_entry=case.gate is not None)


def _section(case: Case) -> Waivers:
    waivers = policy_of(case.stored.record).waivers
    if waivers is None:
        raise InputError(
            "this record's policy lets nothing be waived; add 'waivers: {max_days: 30, at_most: 2}'"
            " to the policy and judge again"
        )
    return waivers


def _checked(case: Case, content: bytes, where: str) -> WaiverRequest:
    """The request, which says of this record what the record gives and can be waived."""
    waivers, request = _section(case), parse_waiver(content, where)
    if request.record != case.stored.digest:
        raise EvidenceError(
            f"{where}: is about another record ({literal(request.record[:12])}), not about "
            f"{case.stored.digest[:12]}"
        )
    record = case.stored.record
    place = tuple(request.finding[name] for name in PLACE)
    finding = next((f for f in record.findings if _place(f) == place), None)
    if finding is None:
        raise EvidenceError(f"{where}: the record has no such finding")
    expected = waiver_document(record, case.stored.digest, finding, request.ask)
    wrong = [name for name in expected if expected[name] != request.document[name]]
    if wrong or canonical_bytes(expected) != content:
        name = wrong[0] if wrong else "finding"
        raise EvidenceError(f"{where}: '{name}' is not what the record gives; take the file again")
    for name in ("reason", "owner", "author"):
        checked_text(getattr(request.ask, name), f"{where}: {name}")
    _require_waivable(case, finding)
    _require_term(case, waivers, request, where)
    return request


def _place(finding: Finding) -> tuple[object, ...]:
    return tuple(getattr(finding, name) for name in PLACE)


def _approver(case: Case, content: bytes, armored: str, where: str) -> Enrolment:
    """Who signed: somebody who may, and who did not ask for it."""
    said = SignedWaiver(
        created="", person="", organisation="", request=content.decode(), signature=armored
    )
    read, book = read_waiver(said, where), case.book()
    key = read.signature.fingerprint
    if book.trail.is_revoked(key):
        raise EvidenceError(
            f"{where}: key {key} was revoked; sign with another key, once that is enrolled"
        )
    if case.gate is not None and key == fingerprint(key_blob(case.gate.public_key())):
        raise EvidenceError("the gate's own key never counts as an approver; sign with a person's")
    who = signer_of(book, read.signature, None, case.now)
    author = read.request.ask.author
    if same_person(author, who.person) or asked_by_signer(book, read):
        raise EvidenceError(
            f"{where}: {escaped(who.person)} signed what {escaped(author)} asked for: the same "
            "person; a waiver takes an approver other than its author"
        )
    if any(
        one.request == said.request and one.person == who.person for _, one in book.trail.waivers
    ):
        raise InputError(f"{where}: this waiver is in the audit trail already")
    return who


def _finding(case: Case, wanted: WantedWaiver) -> Finding:
    """The one finding that is meant, where it can be waived."""
    mine = [
        f
        for f in case.stored.record.findings
        if (f.rule, f.slice) == (wanted.rule, wanted.slice)
        and wanted.check in (None, f.check)
        and wanted.class_label in (None, f.class_label)
    ]
    if not mine:
        raise InputError(
            f"the record has no finding of rule {wanted.rule + 1} on {literal(wanted.slice)}"
            f"{'' if wanted.check is None else f' for {literal(wanted.check)}'}; findings.csv "
            "lists them, rules counted from 0"
        )
    policy = policy_of(case.stored.record)
    left = [f for f in mine if unwaivable(policy, f) is None]
    if len(left) > 1:
        told = ", ".join(
            f.check + (f" of class {escaped(f.class_label)}" if f.class_label else "") for f in left
        )
        raise InputError(f"several findings there do not hold ({told}); say --check and --class")
    found = (left or mine)[0]
    _require_waivable(case, found)
    return found


def _require_waivable(case: Case, finding: Finding) -> None:
    why = unwaivable(policy_of(case.stored.record), finding)
    if why is not None:
        raise InputError(
            f"{escaped(finding.metric)} {finding.check} on {escaped(finding.slice)} cannot be "
            f"waived: {why}"
        )


def _require_term(case: Case, waivers: Waivers, request: WaiverRequest, where: str) -> None:
    ask, created = request.ask, format_created(case.now)
    if ask.expires <= created:
        raise InputError(f"{where}: it ends at {ask.expires}, which is over; name a later day")
    end = latest(ask.asked, created, waivers.max_days)
    if expiry(ask.expires) > end:
        raise InputError(
            f"{where}: it ends at {ask.expires}, and the policy lets a waiver run for "
            f"{waivers.max_days} days: until {format_created(end)} at the latest"
        )
    if ask.asked > created:
        raise InputError(f"{where}: it is asked for at {ask.asked}, which is yet to come")


def _moment(text: str) -> str:
    if not text:
        raise InputError("--expires: a waiver has to end; name a UTC day or time")
    return format_created(expiry(text, "--expires"))
