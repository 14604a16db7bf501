"""Signed note (C2SP signed-note): a text, and lines of signatures under it.

A verifier key (vkey) is ``name+hex(key id)+base64(type || public key)``. Two types are known here:
0x01, an Ed25519 signature of the text, which a log gives; and 0x04, a cosignature (C2SP
tlog-cosignature), which a witness gives and which carries its time. Signatures of unknown keys are
ignored, as the specification asks; a bad signature of a known key is never.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from prunegate.errors import EvidenceError, InputError, UnsupportedError
from prunegate.text.escape import escaped

ED25519 = 0x01
COSIGNATURE = 0x04

_MAX_BYTES = 1_000_000
_MAX_SIGNATURES = 100
_MAX_TIME = 2**63 - 1
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, kw_only=True)
class VerifierKey:
    """A public key with the name that it signs under."""

    name: str
    """Schema-less URL of the signer; of a log, its origin."""
    kind: int
    """Type of its signatures: ED25519 or COSIGNATURE."""
    material: bytes
    """The 32 bytes of the Ed25519 public key."""

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name, newline, type, key)."""
        content = self.name.encode() + b"\n" + bytes([self.kind]) + self.material
        return hashlib.sha256(content).digest()[:4]

    def __str__(self) -> str:
        """The vkey, as a trust policy holds it."""
        key = base64.b64encode(bytes([self.kind]) + self.material).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"


@dataclass(frozen=True, kw_only=True)
class NoteSignature:
    """One signature line."""

    name: str
    """Name of the key that signed."""
    key_id: bytes
    """Four bytes that tell keys of one name apart."""
    signature: bytes
    """What follows the key id: 64 bytes of a log, 8 of time and 64 of a witness."""

    def __str__(self) -> str:
        """The line without its newline."""
        encoded = base64.b64encode(self.key_id + self.signature).decode()
        return f"{_DASH}{self.name} {encoded}"

    @property
    def time(self) -> int | None:
        """POSIX time of a cosignature; None where the length is not a cosignature's."""
        return struct.unpack(">Q", self.signature[:8])[0] if len(self.signature) == 72 else None


@dataclass(frozen=True, kw_only=True)
class Note:
    """A text and the signatures under it, not verified yet."""

    text: str
    """What is signed, its last newline included."""
    signatures: tuple[NoteSignature, ...]
    """At least one, in the order of the file."""

    def encode(self) -> bytes:
        """The note's bytes."""
        return "".join([self.text, "\n", *(f"{one}\n" for one in self.signatures)]).encode()

    def signed_too(self, signature: NoteSignature) -> Note:
        """This note with one more signature; an older one of the same key gives way."""
        mine = (signature.name, signature.key_id)
        kept = tuple(s for s in self.signatures if (s.name, s.key_id) != mine)
        return replace(self, signatures=(*kept, signature))


def vkey_of(key: Ed25519PrivateKey, name: str, kind: int = ED25519) -> VerifierKey:
    """The verifier key of a private key under a name.

    Raises:
        InputError: the name is empty or holds a space or a plus sign.
    """
    _checked_name(name)
    return VerifierKey(name=name, kind=kind, material=key.public_key().public_bytes_raw())


def parse_vkey(text: str) -> VerifierKey:
    """Read ``name+hex+base64``.

    Raises:
        InputError: it is malformed, or its key id is not the one of its name and key.
        UnsupportedError: a signature type other than 0x01 and 0x04.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise InputError(f"{escaped(text)[:80]}: no verifier key; it reads name+hex key id+base64")
    name, identifier, encoded = parts
    _checked_name(name)
    content = strict_base64(encoded, f"the key of {escaped(name)}")
    if content[:1] not in (bytes([ED25519]), bytes([COSIGNATURE])):
        kind = f"0x{content[:1].hex()}" if content else "none"
        raise UnsupportedError(
            f"{escaped(name)}: signature type {kind}; known are 0x01 (Ed25519) and "
            "0x04 (cosignature)"
        )
    if len(content) != 33:
        raise InputError(f"{escaped(name)}: the key has {len(content) - 1} bytes, Ed25519 has 32")
    key = VerifierKey(name=name, kind=content[0], material=content[1:])
    if key.key_id.hex() != identifier:
        raise InputError(
            f"{escaped(name)}: key id {escaped(identifier)[:20]}, but name and key give"
            f" {key.key_id.hex()}; copy the line again from its owner"
        )
    return key


def parse_note(content: bytes) -> Note:
    """Read a signed note, strictly; nothing is verified.

    Raises:
        InputError: it is not to the byte what the specification says.
    """
    if len(content) > _MAX_BYTES:
        raise InputError(f"a signed note of more than {_MAX_BYTES} bytes is not read")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"the signed note is not UTF-8 (byte {error.start})") from error
    if found := _CONTROL.search(text):
        raise InputError(f"the signed note holds a control character at {found.start()}")
    at = text.rfind("\n\n")
    if at <= 0 or not text.endswith("\n"):
        raise InputError("no signed note: a text, an empty line and signature lines are expected")
    lines = text[at + 2 : -1].split("\n") if at + 2 < len(text) else []
    if not 1 <= len(lines) <= _MAX_SIGNATURES:
        raise InputError(f"the signed note has {len(lines)} signature lines, 1 to 100 are read")
    return Note(text=text[: at + 1], signatures=tuple(_parse_line(line) for line in lines))


def sign_note(text: str, name: str, key: Ed25519PrivateKey) -> NoteSignature:
    """A log's signature (type 0x01) of a text that ends in a newline."""
    vkey = vkey_of(key, name)
    return NoteSignature(name=name, key_id=vkey.key_id, signature=key.sign(text.encode()))


def cosign(text: str, name: str, key: Ed25519PrivateKey, time: int) -> NoteSignature:
    """A witness's cosignature (type 0x04) of a checkpoint's text at a POSIX time."""
    vkey = vkey_of(key, name, COSIGNATURE)
    signed = key.sign(_cosigned(text, time))
    signature = struct.pack(">Q", time) + signed
    return NoteSignature(name=name, key_id=vkey.key_id, signature=signature)


def verified_signatures(
    note: Note, keys: Iterable[VerifierKey]
) -> dict[VerifierKey, NoteSignature]:
    """The signatures of known keys, each of them verified; unknown keys are left out.

    Raises:
        EvidenceError: a signature of a known key does not verify.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[VerifierKey, NoteSignature] = {}
    for one in note.signatures:
        key = known.get((one.name, one.key_id))
        if key is None:
            continue
        if not _holds(key, note.text, one):
            raise EvidenceError(
                f"the signature of {escaped(one.name)} ({one.key_id.hex()}) does not verify:"
                " the text or the signature was changed, or another key signed"
            )
        found[key] = one
    return found


def strict_base64(text: str, what: str) -> bytes:
    """Decode standard base64 that has exactly one spelling.

    Raises:
        InputError: other characters, wrong padding, or bits set that are thrown away.
    """
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InputError(f"{what} is not base64") from error
    if base64.b64encode(content).decode() != text:
        raise InputError(f"{what} is not base64 in its only spelling")
    return content


def _parse_line(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise InputError(f"no signature line (em dash, name, base64): {escaped(line)[:80]}")
    _checked_name(name)
    content = strict_base64(encoded, f"the signature of {escaped(name)}")
    if len(content) <= 4:
        raise InputError(f"the signature of {escaped(name)} is empty")
    return NoteSignature(name=name, key_id=content[:4], signature=content[4:])


def _checked_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() or c < " " or _surrogate(c) for c in name):
        raise InputError(
            f"key name {escaped(name)[:60]!r}: it must not be empty nor hold spaces or '+';"
            " a schema-less URL such as example.com/audit is customary"
        )


def _surrogate(character: str) -> bool:
    """Whether it stands for an octet that is no UTF-8."""
    return "\ud800" <= character <= "\udfff"


def _cosigned(text: str, time: int) -> bytes:
    if not 0 <= time <= _MAX_TIME:
        raise InputError(f"time {time} of a cosignature is out of range")
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _holds(key: VerifierKey, text: str, one: NoteSignature) -> bool:
    content, signature = text.encode(), one.signature
    if key.kind == COSIGNATURE:
        if one.time is None or one.time > _MAX_TIME:
            return False
        content, signature = _cosigned(text, one.time), signature[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.material).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True
