"""Whether the policy's approvals are met, from what a bundle holds and nothing else.

The record carries the policy, and the bundle every enrolment and revocation that its log knew, so
roles, distinct people, terms and whose key is whose are judged by the code of ``prunegate status``.
It is the state at the export: what was said later is not in the bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from prunegate.audit.approvals.sentences import refusal_sentences, said_words
from prunegate.audit.approvals.sign_off import RecordFacts, sign_off
from prunegate.audit.approvals.trail import trail_in_bundle
from prunegate.audit.approvals.verified_approvals import Book, said_in
from prunegate.audit.bundle import layout
from prunegate.audit.log.tlog_proof import SUFFIX, parse_tlog_proof
from prunegate.audit.log.trust_policy import parse_trust_policy
from prunegate.audit.read import parse_record
from prunegate.audit.recompute import policy_of
from prunegate.audit.signing.allowed_signers import parse_allowed_signers
from prunegate.audit.signing.decision import RECORD, REPORT
from prunegate.audit.signing.keys import PublicKey, key_id, parse_public_key
from prunegate.audit.verification_report import VerificationCheck

NAME = "sign-off"


def sign_off_in(
    files: Mapping[str, bytes], signers: bytes | None, gate: tuple[PublicKey, ...]
) -> VerificationCheck:
    """Whether what the policy asks for is met.

    Args:
        files: of the bundle, each checked to be what the manifest lists.
        signers: an allowed_signers file that the reader brought; None: the bundle's.
        gate: keys that decide, beside those in the bundle; they never approve.

    Raises:
        EvidenceError: an approval's signature does not hold.
        InputError: a file is malformed.
    """
    stored = parse_record(files[RECORD], RECORD)
    wanted = policy_of(stored.record).approvals
    if wanted is None:
        detail = "the policy asks for no approvals"
        return VerificationCheck(name=NAME, status="not checked", detail=detail)
    entries = [
        (_number(files, name), files[name])
        for name in sorted(files)
        if name == layout.DECISION or (name.startswith(layout.ENTRIES) and name.endswith(".json"))
    ]
    trail = trail_in_bundle(entries, stored.digest, _gate_keys(files, gate))
    listed = files.get(layout.SIGNERS, b"") if signers is None else signers
    book = Book(trail=trail, signers=parse_allowed_signers(listed.decode(), layout.SIGNERS))
    term = stored.record.revalidate_on
    facts = RecordFacts(
        record=stored.digest,
        report=layout.sha256(files[REPORT]),
        outcome=stored.record.outcome,
        revalidate_at=datetime.fromisoformat(f"{term}T00:00:00Z") if term else None,
    )
    now = datetime.now(UTC)
    found = sign_off(wanted, facts, said_in(book), trail.revoked(), now)
    if not found.ships:
        return VerificationCheck(
            name=NAME, status="missing", detail="; ".join(refusal_sentences(found))
        )
    told = "; ".join(said_words(one) for one in found.counted)
    return VerificationCheck(
        name=NAME, status="holds", detail=f"what the policy asks for is met: {told}"
    )


def _number(files: Mapping[str, bytes], name: str) -> int | None:
    """An entry's number in the log; None: the bundle has no proof that it is in."""
    proof = files.get(name.replace(".json", SUFFIX))
    return None if proof is None else parse_tlog_proof(proof)[0].index


def _gate_keys(files: Mapping[str, bytes], given: tuple[PublicKey, ...]) -> frozenset[str]:
    """Ids of the keys that decide, and of the log's."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    inside = [parse_public_key(files[n], n) for n in sorted(files) if n.startswith(layout.KEYS)]
    keys: list[PublicKey] = [*given, *inside]
    if layout.TRUST in files:
        logs = parse_trust_policy(files[layout.TRUST]).logs
        keys += [Ed25519PublicKey.from_public_bytes(log.key.material) for log in logs]
    return frozenset(map(key_id, keys))
