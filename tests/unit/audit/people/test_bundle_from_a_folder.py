"""What a folder lacks, or holds otherwise than it says, makes no bundle of a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.audit.people.conftest import ANN

from prunegate.audit.approvals.accept import Case, signed_here
from prunegate.audit.approvals.request import Answer
from prunegate.audit.bundle import layout
from prunegate.audit.bundle.export import ExportRequest, export_bundle
from prunegate.audit.bundle.layout import sha256
from prunegate.audit.bundle.sign_off import sign_off_in
from prunegate.audit.canonical import canonical_bytes, digest
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.seal import begin_log
from prunegate.audit.read import StoredRecord
from prunegate.audit.signing.decision import decision_statement
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.errors import EvidenceError, InputError

PAGE = b"<p>a page</p>"
LOG = Ed25519PrivateKey.from_private_bytes(bytes([5]) * 32)


@pytest.fixture
def kept(stored: StoredRecord, tmp_path: Path) -> StoredRecord:
    """The record as a file of its folder; nobody counted its attempts."""
    record = replace(stored.record, attempt=None)
    found = StoredRecord(record=record, content=canonical_bytes(record), digest=digest(record))
    put(tmp_path / "audit", found.content)
    return found


def put(audit: Path, content: bytes) -> None:
    (audit / "evidence").mkdir(parents=True, exist_ok=True)
    (audit / "evidence" / sha256(content)).write_bytes(content)


def decide(
    audit: Path, stored: StoredRecord, named: Sequence[tuple[str, bytes]], page: bytes | None = PAGE
) -> Path:
    made = decision_statement(
        stored.record, stored.digest, report_sha256=None if page is None else sha256(page)
    )
    evidence = [{"name": n, "digest": {"sha256": sha256(c)}} for n, c in named]
    made = replace(made, predicate={**made.predicate, "evidence": evidence})
    return add_pending(sign_envelope(made.to_bytes(), []), audit)


def test_the_bundle_holds_what_the_decision_names(kept: StoredRecord, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    with pytest.raises(InputError, match="holds no entry of a decision on the record"):
        export_bundle(kept.digest, audit)
    put(audit, PAGE)
    decide(audit, kept, [])
    files = export_bundle(kept.digest, audit)
    assert (files["record.json"], files["report.html"]) == (kept.content, PAGE)
    with pytest.raises(InputError, match="there is no such file"):
        export_bundle(kept.digest, audit, ExportRequest(predictions=(tmp_path / "none.csv",)))
    other = tmp_path / "other.csv"
    other.write_bytes(b"id\n")
    with pytest.raises(InputError, match="is none of the files that the record names"):
        export_bundle(kept.digest, audit, ExportRequest(predictions=(other,)))
    (audit / "evidence" / sha256(PAGE)).write_bytes(b"another page")
    with pytest.raises(EvidenceError, match=r"report\.html was changed"):
        export_bundle(kept.digest, audit)
    (audit / "evidence" / sha256(PAGE)).unlink()
    with pytest.raises(InputError, match=r"report\.html is gone; bring it back to export it"):
        export_bundle(kept.digest, audit)


def test_a_decision_without_a_page_or_with_evidence_by_a_path_is_refused(
    kept: StoredRecord, tmp_path: Path
) -> None:
    audit = tmp_path / "audit"
    put(audit, PAGE)
    entry = decide(audit, kept, [], page=None)
    with pytest.raises(InputError, match="names no page; judge again"):
        export_bundle(kept.digest, audit)
    for name in ("../evil", "a/b", ".hidden"):
        entry.unlink()
        entry = decide(audit, kept, [(name, PAGE)])
        with pytest.raises(EvidenceError, match="the decision names evidence by a path"):
            export_bundle(kept.digest, audit)


def test_a_pending_file_that_is_no_entry_is_named(kept: StoredRecord, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    put(audit, PAGE)
    decide(audit, kept, [])
    name = sha256(b"{}")
    (audit / "pending" / name).write_bytes(b"{}")
    with pytest.raises(InputError, match=f"{name}: no entry: "):
        export_bundle(kept.digest, audit)


def test_the_logs_own_key_never_approves_in_a_bundle(case: Case) -> None:
    """Enrolled before there was a log, it could sign; the trust policy says whose key it is."""
    policy = case.stored.record.policy
    asked = {"required": [{"role": "client", "count": 1}], "distinct": []}
    document = {**policy.document, "approvals": asked}
    record = replace(case.stored.record, attempt=None, policy=replace(policy, document=document))
    stored = StoredRecord(record=record, content=canonical_bytes(record), digest=digest(record))
    case = replace(case, stored=stored, report=sha256(PAGE))
    made = signed_here(case, ANN, Answer(decision="approve", role="client"))
    entries = sorted(made.entry.parent.iterdir())
    files = {f"entries/{n}.json": path.read_bytes() for n, path in enumerate(entries)}
    files |= {"record.json": stored.content, "report.html": PAGE}
    files[layout.SIGNERS] = (case.audit / "allowed_signers").read_bytes()
    for key, gates in ((LOG, False), (ANN, True)):
        folder = case.audit.parent / f"log {gates}"
        begin_log(folder, "agency.example/audit", key)
        trust = {layout.TRUST: (folder / "trust.policy").read_bytes()}
        found = sign_off_in({**files, **trust}, None, ())
        assert found.status == "missing"  # the verdict is a rejection
        assert ("gate" in found.detail) == gates, found.detail
