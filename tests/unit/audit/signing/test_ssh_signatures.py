"""SSH signatures: ours and ssh-keygen's are interchangeable, and no byte can be changed."""

from __future__ import annotations

import base64
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.signing.keys import (
    PrivateKey,
    generate,
    key_id,
    openssh_line,
    read_private_key,
    write_key_pair,
)
from prunegate.audit.signing.ssh_signature import (
    NAMESPACE,
    Reader,
    SshSignature,
    mpint,
    parse_ssh_signature,
    ssh_sign,
    string,
    verify_ssh,
)
from prunegate.errors import EvidenceError, InputError

SSH = shutil.which("ssh-keygen")
needs_ssh = pytest.mark.skipif(SSH is None, reason="ssh-keygen (openssh-client) is not installed")
TYPES = [("ed25519", ()), ("ecdsa", ("-b", "256")), ("rsa", ("-b", "2048"))]
KEYS = (generate("p256"), generate("ed25519"))
MESSAGE = b"I agree.\n"


@pytest.fixture(scope="session", params=TYPES, ids=lambda p: p[0])
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key pair of ssh-keygen's own, of each type."""
    name, more = request.param
    path = tmp_path_factory.mktemp(name) / "key"
    command = ["ssh-keygen", "-q", "-t", name, *more, "-N", "", "-C", "ann", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def ssh_keygen_signs(key: Path, folder: Path, *more: str, namespace: str = NAMESPACE) -> bytes:
    (folder / "m").write_bytes(MESSAGE)
    (folder / "m.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace, *more]
    subprocess.run([*command, str(folder / "m")], check=True, capture_output=True)
    return (folder / "m.sig").read_bytes()


def ssh_keygen_verifies(line: str, signature: str, message: bytes, folder: Path) -> bool:
    (folder / "allowed").write_text(f"ann@client.example {line}\n")
    (folder / "s").write_text(signature)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "allowed")]
    command += ["-I", "ann@client.example", "-n", NAMESPACE, "-s", str(folder / "s")]
    done = subprocess.run(command, input=message, check=False, capture_output=True)
    return done.returncode == 0


@pytest.mark.slow
@needs_ssh
@pytest.mark.parametrize("hashed", ["sha512", "sha256"])
def test_what_ssh_keygen_signs_verifies(theirs: Path, hashed: str, tmp_path: Path) -> None:
    content = ssh_keygen_signs(theirs, tmp_path, "-O", f"hashalg={hashed}")
    signature = parse_ssh_signature(content)
    verify_ssh(signature, MESSAGE)
    assert signature.hash == hashed
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", f"{theirs}.pub"], check=True, capture_output=True, text=True
    )
    assert listed.stdout.split()[1] == signature.fingerprint
    with pytest.raises(EvidenceError, match="did not sign these bytes; either the file was"):
        verify_ssh(signature, MESSAGE + b" ")
    other = parse_ssh_signature(ssh_keygen_signs(theirs, tmp_path, namespace="file"))
    with pytest.raises(EvidenceError, match='made for "file", not "prunegate-signoff"; sign with'):
        verify_ssh(other, MESSAGE)
    verify_ssh(parse_ssh_signature(content.replace(b"\n", b"\r\n")), MESSAGE)


@needs_ssh
def test_what_we_sign_ssh_keygen_verifies(key: PrivateKey, tmp_path: Path) -> None:
    line = openssh_line(key.public_key())
    signature = ssh_sign(key, NAMESPACE, MESSAGE)
    assert ssh_keygen_verifies(line, signature, MESSAGE, tmp_path)
    assert not ssh_keygen_verifies(line, signature, MESSAGE + b" ", tmp_path)
    assert not ssh_keygen_verifies(line, ssh_sign(key, "file", MESSAGE), MESSAGE, tmp_path)


@needs_ssh
def test_an_ed25519_signature_is_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    ours = ssh_sign(read_private_key(path), NAMESPACE, MESSAGE)
    assert ours.encode() == ssh_keygen_signs(path, tmp_path)


@needs_ssh
def test_ssh_keygen_signs_with_a_key_of_ours(tmp_path: Path) -> None:
    key = generate("p256")
    write_key_pair(key, tmp_path / "k")
    (tmp_path / "k.pub").write_text(openssh_line(key.public_key()))
    signature = parse_ssh_signature(ssh_keygen_signs(tmp_path / "k", tmp_path))
    verify_ssh(signature, MESSAGE)
    assert key_id(signature.public) == key_id(key.public_key())


def test_the_sshsig_package_agrees(edwards: PrivateKey) -> None:
    """On Ed25519: it knows no ECDSA."""
    sshsig = pytest.importorskip("sshsig")
    armored = ssh_sign(edwards, NAMESPACE, MESSAGE)
    found = sshsig.check_signature(BytesIO(MESSAGE), armored, NAMESPACE)
    assert str(found).split()[1] == openssh_line(edwards.public_key()).split()[1]
    with pytest.raises(sshsig.InvalidSignature):
        sshsig.check_signature(BytesIO(b"other"), armored, NAMESPACE)


def test_signatures_of_fixed_keys_are_golden(key: PrivateKey, golden: Path) -> None:
    name = "ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "p256"
    assert ssh_sign(key, NAMESPACE, MESSAGE) == (golden / f"{name}.sig").read_text()


@given(message=st.binary(max_size=100), other=st.binary(max_size=100), which=st.booleans())
def test_a_signature_is_over_one_message(message: bytes, other: bytes, which: bool) -> None:
    signature = parse_ssh_signature(ssh_sign(KEYS[which], "n", message).encode())
    verify_ssh(signature, message, "n")
    if message != other:
        with pytest.raises(EvidenceError):
            verify_ssh(signature, other, "n")


@given(number=st.integers(0, 2**256))
def test_numbers_have_one_spelling(number: int) -> None:
    assert Reader(mpint(number)).mpint() == number
    content = mpint(number)[4:]
    for other in (string(b"\0" + content), string(b"\xff" + content)):
        with pytest.raises(ValueError, match="one spelling"):
            Reader(other).mpint()


def _armor(blob: bytes) -> bytes:
    body = base64.b64encode(blob)
    return b"-----BEGIN SSH SIGNATURE-----\n" + body + b"\n-----END SSH SIGNATURE-----\n"


def _blob(armored: str) -> bytes:
    return base64.b64decode("".join(armored.split("\n")[1:-2]))


def test_no_byte_of_a_signature_can_be_changed(key: PrivateKey) -> None:
    blob = _blob(ssh_sign(key, NAMESPACE, MESSAGE))
    verify_ssh(parse_ssh_signature(_armor(blob)), MESSAGE)
    name = openssh_line(key.public_key())
    for place in range(len(blob)):
        for step in (1, 128):
            changed = bytearray(blob)
            changed[place] ^= step
            try:
                signature = parse_ssh_signature(_armor(bytes(changed)))
                verify_ssh(signature, MESSAGE)
            except (EvidenceError, InputError):
                continue
            pytest.fail(f"byte {place} of a signature of {name} can be changed")


@needs_ssh
def test_where_we_accept_ssh_keygen_accepts(p256: PrivateKey, tmp_path: Path) -> None:
    """A few spellings of the armor: none is taken here that ssh-keygen would not take."""
    good = ssh_sign(p256, NAMESPACE, MESSAGE)
    begin, end = good.split("\n")[0], good.split("\n")[-2]
    variants = [good, good.rstrip("\n"), "\n" + good, good + "more", good.replace(begin, begin[1:])]
    variants += [good.replace(end, ""), good.replace("\n", "", 1), good[:-40] + good[-39:]]
    line = openssh_line(p256.public_key())
    for text in variants:
        try:
            verify_ssh(parse_ssh_signature(text.encode()), MESSAGE)
        except (EvidenceError, InputError):
            continue
        assert ssh_keygen_verifies(line, text, MESSAGE, tmp_path), text


def _made(
    *,
    key: bytes | None = None,
    reserved: bytes = b"",
    hashed: bytes = b"sha512",
    algorithm: bytes = b"ssh-ed25519",
    version: int = 1,
    tail: bytes = b"",
) -> bytes:
    """A signature of Ed25519's shape with something about it that is not right."""
    if key is None:
        key = base64.b64decode(openssh_line(KEYS[1].public_key()).split()[1])
    blob = b"SSHSIG" + version.to_bytes(4) + string(key) + string(NAMESPACE.encode())
    blob += string(reserved) + string(hashed)
    return _armor(blob + string(string(algorithm) + string(b"\0" * 64)) + tail)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "its first or last line is missing"),
        (b"\xff", "not text"),
        (b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n", "it ends too early"),
        (_armor(b"SSHSIG"), "it ends too early"),
        (_armor(b"SSHGIT" + b"\0" * 40), "it does not begin with SSHSIG"),
        (_made(version=2), "version 2 is not known"),
        (_made(tail=b"x"), "something follows its end"),
        (_made(reserved=b"x"), "its reserved field is not empty"),
        (_made(hashed=b"md5"), 'its hash is "md5", not sha512 or sha256'),
        (_made(algorithm=b"ssh-rsa"), '"ssh-rsa" is no algorithm of a key of type ssh-ed25519'),
        (_made(key=string(b"ssh-dss") + string(b"x")), 'made with a key of type "ssh-dss"; sign'),
        (_made(key=string(b"sk-ssh-ed25519@openssh.com")), "made with a hardware key; check it"),
        (_made(key=string(b"ssh-ed25519-cert-v01@openssh.com")), "made with a certificate; sign"),
        (_made(key=string(b"ssh-ed25519") + string(b"x")), "the public key in it cannot be read"),
        (_made(key=b""), "it ends too early"),
        (_armor(b"a" * 70_000), "too large for a signature"),
    ],
)
def test_what_is_no_signature_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_ssh_signature(content, "ann.sig")
    assert said in str(caught.value)
    assert str(caught.value).startswith("ann.sig: ")


def test_a_short_rsa_key_is_too_few_bits(tmp_path: Path) -> None:
    if SSH is None:
        pytest.skip("ssh-keygen (openssh-client) is not installed")
    path = tmp_path / "k"
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True)
    with pytest.raises(InputError, match="an RSA key of 1024 bits, too few to trust"):
        parse_ssh_signature(ssh_keygen_signs(path, tmp_path))


def test_a_namespace_is_needed() -> None:
    with pytest.raises(InputError, match="needs a namespace"):
        ssh_sign(KEYS[0], "", MESSAGE)


def test_a_signature_that_is_no_ecdsa_encoding_does_not_verify(p256: PrivateKey) -> None:
    signature = parse_ssh_signature(ssh_sign(p256, NAMESPACE, MESSAGE).encode())
    for sig in (b"", mpint(1), mpint(0) + mpint(0), mpint(2**300) + mpint(1)):
        broken = SshSignature(
            key_blob=signature.key_blob,
            namespace=signature.namespace,
            hash=signature.hash,
            algorithm=signature.algorithm,
            sig=sig,
        )
        with pytest.raises(EvidenceError, match="did not sign these bytes"):
            verify_ssh(broken, MESSAGE)
