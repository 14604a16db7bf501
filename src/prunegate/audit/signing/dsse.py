"""DSSE: an envelope around a payload, signed by any number of keys (DSSE v1.0).

What is signed is the pre-authentication encoding of payload and payload type, never the JSON around
them. The envelope's own bytes are canonical too, so that a digest names it. A signature counts only
for the key whose id it names; an envelope without signatures says nothing about who made it.

The encoding is twenty lines; securesystemslib, whose envelope neither refuses unknown fields nor
signs deterministically, is the oracle of the tests.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.signing.keys import PrivateKey, PublicKey, key_id
from prunegate.audit.signing.signature import is_signed, sign_message
from prunegate.audit.signing.strict_json import parse_canonical_object, require_keys
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.messages import literal

PAYLOAD_TYPE = "application/vnd.in-toto+json"

_FIELDS = frozenset({"payload", "payloadType", "signatures"})
_SIGNATURE_FIELDS = frozenset({"keyid", "sig"})
_KEY_ID = re.compile(r"[0-9a-f]{64}")

_SIGNATURE = rb'\{"keyid":"([0-9a-f]{64})","sig":"([A-Za-z0-9+/=]*)"\}'
_BASE64 = re.compile(r"[A-Za-z0-9+/=]*")
_EACH_SIGNATURE = re.compile(_SIGNATURE)
_CANONICAL = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/=]*)","payloadType":"%b","signatures":\[((?:%b(?:,(?=\{)|(?=\])))*)\]\}'
    % (re.escape(PAYLOAD_TYPE.encode()), _SIGNATURE.replace(b"(", b"(?:"))
)
"""The one spelling of an envelope: its keys in order, and no text that would need an escape."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One key's word on the payload."""

    keyid: str
    """Id of the key that is said to have signed (``keys.key_id``)."""
    sig: bytes


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A payload and who signed it, as far as the envelope says."""

    payload: bytes
    signatures: tuple[Signature, ...] = ()
    """One per key; none: nobody vouches for it here."""

    def to_bytes(self) -> bytes:
        """RFC 8785 bytes."""
        signatures = [{"keyid": s.keyid, "sig": _encode(s.sig)} for s in self.signatures]
        return canonical_bytes(
            {
                "payload": _encode(self.payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": signatures,
            }
        )


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The pre-authentication encoding: the bytes that are signed.

    >>> pae(b"hello world", "http://example.com/HelloWorld")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_envelope(payload: bytes, keys: Sequence[PrivateKey]) -> bytes:
    """The envelope's bytes with a signature of each key; no key gives an unsigned envelope.

    Raises:
        InputError: the same key twice.
    """
    envelope = Envelope(payload=payload)
    for key in keys:
        envelope = _signed(envelope, key)
    return envelope.to_bytes()


def parse_envelope(content: bytes, where: str = "envelope") -> Envelope:
    """Read an envelope's canonical bytes; ``where`` names them in messages.

    Raises:
        EvidenceError: anything but an envelope of this form and payload type.
    """
    spelled = _CANONICAL.fullmatch(content)
    if spelled is None:
        raise EvidenceError(_what_is_wrong(content, where))
    payload = _decode(spelled[1], f"{where}: payload")
    if not spelled[2]:
        return Envelope(payload=payload)
    found = tuple(
        Signature(
            keyid=item[1].decode(), sig=_decode(item[2], f"{where}: signatures[{number}]: sig")
        )
        for number, item in enumerate(_EACH_SIGNATURE.finditer(spelled[2]))
    )
    if len({s.keyid for s in found}) != len(found):
        raise EvidenceError(f"{where}: one key signed twice")
    return Envelope(payload=payload, signatures=found)


def verify_envelope(envelope: Envelope, public_keys: Iterable[PublicKey]) -> frozenset[str]:
    """Ids of those of the keys whose signature over this payload is in the envelope."""
    message = pae(envelope.payload)
    known = {key_id(key): key for key in public_keys}
    return frozenset(
        s.keyid
        for s in envelope.signatures
        if s.keyid in known and is_signed(known[s.keyid], s.sig, message)
    )


def _signed(envelope: Envelope, key: PrivateKey) -> Envelope:
    name = key_id(key.public_key())
    if any(s.keyid == name for s in envelope.signatures):
        raise InputError(f"key {name[:12]} has signed this already; sign with each key once")
    made = Signature(keyid=name, sig=sign_message(key, pae(envelope.payload)))
    return replace(envelope, signatures=(*envelope.signatures, made))


def _what_is_wrong(content: bytes, where: str) -> str:
    """Why bytes that are not spelled as an envelope are none."""
    try:
        value = parse_canonical_object(content, where)
        require_keys(value, _FIELDS, where)
        if value["payloadType"] != PAYLOAD_TYPE:
            return (
                f"{where}: its payload type is {literal(value['payloadType'])}, not {PAYLOAD_TYPE}"
            )
        if not isinstance(value["signatures"], list):
            return f"{where}: 'signatures' is no list"
        for number, item in enumerate(value["signatures"]):
            place = f"{where}: signatures[{number}]"
            require_keys(item, _SIGNATURE_FIELDS, place)
            if not isinstance(item["keyid"], str) or not _KEY_ID.fullmatch(item["keyid"]):
                return f"{place}: the keyid {literal(item['keyid'])} is no sha256 of a key"
            if not isinstance(item["sig"], str) or not _BASE64.fullmatch(item["sig"]):
                return f"{place}: sig: not base64"
    except EvidenceError as error:
        return str(error)
    return f"{where}: payload: not base64"


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _decode(text: bytes, where: str) -> bytes:
    """Standard base64 with padding, in its one spelling."""
    try:
        content = binascii.a2b_base64(text, strict_mode=True)
    except (ValueError, binascii.Error) as error:
        raise EvidenceError(f"{where}: not base64") from error
    if binascii.b2a_base64(content, newline=False) != text:
        raise EvidenceError(f"{where}: not base64 in its one canonical spelling")
    return content
