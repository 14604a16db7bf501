"""``prunegate audit init, log, show, seal, verify, prove`` as somebody types them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from prunegate.audit.log.folder import read_trust_policy
from prunegate.audit.log.pending import add_pending
from prunegate.audit.log.tlog_proof import verify_tlog_proof
from prunegate.cli import cli
from prunegate.errors import EvidenceError, InputError


def _logs() -> Any:
    path = Path(__file__).parents[1] / "unit" / "audit" / "log" / "logs.py"
    spec = importlib.util.spec_from_file_location("prunegate_test_logs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


logs = _logs()


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["audit", *map(str, words)])


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "log.key"
    pem = logs.key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem)
    path.chmod(0o600)
    return path


@pytest.fixture
def audit(tmp_path: Path, key: Path) -> Path:
    folder = tmp_path / "audit"
    begun = run("init", "--origin", logs.ORIGIN, "--key", key, "--audit", folder)
    assert begun.exit_code == 0
    assert str(read_trust_policy(folder).logs[0].key) in begun.output
    for number in range(3):
        add_pending(logs.entry(number, f"2026-01-0{number + 1}T00:00:00Z", kind="note"), folder)
    done = run("seal", "--key", key, "--audit", folder)
    assert "3 sealed; the log has 3" in done.output
    return folder


def test_a_log_is_listed_shown_verified_and_proven(audit: Path, tmp_path: Path) -> None:
    lines = run("log", "--audit", audit).output.splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "2"]
    assert "2026-01-02T00:00:00Z" in lines[1]
    assert "note:v1" in lines[1]
    assert "candidate-1" in lines[1]
    rows = [json.loads(line) for line in run("log", "--json", "--audit", audit).output.splitlines()]
    assert (
        rows[1]["sha256"]
        == hashlib.sha256(logs.entry(1, rows[1]["created"], kind="note")).hexdigest()
    )
    shown = json.loads(run("show", rows[1]["sha256"][:12], "--audit", audit).output)
    assert shown["number"] == 1
    assert shown["statement"]["predicate"]["created"] == rows[1]["created"]
    told = run("verify", "--against", audit / "checkpoint", "--audit", audit)
    assert told.exit_code == 0
    assert "holds 3 entries" in told.output
    assert "extends the older checkpoint of 3" in told.output
    proof = tmp_path / "one.tlog-proof"
    about = hashlib.sha256(b"record 1").hexdigest()
    assert run("prove", about, "-o", proof, "--audit", audit).exit_code == 0
    again = run("prove", about, "-o", proof, "--audit", audit)
    assert "is there already" in str(again.exception)
    assert run("prove", about, "-o", proof, "--audit", audit, "--force").exit_code == 0
    entry = logs.entry(1, rows[1]["created"], kind="note")
    verify_tlog_proof(proof.read_bytes(), entry, read_trust_policy(audit))


def test_a_list_says_what_it_does_not_hold_yet(audit: Path, tmp_path: Path, key: Path) -> None:
    add_pending(logs.entry(7, "2026-01-09T00:00:00Z"), audit)
    assert "1 pending: 'prunegate audit seal'" in run("log", "--audit", audit).stderr
    empty = tmp_path / "empty"
    run("init", "--origin", logs.ORIGIN, "--key", key, "--audit", empty)
    assert "no entries yet" in run("log", "--audit", empty).stderr
    assert run("log", "--json", "--audit", empty).output == ""


def test_a_changed_log_is_exit_6(audit: Path) -> None:
    bundle = audit / "tile" / "entries" / "000.p" / "3"
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"]")
    error = run("verify", "--audit", audit).exception
    assert isinstance(error, EvidenceError)
    assert error.exit_code == 6
    assert "entry 2 (tile/entries/000.p/3)" in str(error)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["verify"], "no log here"),
        (["init", "--origin", "a b", "--key", "KEY"], "key name"),
        (["seal"], "a log is signed"),
        (["prove", "0", "-o", "proof.txt"], r"ends in \.tlog-proof"),
        (["verify", "--against", "nowhere"], "no such file"),
    ],
)
def test_bad_input_is_one_clear_error(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRUNEGATE_KEY", raising=False)
    error = run(*[str(key) if word == "KEY" else word for word in words]).exception
    assert isinstance(error, InputError)
    with pytest.raises(InputError, match=reason):
        raise error
    assert not (tmp_path / "audit").exists()


@pytest.mark.parametrize("name", ["init", "log", "show", "seal", "verify", "prove"])
def test_every_command_has_an_example(name: str) -> None:
    assert f"Example: prunegate audit {name}" in " ".join(run(name, "--help").output.split())
