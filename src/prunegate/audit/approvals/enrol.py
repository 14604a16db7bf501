"""Enrol and revoke: an entry of the log, then the allowed_signers file beside it.

The entry comes first: should the machine stop in between, a key is written down that may not sign
yet, or one is revoked that the file still lists; neither lets anything pass.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from prunegate.audit.approvals.enrolments import Enrolment, Revocation, parse_utc
from prunegate.audit.approvals.person import same_person
from prunegate.audit.approvals.signers_file import FILE, allow, disallow, signers_of
from prunegate.audit.approvals.trail import Trail, read_trail
from prunegate.audit.log.durable_files import write_durably
from prunegate.audit.log.pending import add_pending
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import PrivateKey, key_id
from prunegate.audit.signing.ssh_signature import fingerprint
from prunegate.errors import InputError
from prunegate.text.escape import escaped


def enrol(audit: Path, found: Enrolment, gate: PrivateKey | None, now: datetime) -> Path:
    """Pend an enrolment and allow its key to sign; where the entry lies.

    Args:
        audit: the audit folder.
        found: whose key is whose.
        gate: the gate's key, which signs the entry, where it is at hand.
        now: the time, in UTC.

    Raises:
        InputError: the key is another person's, was revoked, is both the gate's and a person's, or
            would never be valid.
        EvidenceError: the audit folder does not verify.
    """
    trail, key = read_trail(audit), found.fingerprint
    if trail.is_revoked(key):
        raise InputError(f"key {key} was revoked, which is for good; enrol another key")
    if found.valid_until is not None and parse_utc(found.valid_until) <= now:
        raise InputError(f"--valid-until {found.valid_until} is over; name a later day")
    for _, other in trail.enrolments:
        if other.fingerprint != key:
            continue
        if not same_person(other.person, found.person):
            raise InputError(
                f"key {key} is enrolled for {escaped(other.person)} already; a key has one owner"
            )
        if other.is_gate != found.is_gate:
            raise InputError(f"key {key} is the gate's in one entry and a person's in the other")
    if not found.is_gate and _is_of_gate(found, trail):
        raise InputError(
            f"key {key} is the gate's or the log's own (it lies in signers/, or signed what only "
            "the gate signs), which never approves; enrol a key that only its person holds"
        )
    path = audit / FILE
    signers_of(path)  # a file that cannot be read is found before the entry is written
    keys = [gate] if gate is not None else []
    entry = add_pending(sign_envelope(found.statement().to_bytes(), keys), audit)
    if not found.is_gate:
        allow(path, found)
    return entry


def _is_of_gate(found: Enrolment, trail: Trail) -> bool:
    """Whether a key signs for the gate; an RSA key never does."""
    return not found.key.startswith("ssh-rsa ") and key_id(found.public) in trail.gate_signers


def revoke(audit: Path, found: Revocation, gate: PrivateKey | None, now: datetime) -> Path:
    """Pend a revocation and end the validity of its key; where the entry lies.

    Raises:
        InputError: nobody has enrolled or allowed such a key.
        EvidenceError: the audit folder does not verify.
    """
    path = audit / FILE
    trail = read_trail(audit)
    enrolled = {one.fingerprint for _, one in trail.enrolments}
    known = enrolled | {fingerprint(one.key_blob) for one in signers_of(path)}
    if found.fingerprint not in known:
        listed = ", ".join(sorted(known)) or "none"
        raise InputError(f"no key {found.fingerprint} is enrolled here; there are: {listed}")
    if trail.is_revoked(found.fingerprint):
        raise InputError(
            f"key {found.fingerprint} was revoked already, which is for good; nothing was added"
        )
    keys = [gate] if gate is not None else []
    entry = sign_envelope(found.statement().to_bytes(), keys)
    before = path.read_bytes() if path.exists() else None
    if before is not None:  # first: who kills us here trusts the key too little, and can go on
        disallow(path, found.fingerprint, now)
    try:
        return add_pending(entry, audit)
    except BaseException:
        if before is not None:
            write_durably(path, before)
        raise
