"""Keys: one id in whatever file they lie; everything else that looks like a key is refused."""

from __future__ import annotations

import hashlib
import logging
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from prunegate.audit.signing import keys, signature
from prunegate.audit.signing.keys import (
    KINDS,
    PrivateKey,
    generate,
    key_id,
    openssh_line,
    private_key_from,
    read_private_key,
    read_public_key,
    write_key_pair,
)
from prunegate.errors import InputError


@pytest.fixture(autouse=True)
def _no_key_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRUNEGATE_KEY", raising=False)
    monkeypatch.delenv("PRUNEGATE_KEY_PASSPHRASE", raising=False)


def _secret(key: PrivateKey, layout: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return key.private_bytes(Encoding.PEM, layout, NoEncryption())


def _put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_a_path_that_the_system_does_not_open_is_told(tmp_path: Path) -> None:
    for read in (read_private_key, read_public_key):
        with pytest.raises(InputError, match="the key file cannot be read"):
            read(tmp_path / ("k" * 300))


def test_a_kind_of_key_that_nobody_named_is_told_by_its_own(tmp_path: Path) -> None:
    key = x25519.X25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(InputError, match=r"a key of another kind \(X25519PrivateKey\); only ECDSA"):
        read_private_key(_put(tmp_path / "k", secret))
    with pytest.raises(InputError, match=r"a key of another kind \(X25519PublicKey\)"):
        read_public_key(_put(tmp_path / "k.pub", public))


def test_an_encryption_that_needs_a_library_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """cryptography opens an encrypted OpenSSH key by way of bcrypt, which may be missing."""

    def load(content: bytes, passphrase: bytes | None) -> object:
        if passphrase is None:
            raise TypeError("Key is password-protected")
        raise UnsupportedAlgorithm("Need bcrypt module")

    monkeypatch.setattr(keys, "load_ssh_private_key", load)
    content = _secret(generate("ed25519"), PrivateFormat.OpenSSH)
    with pytest.raises(InputError, match="for an OpenSSH key install the package bcrypt"):
        read_private_key(_put(tmp_path / "k", content), "secret")


def test_an_openssl_that_draws_its_numbers_signs_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 3.2 it knows no RFC 6979."""

    def drawn(algorithm: Any, deterministic_signing: bool = False) -> ec.ECDSA:
        if deterministic_signing:
            raise UnsupportedAlgorithm("ECDSA with deterministic signature (RFC 6979)")
        return ec.ECDSA(algorithm)

    key = generate("p256")
    older = SimpleNamespace(**{**vars(ec), "ECDSA": drawn})
    monkeypatch.setattr(signature, "ec", older)
    signature._ecdsa.cache_clear()
    try:
        made = {signature.sign_message(key, b"message") for _ in range(2)}
    finally:
        signature._ecdsa.cache_clear()
    assert len(made) == 2
    assert all(signature.is_signed(key.public_key(), one, b"message") for one in made)
    assert not any(signature.is_signed(key.public_key(), one, b"messagf") for one in made)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_is_read_back_from_every_format(kind: str, tmp_path: Path) -> None:
    key = generate(kind)
    public = write_key_pair(key, tmp_path / "k")
    assert public == tmp_path / "k.pub"
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    line = openssh_line(key.public_key(), "ann@client.example").encode() + b"\n"
    files = [public, _put(tmp_path / "line.pub", line)]
    named = {key_id(read_public_key(file)) for file in files}
    openssh = _put(tmp_path / "ssh", _secret(key, PrivateFormat.OpenSSH))
    named |= {key_id(read_private_key(f).public_key()) for f in (tmp_path / "k", openssh)}
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert named == {hashlib.sha256(der).hexdigest()}
    assert type(read_private_key(openssh)) is type(key)
    assert type(read_public_key(public)) is type(key.public_key())


@pytest.mark.parametrize(("kind", "name"), [("ed25519", "ed25519"), ("p256", "ecdsa")])
def test_keys_of_ssh_keygen_are_read_and_ours_are_read_by_it(
    kind: str, name: str, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    command = ["ssh-keygen", "-q", "-t", name, "-N", "", "-C", "c d", "-f", str(theirs)]
    subprocess.run(command, check=True)
    key = read_private_key(theirs)
    assert type(key) is type(generate(kind))
    public = tmp_path / "theirs.pub"
    assert key_id(read_public_key(public)) == key_id(key.public_key())
    assert openssh_line(key.public_key(), "c d") == public.read_text().strip()
    ours = _put(tmp_path / "ours.pub", openssh_line(generate(kind).public_key()).encode())
    subprocess.run(["ssh-keygen", "-l", "-f", str(ours)], check=True, capture_output=True)


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_reads_both_files(kind: str, tmp_path: Path) -> None:
    key = generate(kind)
    public = write_key_pair(key, tmp_path / "k")
    derived = subprocess.run(
        ["openssl", "pkey", "-in", str(tmp_path / "k"), "-pubout"], check=True, capture_output=True
    )
    assert derived.stdout == public.read_bytes()


def test_no_file_is_overwritten_and_no_half_pair_is_left(tmp_path: Path) -> None:
    key = generate()
    write_key_pair(key, tmp_path / "a")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(InputError, match="exists already and a key is never overwritten"):
        write_key_pair(generate(), tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(InputError, match=r"a\.pub: exists already"):
        write_key_pair(generate(), tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "b").read_bytes() == before["a"]


def test_a_second_file_that_fails_takes_the_first_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"k\.pub: cannot be written \(No space left"):
        write_key_pair(generate(), tmp_path / "k")
    assert list(tmp_path.iterdir()) == []


def test_the_option_comes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert private_key_from(None) is None
    one, other = generate(), generate("ed25519")
    write_key_pair(one, tmp_path / "k")
    monkeypatch.setenv("PRUNEGATE_KEY", _secret(other).decode())
    found = private_key_from(None)
    assert found is not None
    assert key_id(found.public_key()) == key_id(other.public_key())
    found = private_key_from(tmp_path / "k")
    assert found is not None
    assert key_id(found.public_key()) == key_id(one.public_key())
    for content in ("nonsense", "\udcff"):  # the second is a byte that is no text
        monkeypatch.setenv("PRUNEGATE_KEY", content)
        with pytest.raises(InputError, match="variable PRUNEGATE_KEY: not a private key"):
            private_key_from(None)


def test_an_encrypted_key_needs_its_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = generate()
    write_key_pair(key, tmp_path / "k", passphrase="open sesame")  # noqa: S106  # of a test's key
    with pytest.raises(InputError, match="encrypted; give its passphrase in PRUNEGATE_KEY_PASS"):
        read_private_key(tmp_path / "k")
    monkeypatch.setenv("PRUNEGATE_KEY_PASSPHRASE", "wrong")
    with pytest.raises(InputError, match="does not open this key"):
        read_private_key(tmp_path / "k")
    monkeypatch.setenv("PRUNEGATE_KEY_PASSPHRASE", "open sesame")
    assert key_id(read_private_key(tmp_path / "k").public_key()) == key_id(key.public_key())


def test_a_passphrase_that_nothing_needs_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNEGATE_KEY_PASSPHRASE", "for another key")
    write_key_pair(generate(), tmp_path / "k")
    read_private_key(tmp_path / "k")


def test_a_key_that_others_can_read_is_used_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_key_pair(generate(), tmp_path / "k")
    with caplog.at_level(logging.WARNING):
        read_private_key(tmp_path / "k")
        assert caplog.messages == []
        (tmp_path / "k").chmod(0o640)
        read_private_key(tmp_path / "k")
    assert caplog.messages == [f"{tmp_path / 'k'}: others can read this private key; chmod 600 it"]


P384 = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(65537, 2048)
PEM = generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
LINE = openssh_line(generate().public_key()).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_secret(P384), "a key on the curve secp384r1; only ECDSA P-256 and Ed25519 are taken"),
        (_secret(RSA), "an RSA key; only ECDSA P-256 and Ed25519"),
        (_secret(RSA, PrivateFormat.OpenSSH), "an RSA key; only"),
        (PUBLIC, "is a public key where a private one is needed; give the file without .pub"),
        (LINE, "is a public key where a private one is needed"),
        (PEM[: len(PEM) // 2], "not a private key that can be read"),
        (PEM[:60] + b"\x00" + PEM[61:], "not a private key that can be read"),
        (b"", "not a private key that can be read"),
        (b"\xff" * 100, "not a private key that can be read"),
        (b"x" * 70_000, "too large for a key file"),
    ],
)
def test_what_is_no_private_key_of_ours_is_refused(
    content: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        read_private_key(_put(tmp_path / "k", content))
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'k'}: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (openssh_line(P384.public_key()).encode(), "a key on the curve secp384r1; only"),
        (openssh_line(RSA.public_key()).encode(), "an RSA key; only"),
        (PEM, "is a private key where a public one is needed; give the .pub file"),
        (PUBLIC[:80], "not a public key that can be read"),
        (LINE[:50], "not a public key that can be read"),
        (LINE + b"\n" + LINE, "more than one line; give a file with one public key"),
        (b"", "not a public key that can be read"),
    ],
)
def test_what_is_no_public_key_of_ours_is_refused(
    content: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        read_public_key(_put(tmp_path / "k", content))
    assert said in str(caught.value)


def test_an_encrypted_openssh_key_says_what_is_missing(tmp_path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(tmp_path / "k")]
    subprocess.run(command, check=True)
    with pytest.raises(InputError, match="encrypted; give its passphrase"):
        read_private_key(tmp_path / "k")


def test_other_mistakes_have_a_message_each(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no kind of key is called 'ed25591': did you mean"):
        generate("ed25591")
    with pytest.raises(InputError, match="no such key file; make one with 'prunegate audit"):
        read_private_key(tmp_path / "gone")
    with pytest.raises(InputError, match="no such key file"):
        read_public_key(tmp_path)
    with pytest.raises(InputError, match="characters that do not print"):
        openssh_line(generate().public_key(), "a\nb")


def test_no_message_quotes_a_key(tmp_path: Path) -> None:
    secret = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    )
    broken = secret.replace(b"ENCRYPTED PRIVATE", b"PRIVATE")
    with pytest.raises(InputError) as caught:
        read_private_key(_put(tmp_path / "k", broken))
    body = secret.decode().splitlines()[1]
    assert body[:8] not in str(caught.value)


@pytest.mark.parametrize("ends", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_half_a_key_never_stays(
    ends: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_: int) -> None:
        raise ends

    monkeypatch.setattr(keys.os, "fsync", end)
    told = KeyboardInterrupt if isinstance(ends, KeyboardInterrupt) else InputError
    with pytest.raises(told):
        keys._create(tmp_path / "k", b"half", 0o600)
    assert not list(tmp_path.iterdir())


def test_what_lies_there_is_no_place_for_a_key(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(b"another's")
    with pytest.raises(InputError, match="cannot be written"):
        keys._create(tmp_path / "k", b"new", 0o600)
    assert (tmp_path / "k").read_bytes() == b"another's"
