"""Waivers of a bundle: is each waived finding backed by an entry that lies there too?

The audit folder's own check (``audit/waivers/backing.py``) asks the enrolments as well, of which a
bundle has copies only; here the allowed signers say whose key is whose, as with approvals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prunegate.audit.approvals.enrolments import ENROLMENT, REVOCATION, enrolment_in
from prunegate.audit.bundle.layout import sha256
from prunegate.audit.log.entry import parse_created
from prunegate.audit.record import DecisionRecord
from prunegate.audit.signing.allowed_signers import parse_allowed_signers, who_signed
from prunegate.audit.signing.keys import PublicKey
from prunegate.audit.signing.ssh_signature import fingerprint, key_blob
from prunegate.audit.signing.statement import Statement
from prunegate.audit.waivers.backing import require_same
from prunegate.audit.waivers.consistency import require_consistent
from prunegate.audit.waivers.entry import WAIVER, Read, read_waiver, waiver_in
from prunegate.errors import EvidenceError
from prunegate.policy.approvals import GATE
from prunegate.text.escape import escaped
from prunegate.verdict.waiver import Waiver, told

Entries = Mapping[str, tuple[bytes, Statement]]
"""Content and statement of the bundle's entries, by name."""


def waivers_backed(
    record: DecisionRecord, entries: Entries, keys: Sequence[PublicKey], listed: str
) -> Iterator[str]:
    """What was waived, one sentence each.

    Args:
        record: as read.
        entries: of the bundle.
        keys: that decide, as they lie in the bundle; none of them may waive.
        listed: the allowed signers.

    Raises:
        EvidenceError: a finding is waived without a waiver, or one is not what the record says.
    """
    require_consistent(record)
    names = {sha256(content): name for name, (content, _) in entries.items()}
    gate = _gate_keys(entries, keys)
    revoked = {s.predicate["fingerprint"] for _, s in _of_kind(entries, REVOCATION)}
    for one in record.waivers:
        if one.entry not in names:
            raise EvidenceError(
                f"the finding on {escaped(one.slice)} (rule {one.rule}) rests on the waiver "
                f"{one.entry[:12]}, which is not in the bundle"
            )
        name = names[one.entry]
        _require_backed(one, name, entries[name][1], listed)
        if one.key in gate:
            raise EvidenceError(f"{name}: was signed with the gate's own key, which never approves")
        ended = "; its key was revoked, so it holds no more" if one.key in revoked else ""
        yield f"{escaped(told(one, one.without))}, with the key {one.key}{ended}"


def _require_backed(one: Waiver, name: str, statement: Statement, listed: str) -> None:
    if statement.predicate_type != WAIVER:
        raise EvidenceError(f"{name}: is no waiver, but the record rests on it as one")
    read = read_waiver(waiver_in(statement.predicate, name), name)
    require_same(one, read, name)
    _require_allowed(read, name, listed)


def _require_allowed(read: Read, name: str, listed: str) -> None:
    signers = parse_allowed_signers(listed, "allowed_signers")
    lines = who_signed(signers, read.signature.key_blob, parse_created(read.said.created))
    if not any(line.is_of(read.said.person) for line in lines):
        key = read.signature.fingerprint
        raise EvidenceError(f"{name}: the key {key} is not of {escaped(read.said.person)}")


def _of_kind(entries: Entries, kind: str) -> Iterator[tuple[str, Statement]]:
    yield from ((name, one) for name, (_, one) in entries.items() if one.predicate_type == kind)


def _gate_keys(entries: Entries, keys: Sequence[PublicKey]) -> set[str]:
    """Fingerprints of the keys that decide: those given, and those enrolled as the gate's."""
    found = {fingerprint(key_blob(key)) for key in keys}
    for name, one in _of_kind(entries, ENROLMENT):
        if one.predicate.get("role") == GATE:
            found.add(enrolment_in(one.predicate, name).fingerprint)
    return found
