"""What the log holds of sign-offs: cosigned, sealed, changed, or written by another program."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.functional.sign_off.clients import (
    CLIENT,
    LOG_KEY,
    PAGE_DIGEST,
    START,
    Say,
    enrol,
    evidence,
    pend_changed,
    pending_of,
    seal_all,
    sign,
)

from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.folder import read_checkpoint
from prunegate.audit.log.note import parse_vkey, verified_signatures
from prunegate.audit.log.seal import begin_log, seal_log

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed (openssh-client)"
    ),
]


def test_a_checkpoint_that_is_no_checkpoint_is_evidence(approved: Path, say: Say) -> None:
    Path("audit/checkpoint").write_bytes(b"x" * 5_000_000)
    for command in (("status", "o"), ("audit", "verify"), ("audit", "log")):
        code, told = say(*command)
        assert (code, "checkpoint was changed: " in told) == (6, True), told


def test_a_signer_cosigns_the_log_and_holds_it_to_what_she_saw(folder: Path, say: Say) -> None:
    log_key = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    audit = folder / "audit"
    begin_log(audit, "agency.example/audit", log_key)
    enrol()
    seal_all(audit, log_key)
    options = ("--role", "client", "--decision", "approve", "--key", "ann")
    assert say("approve", "o", *options)[0] == 0
    request, _ = evidence()
    seen = json.loads(request)["checkpoint"]
    assert (seen["origin"], seen["size"]) == ("agency.example/audit", 1)
    note = read_checkpoint(audit).note
    assert [one.name for one in note.signatures] == ["agency.example/audit", CLIENT]
    assert verified_signatures(note, [parse_vkey(cosigner())])
    code, told = say("status", "o", "--sealed")
    assert (code, "it is not sealed into the log yet" in told) == (5, True), told
    seal_all(audit, log_key)
    code, told = say("status", "o", "--sealed")
    assert (code, "entry 1" in told) == (0, True), told

    (folder / "elsewhere").mkdir()
    begin_log(folder / "elsewhere", "other.example/audit", log_key)
    Path("mail").mkdir(exist_ok=True)
    signed = Path("mail/approval-request.json")
    signed.write_text(request, encoding="utf-8")
    code, told = say("approve", "o", "--signature", str(sign(signed)), "--audit", "elsewhere")
    assert (code, "holds other.example/audit" in told) == (6, True), told

    shutil.rmtree("elsewhere")
    rewritten = folder / "rewritten"
    begin_log(rewritten, "agency.example/audit", log_key)
    options = ("--audit", "rewritten")
    enrol("Eve", "eve.pub", "client", *options)
    seal_all(rewritten, log_key)
    code, told = say("approve", "o", "--signature", str(sign(signed)), *options)
    assert (code, "the log was rewritten" in told) == (6, True), told


def cosigner() -> str:
    import base64

    for path in Path("audit/pending").iterdir():
        statement = json.loads(base64.b64decode(json.loads(path.read_bytes())["payload"]))
        if statement["predicateType"] == "urn:prunegate:approval:v1":
            return str(statement["predicate"]["cosigned"]["vkey"])
    raise AssertionError("no approval is pending")


def test_a_changed_page_or_trail_stops_everything(
    folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prunegate.cli.approve.page_digest", PAGE_DIGEST)
    enrol()
    page = folder / "o" / "report.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("APPROVE", "APPROVE!", 1), encoding="utf-8")
    options = ("--role", "client", "--decision", "approve", "--key", "ann")
    assert say("approve", "o", *options)[0] == 6
    assert say("status", "o")[0] == 6
    page.write_text(text, encoding="utf-8")
    assert say("approve", "o", *options)[0] == 0
    approval = min((folder / "audit" / "pending").iterdir())
    approval.write_bytes(approval.read_bytes() + b" ")
    code, told = say("status", "o")
    assert (code, "its content was changed" in told) == (6, True), told


def test_an_entry_that_cannot_be_read_is_not_sealed(approved: Path, say: Say) -> None:
    for changes in ({"more": 1}, {"signature": ""}, {"person": None}, {"request": "{}"}):
        wrong = pend_changed(approved, **changes)
        code, told = say("audit", "seal", "--key", "log.key")
        assert (code, wrong.name in told, "out of pending/" in told) == (2, True, True), told
        for command in (("audit", "verify"), ("status", "o"), ("audit", "page", "-o", "t.html")):
            code, told = say(*command)
            assert (code, wrong.name in told, "take it out of" in told) == (6, True, True), told
        wrong.unlink()
    assert say("audit", "seal", "--key", "log.key")[0] == 0
    assert say("status", "o", "--sealed")[0] == 0


def test_one_that_was_sealed_all_the_same_counts_for_nothing_and_is_told(
    approved: Path, say: Say
) -> None:
    pend_changed(approved, more=1)
    approved.unlink()
    seal_all(Path("audit"), LOG_KEY)  # as another program would: it asks for no form
    code, told = say("status", "o")
    assert (code, "warning: entry 1 (approval) cannot be read" in told) == (5, True), told
    code, told = say("audit", "verify")
    assert (code, "entry 1" in told, '"more"' in told) == (6, True, True), told
    assert say("audit", "page", "-o", "t.html")[0] == 0
    assert "entry 1 (approval) cannot be read" in Path("t.html").read_text(encoding="utf-8")
    assert say("approve", "o", "--role", "client", "--decision", "approve", "--key", "ann")[0] == 0
    assert say("audit", "seal", "--key", "log.key")[0] == 0
    assert say("status", "o", "--sealed")[0] == 0


def test_what_may_say_no_is_not_passed_over(approved: Path, say: Say) -> None:
    """An unread revocation ends the keys that it names; an unread rejection stops its record."""
    seal_all(Path("audit"), LOG_KEY)
    lost = ("audit", "revoke", "--key", "ann.pub", "--reason", "laptop lost")
    assert say(*lost, at=START + 10)[0] == 0
    revoked = pending_of("revocation")
    pend_changed(revoked, more=1)
    held = revoked.read_bytes()
    revoked.unlink()
    shutil.copytree("audit", "before")
    seal_all(Path("audit"), LOG_KEY)
    code, told = say("status", "o")
    assert (code, "its key was revoked" in told) == (5, True), told

    again = Path("before/pending") / revoked.name
    for path in Path("before/pending").iterdir():
        path.unlink()
    again.write_bytes(held)
    pend_changed(again, named="0" * 64, fingerprint=1)
    again.unlink()
    seal_all(Path("before"), LOG_KEY)
    code, told = say("status", "o", "--audit", "before")
    assert (code, "which key it revokes nobody can tell" in told) == (6, True), told


def test_an_unread_rejection_stops_its_record(approved: Path, say: Say) -> None:
    seal_all(Path("audit"), LOG_KEY)
    options = ("--role", "client", "--decision", "reject", "--key", "ann")
    assert say("approve", "o", *options, at=START + 10)[0] == 0
    no = pending_of("approval")
    pend_changed(no, more=1)
    no.unlink()
    seal_log(Path("audit"), LOG_KEY, read_entry, datetime.fromtimestamp(START + 60, UTC))
    code, told = say("status", "o")
    assert (code, "it may be a rejection of this record" in told) == (6, True), told


def test_evidence_that_is_gone_is_told(judged: Path, folder: Path, say: Say) -> None:
    shutil.copytree(judged / "audit", folder / "audit")
    enrol()
    assert say("approve", "o", "--role", "client", "--decision", "approve", "--key", "ann")[0] == 0
    code, told = say("status", "o")
    assert (code, "is gone" in told) == (0, False), told
    digest = hashlib.sha256(Path("o/record.json").read_bytes()).hexdigest()
    Path("audit/evidence", digest).unlink()
    code, told = say("status", "o")
    assert (code, f"evidence/{digest} is gone" in told) == (0, True), told


def test_messages_name_the_file_and_what_to_do(approved: Path, say: Say) -> None:
    for arguments, code, words in (
        (("status", "o", "--at", "never"), 2, '"never" is no day'),
        (("audit", "replay", "nosuch"), 2, "no such file, and no such digest in audit"),
        (("audit", "export", "zzz", "-o", "b"), 2, "no such file, and no such digest in audit"),
        (("audit", "verify", "--against", "p.yaml"), 2, "p.yaml: no checkpoint"),
        (("verify", "o"), 2, "prunegate verify o/report.html"),
    ):
        found, told = say(*arguments)
        assert (found, words in told) == (code, True), told


def test_sealed_says_that_it_is_the_enrolment_that_waits(folder: Path, say: Say) -> None:
    begin_log(folder / "audit", "agency.example/audit", LOG_KEY)
    enrol()
    options = ("--role", "client", "--decision", "approve", "--key", "ann")
    assert say("approve", "o", *options)[0] == 0
    code, told = say("status", "o", "--sealed")
    assert (code, "the enrolment of its key is not sealed" in told) == (5, True), told
    seal_all(folder / "audit", LOG_KEY)
    assert say("status", "o", "--sealed")[0] == 0
