"""model.sig: what the reference implementation of OpenSSF Model Signing writes, and takes."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from prunegate.audit.signing.keys import PrivateKey, generate, write_key_pair
from prunegate.audit.signing.model_signature import IGNORED, model_statement, sign_model
from prunegate.errors import InputError, ModelError
from prunegate.models.digest import tree_files


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with names that sort differently as texts and as paths."""
    files = ["config.json", "a-b", "a/b", "a/c/d", "é f", "README.md", ".gitattributes", ".git/x"]
    for name in files:
        path = tmp_path / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "model"


def _model_signing(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The reference implementation's command line, without its warnings."""
    if find_spec("model_signing") is None or find_spec("OpenSSL") is None:
        pytest.skip("model-signing and pyOpenSSL (extra oms) are not installed")
    command = [sys.executable, "-W", "ignore", "-m", "model_signing", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _payload(content: bytes) -> Any:
    envelope = json.loads(content)["dsseEnvelope"]
    return json.loads(base64.b64decode(envelope["payload"]))


@pytest.mark.slow  # starts the reference implementation several times, two seconds each
def test_model_signing_verifies_ours_and_notices_every_change(model: Path, tmp_path: Path) -> None:
    key = generate("p256")
    public = write_key_pair(key, tmp_path / "k")
    signature = model / "model.sig"
    signature.write_bytes(sign_model(model, key))

    def verify() -> subprocess.CompletedProcess[str]:
        keys = ["--signature", str(signature), "--public_key", str(public)]
        return _model_signing("verify", "key", str(model), *keys)

    done = verify()
    assert done.returncode == 0, done.stdout + done.stderr
    (model / "README.md").write_text("edited")
    assert verify().returncode == 0
    (model / "a/b").write_text("edited")
    done = verify()
    assert done.returncode == 1
    assert "Hash mismatch for 'a/b'" in done.stdout + done.stderr
    (model / "a/b").write_text("a/b")
    (model / "more").write_text("more")
    assert verify().returncode == 1
    (model / "more").unlink()
    write_key_pair(generate("p256"), tmp_path / "other")
    public = tmp_path / "other.pub"
    assert verify().returncode == 1


@pytest.mark.slow  # starts the reference implementation, two seconds
def test_model_signing_signs_the_same_statement(model: Path, tmp_path: Path) -> None:
    write_key_pair(generate("p256"), tmp_path / "k")
    arguments = ["--signature", str(tmp_path / "theirs"), "--private_key", str(tmp_path / "k")]
    ignored = ["--ignore-paths", str(model / "README.md")]
    done = _model_signing("sign", "key", str(model), *arguments, *ignored)
    assert done.returncode == 0, done.stdout + done.stderr
    theirs = _payload((tmp_path / "theirs").read_bytes())
    ours = json.loads(model_statement(tree_files(model), "model").to_bytes())
    for statement in (theirs, ours):
        del statement["predicate"]["serialization"]["ignore_paths"]
    assert ours == theirs


def test_papers_are_left_out_and_named(model: Path, p256: PrivateKey) -> None:
    (model / "model.sig").write_text("an older one")
    content = sign_model(model, p256)
    payload = _payload(content)
    assert payload["predicateType"] == "https://model_signing/signature/v1.0"
    predicate = model_statement(tree_files(model), "model").predicate
    names = [resource["name"] for resource in predicate["resources"]]
    assert names == ["a/b", "a/c/d", "a-b", "config.json", "é f"]
    assert predicate["serialization"]["ignore_paths"] == list(IGNORED)
    assert content == sign_model(model, p256)


def test_what_cannot_be_signed_is_refused(
    model: Path, tmp_path: Path, p256: PrivateKey, edwards: PrivateKey
) -> None:
    with pytest.raises(InputError, match="takes no Ed25519 key"):
        sign_model(model, edwards)
    with pytest.raises(ModelError, match="no such folder"):
        sign_model(tmp_path / "gone", p256)
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "README.md").write_text("x")
    with pytest.raises(ModelError, match="holds nothing but papers"):
        sign_model(tmp_path / "papers", p256)
    (model / "link").symlink_to(model / "config.json")
    with pytest.raises(ModelError, match="symbolic link"):
        sign_model(model, p256)
