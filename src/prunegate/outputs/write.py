"""Write: the files that every verdict leaves behind, from one record."""

from __future__ import annotations

import hashlib
from pathlib import Path

from prunegate.audit.read import StoredRecord
from prunegate.audit.recompute import policy_of
from prunegate.io.atomic import write_whole
from prunegate.outputs.findings_csv import render_findings_csv
from prunegate.outputs.junit import render_junit
from prunegate.outputs.summary import render_summary


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
    from prunegate.audit.approvals.cosigning import seen_in
    from prunegate.audit.approvals.request import FILE, request_document
    from prunegate.audit.canonical import canonical_bytes
    from prunegate.io.atomic import write_whole

    page = hashlib.sha256((folder / "report.html").read_bytes()).hexdigest()
    document = request_document(stored.record, stored.digest, page, seen_in(audit))
    write_whole(folder / FILE, canonical_bytes(document))
    return folder / FILE


REPORT = "report.html"


def write_files(stored: StoredRecord, page: str, folder: Path) -> None:
    """Write report.html, record.json, summary.md, junit.xml and findings.csv.

    Args:
        stored: the decision, as it was read back.
        page: its report, from ``render``.
        folder: an existing folder.

    Raises:
        InputError: the folder cannot be written (a full disk, for example).
    """
    record, named = stored.record, stored.digest
    contents = {
        "record.json": stored.content,
        REPORT: page.encode(),
        "summary.md": render_summary(record, named).encode(),
        "junit.xml": render_junit(record).encode(),
        "findings.csv": render_findings_csv(record).encode(),
    }
    for name, content in contents.items():
        write_whole(folder / name, content)
