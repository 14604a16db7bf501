"""Entries are sealed and verified only with signatures of keys that the folder takes."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.seal import begin_log, seal_log
from prunegate.audit.log.verify import verify_log
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import generate, write_key_pair
from prunegate.audit.signing.signers import SIGNERS, add_signers, read_signers, signed_reader
from prunegate.audit.signing.statement import Statement, Subject
from prunegate.errors import EvidenceError, InputError

LOG = Ed25519PrivateKey.from_private_bytes(bytes(32))
NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)


def entry(number: int, *keys: Any) -> bytes:
    statement = Statement(
        subjects=(Subject(name="x", sha256=f"{number:064x}"),),
        predicate_type="urn:prunegate:decision:v1",
        predicate={"created": "2026-11-28T08:00:00Z"},
    )
    return sign_envelope(statement.to_bytes(), keys)


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    begin_log(tmp_path / "audit", "agency.example/log", LOG)
    return tmp_path / "audit"


def seal_now(audit: Path) -> int:
    return seal_log(audit, LOG, signed_reader(read_signers(audit)), NOW).checkpoint.size


def test_a_list_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    public = write_key_pair(generate("p256"), tmp_path / "gate.key")
    (tmp_path / "audit").write_bytes(b"")
    add_signers(tmp_path / "audit", [])
    with pytest.raises(InputError, match="the keys cannot be written"):
        add_signers(tmp_path / "audit", [public])


@pytest.mark.parametrize("kind", ["p256", "ed25519"])
def test_known_signers_and_unsigned_entries_are_taken_strangers_are_not(
    audit: Path, kind: str, tmp_path: Path
) -> None:
    ours, stranger = generate(kind), generate(kind)
    public = write_key_pair(ours, tmp_path / "gate.key")
    add_pending(entry(1, stranger), audit)
    assert seal_now(audit) == 1  # no list, so nobody's signature is looked at
    with pytest.raises(EvidenceError, match=r"entry 0 .*by no key that is taken here"):
        verify_log(audit, signed_reader([ours.public_key()]))
    add_signers(audit, [public])
    place = add_pending(entry(2, stranger), audit)
    with pytest.raises(InputError, match="by no key that is taken here"):
        seal_now(audit)
    place.unlink()
    assert len(read_signers(audit)) == 1
    for folder in ("tile", ".index", SIGNERS):
        shutil.rmtree(audit / folder)
    (audit / "checkpoint").unlink()
    (audit / "trust.policy").unlink()
    begin_log(audit, "agency.example/log", LOG)
    add_signers(audit, [public])
    for content in (entry(3, ours), entry(4)):
        add_pending(content, audit)
    assert seal_now(audit) == 2
    assert verify_log(audit, signed_reader(read_signers(audit))).unsigned == 1


def test_a_signature_of_another_entry_is_refused() -> None:
    key = generate()
    one, other = (entry(number, key) for number in (1, 2))
    start, end = b'"signatures":', b"}"
    assert start in one
    assert end in one
    swapped = one.partition(start)[0] + start + other.partition(start)[2]
    assert read_entry(swapped).signers
    with pytest.raises(InputError, match="does not verify"):
        signed_reader([key.public_key()])(swapped)
    assert signed_reader([key.public_key()])(one).signers


def test_a_list_that_holds_something_else_is_bad_input(audit: Path) -> None:
    (audit / SIGNERS).mkdir()
    (audit / SIGNERS / "x.pub").write_text("no key")
    with pytest.raises(InputError, match=r"x\.pub"):
        seal_now(audit)
