"""npm's @sigstore/verify, as a bundle's verifier, takes our envelopes and refuses changed ones."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.record import DecisionRecord
from prunegate.audit.signing.decision import decision_statement
from prunegate.audit.signing.dsse import sign_envelope
from prunegate.audit.signing.keys import PrivateKey, generate

PACKAGE = "@sigstore/verify@4.1"
SCRIPT = Path(__file__).with_name("sigstore_verify.js")

pytestmark = pytest.mark.slow  # installs a package from npm

Verified = Callable[[bytes, PrivateKey], bool]


@pytest.fixture(scope="session")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Verified:
    """Whether the package takes an envelope as signed by a key."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}")
    install = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE]
    done = subprocess.run(install, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm cannot install {PACKAGE} here")

    def run(envelope: bytes, key: PrivateKey) -> bool:
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / "envelope.json").write_bytes(envelope)
        (folder / "key.pub").write_bytes(pem)
        command = [node, str(SCRIPT), "envelope.json", "key.pub"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        if done.returncode and "signature verification failed" not in done.stderr:
            raise RuntimeError(done.stderr)
        return done.returncode == 0

    return run


def test_it_takes_what_we_sign_and_nothing_else(
    verified: Verified, key: PrivateKey, record: DecisionRecord
) -> None:
    payload = decision_statement(record, "ab" * 32).to_bytes()
    content = sign_envelope(payload, [key])
    assert verified(content, key)
    assert not verified(content, generate("p256"))
    changed = json.loads(sign_envelope(payload.replace(b'"approve"', b'"reject"'), []))
    changed["signatures"] = json.loads(content)["signatures"]
    assert not verified(canonical_bytes(changed), key)
