"""allowed_signers beside the log, and what an enrolment may not be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from prunegate.audit.approvals.enrolments import (
    Enrolment,
    checked_role,
    enrolment_in,
    fingerprint_of,
    ssh_key,
)
from prunegate.audit.approvals.person import checked_person
from prunegate.audit.approvals.signers_file import allow, disallow, signers_of
from prunegate.audit.signing.allowed_signers import who_signed
from prunegate.errors import EvidenceError, InputError

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(b"\7" * 32).public_key()


def line(key: object = KEY) -> str:
    encoded = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)  # type: ignore[attr-defined]
    return encoded.decode()


def enrolment(person: str = "Ann Lee", key: str = "", until: str | None = None) -> Enrolment:
    return Enrolment(
        created="2026-11-28T09:00:00Z",
        person=person,
        organisation="Client",
        role="client",
        key=key or line(),
        by="Kim",
        channel="call",
        valid_until=until,
    )


def test_enrolled_keys_may_sign_until_they_are_revoked(tmp_path: Path) -> None:
    path = tmp_path / "audit" / "allowed_signers"
    path.parent.mkdir()
    other = line(ec.generate_private_key(ec.SECP256R1()).public_key())
    path.write_text(f"# ours\nbob {other}\n", encoding="utf-8")
    ann = enrolment()
    allow(path, ann)
    allow(path, ann)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# ours\nbob {other}\n")
    assert text.count("Ann Lee") == 1
    (mine,) = who_signed(signers_of(path), ann.blob, NOW)
    assert mine.is_of("Ann Lee")
    later = datetime(2026, 12, 24, tzinfo=UTC)
    disallow(path, ann.fingerprint, later)
    assert who_signed(signers_of(path), ann.blob, later)
    with pytest.raises(EvidenceError, match="was valid only before 2026-12-24"):
        who_signed(signers_of(path), ann.blob, datetime(2026, 12, 25, tzinfo=UTC))
    assert f"bob {other}\n" in path.read_text(encoding="utf-8")


def test_a_key_is_named_by_its_fingerprint_or_its_file(tmp_path: Path) -> None:
    (tmp_path / "ann.pub").write_text(f"{line()} ann\n", encoding="utf-8")
    found = fingerprint_of(str(tmp_path / "ann.pub"))
    assert found == enrolment().fingerprint == fingerprint_of(found)
    with pytest.raises(InputError, match=r"no such key file; give the signer's \.pub file"):
        fingerprint_of(str(tmp_path / "bob.pub"))
    with pytest.raises(InputError, match="is no fingerprint; 'ssh-keygen -lf FILE' shows it"):
        fingerprint_of(found[:-1])


@pytest.mark.parametrize("role", ["", "a b", "Client\n", "x" * 81])
def test_a_role_has_a_name(role: str) -> None:
    with pytest.raises(InputError, match="is no name of a role such as client"):
        checked_role(role)
    assert checked_role("client") == "client"


def test_a_key_revoked_at_once_never_held(tmp_path: Path) -> None:
    path = tmp_path / "allowed_signers"
    allow(path, enrolment())
    disallow(path, enrolment().fingerprint, NOW)
    assert signers_of(path) == ()
    assert path.read_text(encoding="utf-8").startswith("# revoked: ")


def test_a_file_that_cannot_be_read_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "allowed_signers"
    path.write_text("ann ssh-ed25519\n", encoding="utf-8")
    with pytest.raises(InputError, match="allowed_signers:1"):
        allow(path, enrolment())
    assert path.read_text(encoding="utf-8") == "ann ssh-ed25519\n"


@pytest.mark.parametrize(
    "person", ["", " ann", "a,b", "a*", "!ann", 'a"b', "#ann", "a\nb", "x" * 101]
)
def test_names_that_would_mean_something_in_the_file(person: str) -> None:
    with pytest.raises(InputError, match="has to be a name or address"):
        checked_person(person)


def test_keys_of_kinds_that_sign_here() -> None:
    large = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    for key in (KEY, large, ec.generate_private_key(ec.SECP256R1()).public_key()):
        assert ssh_key(f"{line(key)} a comment\n".encode(), "k") == line(key)
    pem = KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert ssh_key(pem, "k") == line()
    with pytest.raises(InputError, match="secp384r1"):
        ssh_key(line(ec.generate_private_key(ec.SECP384R1()).public_key()).encode(), "k")
    with pytest.raises(InputError, match="private key"):
        ssh_key(b"-----BEGIN OPENSSH PRIVATE KEY-----\n", "k")
    with pytest.raises(InputError, match="k"):
        ssh_key(b"ssh-rsa AAAA", "k")
    with pytest.raises(InputError, match="no such key file"):
        fingerprint_of("nowhere.pub")
    with pytest.raises(InputError, match="is no fingerprint"):
        fingerprint_of("SHA256:short")


def test_an_enrolment_reads_back_and_a_broken_one_does_not() -> None:
    for until in (None, "2027-01-01T00:00:00Z"):
        found = enrolment(until=until)
        predicate = found.statement().predicate
        assert enrolment_in(predicate, "e") == found
    for name, value in (("person", "a,b"), ("key", "x"), ("by", ""), ("role", 3)):
        with pytest.raises(EvidenceError, match="e: "):
            enrolment_in({**predicate, name: value}, "e")
    with pytest.raises(EvidenceError, match="not known"):
        enrolment_in({**predicate, "more": 1}, "e")
