"""Who may not say yes, and what log a signer holds the agency to: each refusal by its cause."""

from __future__ import annotations

import base64
import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.audit.people.conftest import ANN, NOW

from prunegate.audit.approvals import cosigning
from prunegate.audit.approvals import enrol as enrolling
from prunegate.audit.approvals.accept import Case, attested, signed_elsewhere, signed_here
from prunegate.audit.approvals.cosigning import cosigned, require_seen, seen_in
from prunegate.audit.approvals.enrol import enrol, revoke
from prunegate.audit.approvals.enrolments import Enrolment, Revocation, fingerprint_of, read_ssh_key
from prunegate.audit.approvals.request import Answer, Seen, request_document
from prunegate.audit.approvals.signers_file import FILE, allow
from prunegate.audit.approvals.trail import read_trail, trail_in_bundle
from prunegate.audit.approvals.verified_approvals import said_in
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.folder import read_checkpoint
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.seal import begin_log, seal_log
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE, ssh_sign
from prunegate.errors import EvidenceError, InputError

EVE, LOG, GATE = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (4, 5, 6))
YES = Answer(decision="approve", role="client")


def enrolment(key: Ed25519PrivateKey, person: str, **more: Any) -> Enrolment:
    return Enrolment(
        created="2026-11-01T00:00:00Z",
        person=person,
        organisation="Client",
        key=" ".join(openssh_line(key.public_key()).split()[:2]),
        by="Kim",
        channel="call",
        **{"role": "client", **more},
    )


@pytest.fixture
def asking(case: Case) -> Case:
    """The record, as if its policy asked for an approval."""
    policy = case.stored.record.policy
    asked = {"required": [{"role": "client", "count": 1}], "distinct": []}
    document = {**policy.document, "approvals": asked}
    record = replace(case.stored.record, policy=replace(policy, document=document))
    return replace(case, stored=replace(case.stored, record=record))


def seal(audit: Path) -> None:
    seal_log(audit, LOG, read_entry, NOW)


def forged(audit: Path, entry: Path, **changes: Any) -> Path:
    """The entry again with another predicate, as another program writes it; the old one is gone."""
    envelope = json.loads(entry.read_bytes())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["predicate"].update(changes)
    entry.unlink()
    return add_pending(sign_envelope(canonical_bytes(statement), []), audit)


def test_a_policy_that_asks_nobody_has_nothing_to_sign(case: Case, asking: Case) -> None:
    with pytest.raises(InputError, match="asks for no approvals, so there is nothing to sign"):
        signed_here(case, ANN, YES)
    assert signed_here(asking, ANN, YES).approval.person == "Ann"


def test_an_attested_word_says_how_it_is_known(asking: Case) -> None:
    with pytest.raises(InputError, match="is signed by the gate's key: give it with --key FILE"):
        attested(asking, YES, "Olu", "Client", "e-mail of 9 March")
    case = replace(asking, gate=GATE)
    enrol(case.audit, enrolment(GATE, "CI", role="gate"), None, NOW)
    for nothing in ("", " \n"):
        with pytest.raises(InputError, match="--rationale says nothing; write how you know"):
            attested(case, YES, "Olu", "Client", nothing)
    made = attested(case, YES, "Olu", "Client", " e-mail of 9 March\n")
    assert (made.approval.rationale, made.signed_entry) == ("e-mail of 9 March", True)


def test_the_sentence_tells_how_much_is_waived(asking: Case) -> None:
    record = asking.stored.record
    told = {}
    for count in (0, 1, 2):
        waivers: Any = ("a waiver",) * count
        document = request_document(replace(record, waivers=waivers), "a" * 64, "b" * 64, None)
        told[count] = document["sentences"]["approve"]
    assert "waived" not in told[0]
    assert " 1 finding is waived in it." in told[1]
    assert " 2 findings are waived in it." in told[2]


def test_a_key_has_one_owner_one_life_and_a_day_to_come(case: Case) -> None:
    audit = case.audit
    before = sorted((audit / "pending").iterdir())
    with pytest.raises(InputError, match="is enrolled for Ann already; a key has one owner"):
        enrol(audit, enrolment(ANN, "Bob"), None, NOW)
    for over in ("2026-11-28T09:00:00Z", "2026-11-27T00:00:00Z"):
        with pytest.raises(InputError, match=f"--valid-until {over} is over; name a later day"):
            enrol(audit, enrolment(EVE, "Eve", valid_until=over), None, NOW)
    assert sorted((audit / "pending").iterdir()) == before
    enrol(audit, enrolment(EVE, "Eve", valid_until="2026-11-28T09:00:01Z"), None, NOW)


def test_a_gates_key_is_revoked_where_no_file_lists_anybody(tmp_path: Path) -> None:
    gate = enrolment(GATE, "CI", role="gate")
    enrol(tmp_path, gate, None, NOW)
    lost = Revocation(
        created="2026-11-28T08:00:00Z", fingerprint=gate.fingerprint, reason="rotated"
    )
    revoke(tmp_path, lost, None, NOW)
    assert read_trail(tmp_path).is_revoked(gate.fingerprint)
    assert not (tmp_path / FILE).exists()


def test_a_key_file_that_the_system_does_not_read_is_told(tmp_path: Path) -> None:
    name = tmp_path / ("k" * 300)
    with pytest.raises(InputError, match="the key file cannot be read"):
        read_ssh_key(name)
    with pytest.raises(InputError, match="the key file cannot be read"):
        fingerprint_of(str(name))


def test_a_list_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "audit").write_bytes(b"")
    with pytest.raises(InputError, match="allowed_signers: cannot be written"):
        allow(tmp_path / "audit" / FILE, enrolment(ANN, "Ann"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with one entry: who Ann is."""
    audit = tmp_path / "log"
    begin_log(audit, "agency.example/audit", LOG)
    enrol(audit, enrolment(ANN, "Ann"), None, NOW)
    seal(audit)
    return audit


def test_a_signer_holds_the_log_to_what_she_saw(log: Path, tmp_path: Path) -> None:
    seen = seen_in(log)
    assert seen is not None
    require_seen(log, seen, "r")
    require_seen(tmp_path, None, "r")
    with pytest.raises(EvidenceError, match=r"names the log agency.example/audit, but there is no"):
        require_seen(tmp_path / "elsewhere", seen, "r")
    with pytest.raises(EvidenceError, match=r"saw a log of 2 entries, .* holds 1: it was cut"):
        require_seen(log, replace(seen, size=2), "r")
    enrol(log, enrolment(EVE, "Eve"), None, NOW)
    seal(log)
    require_seen(log, seen, "r")
    nothing = base64.b64encode(bytes(32)).decode()
    for size in (0, 1, 2):
        with pytest.raises(EvidenceError, match="the log was rewritten"):
            require_seen(log, Seen(origin=seen.origin, size=size, root=nothing), "r")


def test_a_log_that_grew_while_she_signed_is_not_cosigned(log: Path) -> None:
    seen = seen_in(log)
    assert cosigned(log, seen, ANN, "Ann Lee", NOW) is not None
    enrol(log, enrolment(EVE, "Eve"), None, NOW)
    seal(log)
    assert cosigned(log, seen, ANN, "Ann Lee", NOW) is None
    assert len(read_checkpoint(log).note.signatures) == 1
    assert cosigned(log, None, ANN, "Ann Lee", NOW) is None


def test_her_cosignature_of_an_older_checkpoint_is_not_put_under_a_newer_one(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process seals between her signature and its writing."""

    @contextmanager
    def late(audit: Path, wait_s: float) -> Iterator[None]:
        enrol(audit, enrolment(EVE, "Eve"), None, NOW)
        seal(audit)
        yield

    seen, then = seen_in(log), read_checkpoint(log).note
    monkeypatch.setattr(cosigning, "sealing", late)
    said = cosigned(log, seen, ANN, "Ann Lee", NOW)
    now = read_checkpoint(log)
    assert said is not None
    assert said["note"].startswith(then.text)
    assert (now.checkpoint.size, len(now.note.signatures)) == (2, 1)


def test_a_checkpoint_that_cannot_be_written_is_told(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cosigning, "write_durably", full)
    with pytest.raises(InputError, match=r"the checkpoint cannot be written .No space left"):
        cosigned(log, seen_in(log), ANN, "Ann Lee", NOW)
    assert len(read_checkpoint(log).note.signatures) == 1


def test_what_cannot_be_read_may_be_a_no(asking: Case, log: Path) -> None:
    """A sealed word that nobody can read stops its record unless it was a yes, or no approval."""
    case, digest = replace(asking, audit=log), asking.stored.digest
    forged(log, signed_here(case, ANN, YES).entry, more=1)
    seal(log)
    (yes,) = read_trail(log, digest).unread
    assert "cannot be read and counts for nothing" in str(yes)
    enrol(log, enrolment(EVE, "Eve"), None, NOW)
    (entry,) = (log / "pending").iterdir()
    statement = json.loads(base64.b64decode(json.loads(entry.read_bytes())["payload"]))
    statement["subject"] = [{"name": "record.json", "digest": {"sha256": digest}}]
    statement["predicate"].update(more=1)
    entry.unlink()
    add_pending(sign_envelope(canonical_bytes(statement), []), log)
    seal(log)
    assert len(read_trail(log, digest).unread) == 2
    forged(log, signed_here(case, ANN, YES).entry, request="{}")
    seal(log)
    with pytest.raises(EvidenceError, match="it may be a rejection of this record"):
        read_trail(log, digest)
    assert len(read_trail(log, "0" * 64).unread) == 3


def test_a_bundles_approval_without_a_signature_is_evidence(asking: Case) -> None:
    (enrolled,) = (asking.audit / "pending").iterdir()
    book, made = asking.book(), signed_here(asking, ANN, YES)
    content = made.entry.read_bytes()

    def heard(approval: bytes) -> str | None:
        numbered = [(0, enrolled.read_bytes()), (None, approval)]
        trail = trail_in_bundle(numbered, asking.stored.digest, frozenset())
        (said,) = said_in(replace(book, trail=trail), sealed=True)
        return said.refused

    assert heard(content) == "not_sealed"
    with pytest.raises(EvidenceError, match="no SSH signature"):
        heard(forged(asking.audit, made.entry, signature="none").read_bytes())


def test_sealed_tells_a_key_that_may_sign_from_one_that_may_not(asking: Case) -> None:
    """Nothing is in a log here: her enrolment waits, and a stranger has none."""
    signed_here(asking, ANN, YES)
    (one,) = said_in(asking.book(), sealed=True)
    assert one.refused == "enrolment_not_sealed"
    nobody = replace(asking.book(), signers=())
    (one,) = said_in(nobody, sealed=True)
    assert one.refused == "not_allowed"


def test_the_same_bytes_count_once(asking: Case) -> None:
    made = signed_here(asking, ANN, YES)
    content = made.approval.request.encode()
    with pytest.raises(InputError, match="these very bytes are in the audit trail already"):
        signed_elsewhere(asking, content, ssh_sign(ANN, NAMESPACE, content).encode(), "r", "s")


def test_a_revocation_that_is_broken_off_changes_nothing_and_one_that_is_killed_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = tmp_path
    eve = enrolment(EVE, "Eve")
    enrol(audit, eve, None, NOW)
    before = (audit / FILE).read_bytes()
    lost = Revocation(created="2026-11-28T08:00:00Z", fingerprint=eve.fingerprint, reason="lost")

    def broken_off(entry: bytes, folder: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(enrolling, "add_pending", broken_off)
        with pytest.raises(KeyboardInterrupt):
            revoke(audit, lost, None, NOW)
        assert (audit / FILE).read_bytes() == before
        patch.setattr(enrolling, "write_durably", lambda *_: None)  # nobody puts anything back
        with pytest.raises(KeyboardInterrupt):
            revoke(audit, lost, None, NOW)
    assert b"valid-before" in (audit / FILE).read_bytes()
    (audit / FILE).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(enrolling, "add_pending", broken_off)
        with pytest.raises(KeyboardInterrupt):
            revoke(audit, lost, None, NOW)
    assert not (audit / FILE).exists()
    revoke(audit, lost, None, NOW)
    assert read_trail(audit).is_revoked(eve.fingerprint)
