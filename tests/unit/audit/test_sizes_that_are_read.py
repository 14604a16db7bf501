"""What is read is read up to the size that it may have, to the byte, and no further."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate.audit.approvals.request import BLANK, parse_answer, parse_request
from prunegate.audit.log.note import parse_note, vkey_of
from prunegate.audit.log.trust_policy import parse_trust_policy
from prunegate.audit.signing.allowed_signers import read_allowed_signers
from prunegate.audit.signing.keys import generate, openssh_line, read_public_key
from prunegate.audit.signing.ssh_signature import NAMESPACE, parse_ssh_signature, ssh_sign
from prunegate.errors import InputError

KEY, LOG = generate("ed25519"), Ed25519PrivateKey.generate()
SIGNED = "\n\n\u2014 k " + base64.b64encode(bytes(68)).decode() + "\n"
REQUEST = {
    "format": "urn:prunegate:approval-request:v1", "record": "a" * 64, "report": "b" * 64,
    "answer": {**BLANK, "decision": "approve", "role": "client"},
    "sentences": {"approve": "Yes.", "reject": "No.", "discuss": "Hm."},
    "baseline": None, "checkpoint": None,
}  # fmt: skip
Read = Callable[[bytes, Path], object]
Pad = tuple[bytes, bytes, bytes]


def from_file(read: Callable[[Path], object]) -> Read:
    def reading(content: bytes, folder: Path) -> object:
        (folder / "f").write_bytes(content)
        return read(folder / "f")

    return reading


SIZES: dict[str, tuple[int, Pad, Read]] = {
    "signers": (1 << 20, (b"", b"#", b""), from_file(read_allowed_signers)),
    "a public key": (
        64 << 10, (openssh_line(KEY.public_key()).encode(), b"\n", b""), from_file(read_public_key),
    ),
    "a signature": (
        64 << 10, (ssh_sign(KEY, NAMESPACE, b"m").encode(), b"\n", b""),
        lambda content, _: parse_ssh_signature(content),
    ),
    "a request": (
        24 << 10, (json.dumps(REQUEST).encode(), b" ", b""),
        lambda content, _: parse_request(content, "r"),
    ),
    "a note": (
        1_000_000, (b"", b"x", SIGNED.encode()), lambda content, _: parse_note(content),
    ),
    "a trust policy": (
        1_000_000, (f"log {vkey_of(LOG, 'log.example')}\nquorum none\n#".encode(), b"#", b"\n"),
        lambda content, _: parse_trust_policy(content),
    ),
    "conditions": (
        2000, (b"", b"x", b""),
        lambda content, _: parse_answer(
            {**BLANK, "decision": "approve", "role": "r", "conditions": content.decode()}, "a"
        ),
    ),
}  # fmt: skip
"""The most bytes; what stands before, between and after; how it is read."""


@pytest.mark.parametrize(("most", "pad", "read"), SIZES.values(), ids=SIZES)
def test_the_last_byte_is_read_and_one_more_is_refused(
    most: int, pad: Pad, read: Read, tmp_path: Path
) -> None:
    before, between, after = pad
    whole = before + between * (most - len(before) - len(after)) + after
    assert len(whole) == most
    read(whole, tmp_path)
    with pytest.raises(InputError):
        read(before + between + whole[len(before) :], tmp_path)


@pytest.mark.parametrize(("lines", "read"), [(0, False), (1, True), (100, True), (101, False)])
def test_a_note_has_up_to_a_hundred_signatures(lines: int, read: bool) -> None:
    note = ("x" + SIGNED[:2] + SIGNED[2:] * lines).encode()
    if read:
        assert len(parse_note(note).signatures) == lines
    else:
        with pytest.raises(InputError):
            parse_note(note)
