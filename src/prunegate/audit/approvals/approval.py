"""Approval: one person's answer to a request, as an entry of the log.

A signed one holds the request as its signer signed it, byte for byte, and her SSH signature: it can
be checked with ``ssh-keygen -Y verify`` and nothing else. An attested one holds what the agency
says that somebody said; the gate's signature on the entry is all that vouches for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from prunegate.audit.approvals.request import ApprovalRequest, parse_request
from prunegate.audit.record import DecisionRecord
from prunegate.audit.signing.decision import CANDIDATE, POLICY, RECORD, REPORT
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.audit.signing.strict_json import require_keys
from prunegate.errors import EvidenceError, InputError

APPROVAL = "urn:prunegate:approval:v1"
"""Predicate type of an approval, a rejection or a question."""

Kind = Literal["signed", "attested"]
_FIELDS = frozenset(
    {"created", "kind", "person", "organisation", "request", "signature", "rationale", "cosigned"}
)


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What one entry says."""

    created: str
    """When it was brought in: UTC, by the clock of whoever did."""
    kind: Kind
    person: str
    organisation: str
    request: str
    """The very text that was signed."""
    signature: str | None = None
    """The armored SSH signature of the request."""
    rationale: str | None = None
    """attested: how the agency knows."""
    cosigned: Mapping[str, str] | None = None
    """The checkpoint that the signer saw, with her cosignature (``note``), and her verifier key
    (``vkey``); None: she saw none, or her key is not Ed25519."""

    def asked(self, where: str) -> ApprovalRequest:
        """The request, read.

        Raises:
            EvidenceError: it cannot be read.
        """
        try:
            return parse_request(self.request.encode(), where)
        except (InputError, UnicodeEncodeError) as error:
            raise EvidenceError(f"{where}: {error}") from error

    def statement(
        self, record: DecisionRecord, record_sha256: str, report_sha256: str
    ) -> Statement:
        """The statement about the record that it answers."""
        digests = {
            RECORD: record_sha256,
            REPORT: report_sha256,
            POLICY: record.policy.sha256,
            CANDIDATE: record.model_digest(CANDIDATE),
        }
        predicate = {name: getattr(self, name) for name in sorted(_FIELDS)}
        return Statement(
            subjects=tuple(Subject(name=n, sha256=d) for n, d in digests.items() if d is not None),
            predicate_type=APPROVAL,
            predicate=predicate,
        )


def approval_in(predicate: dict[str, Any], where: str) -> Approval:
    """Read an approval; ``where`` names the entry in messages.

    Raises:
        EvidenceError: it is none.
    """
    require_keys(predicate, _FIELDS, where)
    texts = ("created", "person", "organisation", "request")
    signed, attested = predicate["signature"], predicate["rationale"]
    whole = all(isinstance(predicate[name], str) for name in texts)
    fits = {"signed": isinstance(signed, str), "attested": isinstance(attested, str)}
    if not whole or not fits.get(str(predicate["kind"]), False):
        raise EvidenceError(f"{where}: no approval; a text of it is missing")
    return Approval(**predicate)
