"""Wrong keys, logs, files and clocks, typed in: one clear error each, and nothing half-written."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from prunegate import cli
from prunegate.audit.log import seal as sealing
from prunegate.audit.log.seal import begin_log
from prunegate.audit.signing.keys import generate, read_private_key, write_key_pair

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty log, its key, another Ed25519 key, and one on another curve."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRUNEGATE_KEY", raising=False)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    for name in ("log", "other"):
        write_key_pair(generate("ed25519"), tmp_path / f"{name}.key")
    p384 = ec.generate_private_key(ec.SECP384R1())
    private = p384.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "p384.key").write_bytes(private)
    (tmp_path / "p384.key").chmod(0o600)
    public = p384.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "p384.key.pub").write_bytes(public)
    return tmp_path


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command; its exit code and all that it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["prunegate", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, printed.out + printed.err

    return run


def begun(say: Say) -> None:
    code, told = say("audit", "init", "--origin", "a.example/x", "--key", "log.key")
    assert code == 0, told


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


ABOUT = ("--person", "a", "--organisation", "C", "--by", "K", "--channel", "call")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("audit", "init", "--origin", "a.example/x", "--key", "p384.key"),
        (
            "audit",
            "init",
            "--origin",
            "a.example/x",
            "--key",
            "log.key",
            "--signer",
            "p384.key.pub",
        ),
        ("audit", "enrol", *ABOUT, "--role", "client", "--key", "p384.key.pub"),
        ("approve", "o", "--role", "client", "--decision", "approve", "--key", "p384.key"),
        ("gate", "p.yaml", "--predictions", "t.csv", "--key", "p384.key"),
    ],
    ids=" ".join,
)
def test_a_key_of_another_curve_is_told(folder: Path, say: Say, words: tuple[str, ...]) -> None:
    before = everything(folder)
    code, told = say(*words)
    assert code == 2, told
    assert "a key on the curve secp384r1; only ECDSA P-256 and Ed25519 are taken" in told
    assert "prunegate audit keygen" in told
    assert everything(folder) == before


def test_only_the_logs_own_key_seals(folder: Path, say: Say) -> None:
    begun(say)
    before = everything(folder)
    code, told = say("audit", "seal", "--key", "other.key")
    assert (code, "is not the log's: trust.policy names" in told) == (2, True), told
    assert everything(folder) == before


@pytest.mark.parametrize("name", [hashlib.sha256(b"junk").hexdigest(), "note.txt"])
def test_a_pending_file_that_is_no_entry_is_named(folder: Path, say: Say, name: str) -> None:
    begun(say)
    place = folder / "audit" / "pending" / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"junk")
    before = everything(folder)
    code, told = say("audit", "seal", "--key", "log.key")
    assert code == 2
    assert "nothing was sealed; take these out of pending/ first" in told
    assert name in told
    code, told = say("audit", "verify")
    assert (code, name in told, "take it out of" in told) == (6, True, True), told
    assert everything(folder) == before


def test_two_sealers_at_once(folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(say)
    monkeypatch.setitem(sealing.seal_log.__kwdefaults__, "wait_s", 0.05)  # else ten seconds
    held = os.open(folder / "audit" / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, told = say("audit", "seal", "--key", "log.key")
    finally:
        os.close(held)
    assert (code, "another process is sealing this log; let it finish" in told) == (2, True), told
    assert say("audit", "seal", "--key", "log.key")[0] == 0


def test_a_log_of_another_origin_or_a_policy_of_one(folder: Path, say: Say) -> None:
    begun(say)
    (folder / "elsewhere").mkdir()
    begin_log(folder / "elsewhere", "b.example/y", read_private_key(folder / "log.key"))
    code, told = say("audit", "verify", "--against", "elsewhere/checkpoint")
    assert (code, "is of the log b.example/y, this one is a.example/x" in told) == (6, True), told
    code, told = say("audit", "verify", "--trust", "elsewhere/trust.policy")
    assert (code, "the trust policy names b.example/y" in told) == (6, True), told


def test_a_clock_that_went_backwards(
    folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(say)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "4000000000")
    words = ("--role", "client", "--key", "other.key.pub")
    assert say("audit", "enrol", *ABOUT, *words)[0] == 0
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    before = everything(folder)
    code, told = say("audit", "seal", "--key", "log.key")
    assert code == 2
    assert "says that it was created 2096-10-02" in told
    assert "set the clock, or take it out of pending/; nothing was sealed" in told
    assert everything(folder) == before
