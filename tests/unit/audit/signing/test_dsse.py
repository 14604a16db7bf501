"""DSSE: what is signed stays signed, any other byte does not, and other programs agree."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.signing.dsse import (
    PAYLOAD_TYPE,
    Envelope,
    pae,
    parse_envelope,
    sign_envelope,
    verify_envelope,
)
from prunegate.audit.signing.keys import PrivateKey, generate, key_id
from prunegate.audit.signing.signature import is_signed
from prunegate.errors import EvidenceError, InputError

OTHERS = (generate("p256"), generate("ed25519"))


def test_the_published_vector() -> None:
    """The test vector of the DSSE protocol document, whose signature is raw r and s."""
    message = pae(b"hello world", "http://example.com/HelloWorld")
    assert message == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    number = 97358161215184420915383655311931858321456579547487070936769975997791359926199
    public = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    raw = base64.b64decode(
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
    )
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    assert is_signed(public, der, message)


@given(payload=st.binary(max_size=300), which=st.sets(st.sampled_from([0, 1])))
def test_an_envelope_reads_back_and_verifies_for_its_signers_only(
    payload: bytes, which: set[int]
) -> None:
    signers = [OTHERS[number] for number in sorted(which)]
    content = sign_envelope(payload, signers)
    envelope = parse_envelope(content)
    assert envelope.payload == payload
    assert envelope.to_bytes() == content
    everyone = [key.public_key() for key in OTHERS]
    assert verify_envelope(envelope, everyone) == {key_id(key.public_key()) for key in signers}
    assert verify_envelope(
        Envelope(payload=payload + b" ", signatures=envelope.signatures), everyone
    ) == (frozenset())


def test_signing_is_deterministic_and_golden(
    p256: PrivateKey, edwards: PrivateKey, golden: Path
) -> None:
    content = sign_envelope(b'{"payload":"golden"}', [p256, edwards])
    assert content == sign_envelope(b'{"payload":"golden"}', [p256, edwards])
    assert content == (golden / "envelope.dsse.json").read_bytes()


def test_no_key_leaves_it_unsigned_and_none_signs_twice(p256: PrivateKey) -> None:
    assert json.loads(sign_envelope(b"x", []))["signatures"] == []
    with pytest.raises(InputError, match="has signed this already"):
        sign_envelope(b"x", [p256, p256])


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 2, 4, 8, 16, 32, 64, 128])
def test_no_byte_can_be_changed(step: int, p256: PrivateKey, edwards: PrivateKey) -> None:
    """Each byte of an envelope in turn: it no longer parses, or not all who signed verify."""
    content = sign_envelope(b'{"a":1}', [p256, edwards])
    keys = [p256.public_key(), edwards.public_key()]
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= step
        try:
            verified = verify_envelope(parse_envelope(bytes(changed)), keys)
        except EvidenceError:
            continue
        assert len(verified) < 2, (place, bytes(changed))


def _envelope(**changes: Any) -> bytes:
    signature = {"keyid": "0" * 64, "sig": "AAAA"}
    value = {"payload": "e30=", "payloadType": PAYLOAD_TYPE, "signatures": [signature], **changes}
    return canonical_bytes({k: v for k, v in value.items() if v is not None})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "a JSON object was expected"),
        (_envelope() + b"\n", "its bytes are not canonical JSON"),
        (_envelope().replace(b":", b": ", 1), "its bytes are not canonical JSON"),
        (b'{"payload":"e30=","payload":"e30="}', 'the key "payload" occurs twice'),
        (b'{"a":NaN}', "NaN is no JSON number"),
        (b'{"a":123456789012345678901234567890}', "its bytes are not canonical JSON"),
        (b'{"a":"\\ud800"}', "its bytes are not canonical JSON"),
        (_envelope(more=1), 'has a field that is not known: "more"'),
        (_envelope(payload=None), "lacks the field 'payload'"),
        (_envelope(payloadType="text/plain"), 'its payload type is "text/plain", not application'),
        (_envelope(payload="e30"), "payload: not base64"),
        (_envelope(payload="e3\n0="), "payload: not base64"),
        (_envelope(payload="e31="), "payload: not base64 in its one canonical spelling"),
        (_envelope(payload="_-8="), "payload: not base64"),
        (_envelope(payload=7), "payload: not base64"),
        (_envelope(signatures={}), "'signatures' is no list"),
        (_envelope(signatures=[7]), "signatures[0]: a JSON object was expected"),
        (_envelope(signatures=[{"sig": "AAAA"}]), "signatures[0]: lacks the field 'keyid'"),
        (_envelope(signatures=[{"sig": "", "keyid": "me"}]), 'the keyid "me" is no sha256'),
        (_envelope(signatures=[{"sig": "", "keyid": "0" * 64}] * 2), "one key signed twice"),
        (_envelope(signatures=[{"sig": "?", "keyid": "0" * 64}]), "signatures[0]: sig: not base64"),
    ],
)
def test_what_is_no_envelope_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        parse_envelope(content, "entry 7")
    assert said in str(caught.value)
    assert str(caught.value).startswith("entry 7: ")
    assert caught.value.exit_code == 6


def test_a_signature_is_of_one_payload_and_one_key(p256: PrivateKey, edwards: PrivateKey) -> None:
    keys = [p256.public_key()]
    signed = parse_envelope(sign_envelope(b"one", [p256, edwards]))
    assert verify_envelope(signed, keys) == {key_id(p256.public_key())}
    moved = Envelope(payload=b"two", signatures=signed.signatures)
    for other in (moved, Envelope(payload=b"one")):
        assert verify_envelope(other, keys) == frozenset()
    assert verify_envelope(signed, []) == frozenset()


def test_the_name_of_another_key_does_not_help(p256: PrivateKey, edwards: PrivateKey) -> None:
    value = json.loads(sign_envelope(b"x", [edwards]))
    value["signatures"][0]["keyid"] = key_id(p256.public_key())
    envelope = parse_envelope(canonical_bytes(value))
    assert verify_envelope(envelope, [p256.public_key(), edwards.public_key()]) == frozenset()


def test_openssl_verifies_the_signature(key: PrivateKey, tmp_path: Path) -> None:
    content = sign_envelope(b'{"a":1}', [key])
    signature = parse_envelope(content).signatures[0].sig
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key").write_bytes(pem)
    (tmp_path / "sig").write_bytes(signature)
    for payload, verdict in ((b'{"a":1}', 0), (b'{"a":2}', 1)):
        (tmp_path / "pae").write_bytes(pae(payload))
        if isinstance(key, ec.EllipticCurvePrivateKey):
            how = ["dgst", "-sha256", "-verify", "key", "-signature", "sig", "pae"]
        else:
            how = ["pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin"]
            how += ["-in", "pae", "-sigfile", "sig"]
        done = subprocess.run(["openssl", *how], cwd=tmp_path, check=False, capture_output=True)
        assert done.returncode == verdict, done.stdout + done.stderr


def test_securesystemslib_agrees(key: PrivateKey) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse")
    signer = pytest.importorskip("securesystemslib.signer")
    exceptions = pytest.importorskip("securesystemslib.exceptions")
    ours = sign_envelope(b'{"a":1}', [key])
    theirs = dsse.Envelope.from_dict(json.loads(ours))
    assert theirs.pae() == pae(b'{"a":1}')
    name = key_id(key.public_key())
    public = signer.SSlibKey.from_crypto(key.public_key(), name)
    assert theirs.verify([public], 1) == {name: public}
    theirs.payload = b'{"a":2}'
    with pytest.raises(exceptions.VerificationError):
        theirs.verify([public], 1)
    made = dsse.Envelope(b"made there", PAYLOAD_TYPE, {})
    made.sign(signer.CryptoSigner(key, public))
    read = parse_envelope(canonical_bytes(made.to_dict()))
    assert verify_envelope(read, [key.public_key()]) == {name}


def test_the_key_id_is_what_openssl_hashes(p256: PrivateKey, tmp_path: Path) -> None:
    pem = p256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key").write_bytes(pem)
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", str(tmp_path / "key"), "-outform", "DER"],
        check=True,
        capture_output=True,
    ).stdout
    assert hashlib.sha256(der).hexdigest() == key_id(p256.public_key())


DOCS = Path(__file__).parents[4] / "docs" / "audit.md"


def test_the_shell_lines_of_the_docs_verify(p256: PrivateKey, tmp_path: Path) -> None:
    """The PAE that docs/audit.md puts together by hand, run as written."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    lines = DOCS.read_text(encoding="utf-8").split("jq -r .payload", 1)[1].split("```", 1)[0]
    pem = p256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "gate.key.pub").write_bytes(pem)
    (tmp_path / "envelope.json").write_bytes(sign_envelope(b'{"a":1}', [p256]))
    shell = ["sh", "-ec", f"jq -r .payload{lines}"]
    done = subprocess.run(shell, cwd=tmp_path, check=True, capture_output=True)
    assert done.stdout == b"Verified OK\n"
