"""approval-request.json: what a client signs, beside the report, where the policy asks for it.

Canonical JSON (RFC 8785) on one line, with nothing after it. The four fields of its answer stand at
the very beginning and are empty; as it is written it approves nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from prunegate.audit.read import StoredRecord
from prunegate.audit.recompute import policy_of


def write_request(stored: StoredRecord, folder: Path, audit: Path) -> Path | None:
    """Write the request beside report.html; None: the policy asks for no approvals.

    Args:
        stored: the record, as it was kept.
        folder: where report.html was written.
        audit: the audit folder, whose log the signer is told the state of.

    Raises:
        InputError: it cannot be written.
        EvidenceError: the log's checkpoint is malformed.
    """
    if policy_of(stored.record).approvals is None:
        return None
    from prunegate.audit.approvals.request import FILE, request_document
    from prunegate.audit.approvals.witness import seen_in
    from prunegate.audit.canonical import canonical_bytes
    from prunegate.io.atomic import write_whole

    page = hashlib.sha256((folder / "report.html").read_bytes()).hexdigest()
    document = request_document(stored.record, stored.digest, page, seen_in(audit))
    write_whole(folder / FILE, canonical_bytes(document))
    return folder / FILE
