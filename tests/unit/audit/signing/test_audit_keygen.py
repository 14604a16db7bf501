"""keygen: two files that other commands and programs read, and nothing overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from prunegate.audit.signing.keys import KINDS, generate, key_id, read_private_key, read_public_key
from prunegate.cli import audit_keygen
from prunegate.errors import InputError


@pytest.fixture(autouse=True)
def _no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRUNEGATE_KEY_PASSPHRASE", raising=False)


def test_the_choices_are_the_kinds() -> None:
    """Named twice only because --help must not load the library that makes keys."""
    assert audit_keygen.KINDS == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_is_made_and_named(kind: str, tmp_path: Path) -> None:
    arguments = ["-o", str(tmp_path / "k"), "--kind", kind, "--comment", "the gate"]
    done = CliRunner().invoke(audit_keygen.command, arguments)
    assert done.exit_code == 0, done.output
    private, public = read_private_key(tmp_path / "k"), read_public_key(tmp_path / "k.pub")
    assert type(private) is type(generate(kind))
    assert key_id(private.public_key()) == key_id(public)
    lines = done.output.splitlines()
    assert lines[1].endswith(f"id {key_id(public)}")
    assert lines[2].endswith(" the gate")
    (tmp_path / "line.pub").write_text(lines[2])
    assert key_id(read_public_key(tmp_path / "line.pub")) == key_id(public)
    assert "PRIVATE" not in done.output


def test_nothing_is_overwritten_and_nothing_said_when_quiet(tmp_path: Path) -> None:
    arguments = ["-o", str(tmp_path / "k"), "-q"]
    done = CliRunner().invoke(audit_keygen.command, arguments)
    assert (done.exit_code, done.output) == (0, "")
    before = (tmp_path / "k").read_bytes()
    done = CliRunner().invoke(audit_keygen.command, arguments)
    assert isinstance(done.exception, InputError)
    assert (tmp_path / "k").read_bytes() == before


def test_a_bad_comment_leaves_nothing(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        audit_keygen.command, ["-o", str(tmp_path / "k"), "--comment", "a\nb"]
    )
    assert isinstance(done.exception, InputError)
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_encrypts_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNEGATE_KEY_PASSPHRASE", "open sesame")
    assert CliRunner().invoke(audit_keygen.command, ["-o", str(tmp_path / "k")]).exit_code == 0
    assert b"ENCRYPTED" in (tmp_path / "k").read_bytes()
    read_private_key(tmp_path / "k")


def test_help_is_light() -> None:
    code = (
        "import sys; from prunegate.cli import audit_keygen; "
        "print([m for m in ('cryptography', 'torch', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
