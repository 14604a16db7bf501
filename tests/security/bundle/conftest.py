"""One decision with its trail, exported: each test changes a copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.security.bundle.bundles import (
    CLIENT,
    CLIENT_P256,
    CREATED,
    GATE,
    LOG_KEY,
    NOW,
    ORIGIN,
    PICTURE,
    POLICY,
    approval,
    decision,
    entry,
    page,
)

from prunegate import cli
from prunegate.audit.bundle.export import ExportRequest, export_bundle
from prunegate.audit.bundle.layout import sha256
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.seal import begin_log, seal_log
from prunegate.audit.read import StoredRecord, kept_form
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE, key_blob
from prunegate.audit.signing.test_result import result_statement


@pytest.fixture(scope="session")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows that were judged."""
    rows = ["id,label,baseline,candidate,kind"]
    for kind, misses in (("display", 0), ("video", 60)):
        for i in range(400):
            rows.append(f"{kind[0]}{i},unsafe,0.9,{0.1 if i < misses else 0.8},{kind}")
            rows.append(f"{kind[0]}n{i},safe,0.1,0.2,{kind}")
    path = tmp_path_factory.mktemp("judged") / "t.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def judged(predictions: Path) -> StoredRecord:
    """A rejection, with a picture of one of the rows that it lost."""
    folder = predictions.parent
    (folder / "p.yaml").write_text(POLICY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SOURCE_DATE_EPOCH", "1700000000")
        patch.setattr(
            "sys.argv",
            ["prunegate", "gate", "p.yaml", "--predictions", "t.csv", "--out", "o", "-q"],
        )
        with pytest.raises(SystemExit):
            cli.main()
    stored = kept_form((folder / "o" / "record.json").read_bytes())
    first, *rest = stored.record.flips
    record = replace(
        stored.record,
        flips=(replace(first, image="v0.png"), *rest),
        pictures={first.id: sha256(PICTURE)},
    )
    return kept_form(canonical_bytes(record))


@pytest.fixture(scope="session")
def audit(judged: StoredRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with other entries, the decision, an enrolment and two approvals."""
    folder = tmp_path_factory.mktemp("trail") / "audit"
    begin_log(folder, ORIGIN, LOG_KEY)
    add_pending(entry("seal", "bar", {"created": CREATED}, judged.record.policy.sha256), folder)
    add_pending(entry("waiver", "candidate", {"created": CREATED}, sha256(b"of another")), folder)
    seal_log(folder, LOG_KEY, read_entry, NOW)
    (folder / "old").write_bytes((folder / "checkpoint").read_bytes())
    content = page(judged)
    twin = sign_envelope(result_statement(judged.record, judged.digest).to_bytes(), [GATE])
    (folder / "evidence").mkdir()
    for kept in (judged.content, content, twin):
        (folder / "evidence" / sha256(kept)).write_bytes(kept)
    add_pending(decision(judged, content, twin), folder)
    for key, role in ((CLIENT, "client"), (CLIENT_P256, "legal")):
        add_pending(approval(judged.digest, sha256(content), key, role), folder)
    blob = key_blob(CLIENT.public_key())
    enrolment = {"created": CREATED, "person": "Ann B", "by": "Carl", "channel": "in person"}
    add_pending(entry("enrolment", "key", enrolment, sha256(blob)), folder)
    seal_log(folder, LOG_KEY, read_entry, NOW)
    lines = [
        f'"Ann B" namespaces="{NAMESPACE}",valid-after="20260101Z" {openssh_line(k.public_key())}\n'
        for k in (CLIENT, CLIENT_P256)
    ]
    (folder / "allowed_signers").write_text("".join(lines), encoding="utf-8")
    (folder / "signers").mkdir()
    (folder / "signers" / "gate.pub").write_text(openssh_line(GATE.public_key()), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def files(audit: Path, judged: StoredRecord) -> dict[str, bytes]:
    return export_bundle(judged.digest, audit, ExportRequest(against=(audit / "old").read_bytes()))
