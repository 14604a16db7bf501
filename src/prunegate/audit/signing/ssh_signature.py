"""SSH signatures (PROTOCOL.sshsig): what a client signs with nothing but ``ssh-keygen -Y sign``.

A signature holds its own public key, so that it verifies by itself; whose key it is, and whether it
may sign, ``allowed_signers`` says. The namespace keeps a signature that was made for something else
(a git commit, a file) from counting as an approval.

Taken are Ed25519, ECDSA P-256 and RSA (2048 bits at least, SHA-2). Hardware keys (``sk-``) and
certificates are refused by name: ``ssh-keygen -Y verify`` can check those.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from prunegate.audit.signing.keys import PrivateKey, PublicKey, openssh_line
from prunegate.audit.signing.signature import is_signed, sign_message
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.messages import literal


class Reader:
    """Reads one value after the other; every mistake is a ValueError."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            ValueError: there are not so many.
        """
        if size > len(self._rest):
            raise ValueError("it ends too early")
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def number(self) -> int:
        """A uint32."""
        return int.from_bytes(self.take(4))

    def string(self) -> bytes:
        """A string of bytes."""
        return self.take(self.number())

    def text(self) -> str:
        """A string of printable ASCII.

        Raises:
            ValueError: it is empty, does not print, or ends too early.
        """
        found = self.string().decode("ascii")
        if not found or not found.isprintable():
            raise ValueError("a name in it is empty or does not print")
        return found

    def mpint(self) -> int:
        """A number that is not negative.

        Raises:
            ValueError: it is negative, not in its one spelling, or ends too early.
        """
        content = self.string()
        found = int.from_bytes(content, signed=True)
        if found < 0 or mpint(found) != string(content):
            raise ValueError("a number in it is not in its one spelling")
        return found

    def end(self) -> None:
        """That nothing is left.

        Raises:
            ValueError: something is.
        """
        if self._rest:
            raise ValueError("something follows its end")


def string(content: bytes) -> bytes:
    """Bytes with their length before them."""
    return len(content).to_bytes(4) + content


def mpint(number: int) -> bytes:
    """A number that is not negative, in as few bytes as a sign bit allows."""
    return string(number.to_bytes(number.bit_length() // 8 + 1) if number else b"")


NAMESPACE = "prunegate-signoff"
"""What an approval is signed for: ``ssh-keygen -Y sign -n prunegate-signoff``."""
LARGEST = 64 << 10
"""Bytes; no signature is larger."""
KEY_TYPES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
"""Types of key that sign here, each with its signature algorithms."""

SshKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey

_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_WIDTH = 70
_HASHES = ("sha512", "sha256")
_SHORTEST_RSA = 2048
_HOW = "make it with 'ssh-keygen -Y sign'"


@dataclass(frozen=True, kw_only=True)
class SshSignature:
    """A signature as its file says; nothing is verified yet."""

    key_blob: bytes
    """The public key in SSH's encoding, as ``allowed_signers`` lists it."""
    namespace: str
    hash: str
    """Of the message: sha512 or sha256."""
    algorithm: str
    sig: bytes
    """In SSH's encoding."""

    @property
    def public(self) -> SshKey:
        """The key itself; ``keys.key_id`` names it."""
        return _public(self.key_blob, "signature")

    @property
    def fingerprint(self) -> str:
        """The key's fingerprint as ``ssh-keygen -l`` shows it."""
        return fingerprint(self.key_blob)


def key_blob(public: PublicKey) -> bytes:
    """A key in SSH's encoding."""
    return base64.b64decode(openssh_line(public).split()[1])


def fingerprint(blob: bytes) -> str:
    """The fingerprint of a key in SSH's encoding, as ``ssh-keygen -l`` shows it."""
    found = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii")
    return f"SHA256:{found.rstrip('=')}"


def blob_type(blob: bytes) -> str:
    """The type of a key in SSH's encoding.

    Raises:
        ValueError: it does not begin with one.
    """
    return Reader(blob).text()


def parse_ssh_signature(content: bytes, where: str = "signature") -> SshSignature:
    """Read an armored signature; ``where`` names it in messages.

    Mail turns line ends round, so CRLF is taken too.

    Raises:
        InputError: anything but one whole signature of a kind that can be verified here.
    """
    blob = _dearmor(content, where)
    try:
        key, namespace, reserved, hashed, signed = _fields(blob)
        inner = Reader(signed)
        algorithm, sig = inner.text(), inner.string()
        inner.end()
        kind = blob_type(key)
    except ValueError as error:
        raise InputError(f"{where}: no SSH signature ({error}); {_HOW}") from error
    if reserved:
        raise InputError(f"{where}: its reserved field is not empty, which nothing writes")
    if hashed not in _HASHES:
        raise InputError(f"{where}: its hash is {literal(hashed)}, not sha512 or sha256")
    if algorithm not in _algorithms(kind, where):
        raise InputError(f"{where}: {literal(algorithm)} is no algorithm of a key of type {kind}")
    _public(key, where)
    return SshSignature(
        key_blob=key, namespace=namespace, hash=hashed, algorithm=algorithm, sig=sig
    )


def verify_ssh(
    signature: SshSignature, message: bytes, namespace: str = NAMESPACE, where: str = "signature"
) -> None:
    """That the signature's own key signed this message for this namespace.

    Raises:
        EvidenceError: it was made for another namespace, or over another message.
    """
    if signature.namespace != namespace:
        raise EvidenceError(
            f"{where}: was made for {literal(signature.namespace)}, not {literal(namespace)}; "
            f"sign with 'ssh-keygen -Y sign -n {namespace}'"
        )
    signed = _signed_data(namespace, signature.hash, message)
    try:
        whole = _verifies(signature, signed)
    except ValueError:  # not the encoding of a signature of this kind
        whole = False
    if not whole:
        raise EvidenceError(
            f"{where}: key {signature.fingerprint} did not sign these bytes; either the file was "
            "changed after it was signed, or the signature is of another file"
        )


def ssh_sign(private: PrivateKey, namespace: str, message: bytes) -> str:
    """The armored signature that ``ssh-keygen -Y sign`` would make.

    Raises:
        InputError: the namespace is empty.
    """
    if not namespace:
        raise InputError("a signature needs a namespace; give one, such as prunegate-signoff")
    key = key_blob(private.public_key())
    raw = sign_message(private, _signed_data(namespace, _HASHES[0], message))
    if isinstance(private, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(raw)
        raw = mpint(r) + mpint(s)
    blob = _MAGIC + (1).to_bytes(4)
    blob += string(key) + string(namespace.encode()) + string(b"")
    blob += string(_HASHES[0].encode()) + string(string(blob_type(key).encode()) + string(raw))
    text = base64.b64encode(blob).decode("ascii")
    lines = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def _dearmor(content: bytes, where: str) -> bytes:
    """The bytes between the two lines that mark a signature."""
    if len(content) > LARGEST:
        raise InputError(f"{where}: too large for a signature")
    try:
        text = content.decode("ascii").replace("\r\n", "\n").rstrip("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: no SSH signature (not text); {_HOW}") from error
    if not text.startswith(f"{_BEGIN}\n") or not text.endswith(f"\n{_END}"):
        raise InputError(
            f"{where}: no SSH signature (its first or last line is missing); {_HOW} and give the "
            ".sig file whole"
        )
    body = text[len(_BEGIN) : -len(_END)].replace("\n", "")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise InputError(f"{where}: no SSH signature (not base64); is it whole?") from error


def _fields(blob: bytes) -> tuple[bytes, str, bytes, str, bytes]:
    """Public key, namespace, reserved, hash and signature."""
    reader = Reader(blob)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise ValueError("it does not begin with SSHSIG")
    if (version := reader.number()) != 1:
        raise ValueError(f"version {version} is not known")
    found = (reader.string(), reader.text(), reader.string(), reader.text(), reader.string())
    reader.end()
    return found


def _algorithms(kind: str, where: str) -> tuple[str, ...]:
    if kind in KEY_TYPES:
        return KEY_TYPES[kind]
    if kind.startswith("sk-"):
        what = "a hardware key; check it with 'ssh-keygen -Y verify', or"
    elif "-cert-" in kind:
        what = "a certificate;"
    else:
        what = f"a key of type {literal(kind)};"
    raise InputError(f"{where}: made with {what} sign with an Ed25519, ECDSA P-256 or RSA key")


def _public(blob: bytes, where: str) -> SshKey:
    kind = blob_type(blob)
    line = kind.encode() + b" " + base64.b64encode(blob)
    try:
        key = load_ssh_public_key(line)
    except (ValueError, UnsupportedAlgorithm, NotImplementedError) as error:
        raise InputError(f"{where}: the public key in it cannot be read") from error
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SHORTEST_RSA:
        raise InputError(
            f"{where}: made with an RSA key of {key.key_size} bits, too few to trust; sign with an "
            f"Ed25519 key, or RSA of {_SHORTEST_RSA} bits"
        )
    assert isinstance(key, SshKey)  # noqa: S101  # the types in KEY_TYPES
    return key


def _signed_data(namespace: str, hashed: str, message: bytes) -> bytes:
    """What the key signs: the namespace and the message's hash."""
    told = hashlib.new(hashed, message).digest()
    fields = (namespace.encode(), b"", hashed.encode(), told)
    return _MAGIC + b"".join(map(string, fields))


def _verifies(signature: SshSignature, signed: bytes) -> bool:
    public = signature.public
    if isinstance(public, rsa.RSAPublicKey):
        way = SHA512() if signature.algorithm == "rsa-sha2-512" else SHA256()
        try:
            public.verify(signature.sig, signed, PKCS1v15(), way)
        except InvalidSignature:
            return False
        return True
    raw = signature.sig
    if isinstance(public, ec.EllipticCurvePublicKey):
        reader = Reader(raw)
        r, s = reader.mpint(), reader.mpint()
        reader.end()
        raw = encode_dss_signature(r, s)
    return is_signed(public, raw, signed)
