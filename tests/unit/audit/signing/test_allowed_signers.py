"""allowed_signers: every line means here what it means to ssh-keygen, or is refused by line."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.signing.allowed_signers import (
    in_pattern_list,
    parse_allowed_signers,
    parse_ssh_time,
    read_allowed_signers,
    who_signed,
)
from prunegate.audit.signing.keys import PrivateKey, generate, openssh_line
from prunegate.audit.signing.ssh_signature import NAMESPACE, fingerprint, key_blob, ssh_sign
from prunegate.errors import EvidenceError, InputError

needs_ssh = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen (openssh-client) is not installed"
)
KEY = generate("ed25519")
LINE = openssh_line(KEY.public_key())
SIGNATURE = ssh_sign(KEY, NAMESPACE, b"m")
BLOB = key_blob(KEY.public_key())
ANN = "ann@client.example"


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose local time is not UTC."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def _holds(line: str, principal: str, at: datetime) -> bool:
    """Whether we take the signature as one of this person at this time."""
    try:
        signers = parse_allowed_signers(line, "f")
        found = who_signed(signers, BLOB, at)
    except (EvidenceError, InputError):
        return False
    return any(signer.is_of(principal) for signer in found)


def _ssh_holds(line: str, principal: str, at: datetime, folder: Path) -> bool:
    """Whether ssh-keygen does."""
    (folder / "allowed").write_text(line + "\n")
    (folder / "s").write_text(SIGNATURE)
    command = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "allowed"), "-I", principal]
    command += ["-n", NAMESPACE, "-s", str(folder / "s"), "-O", f"verify-time={at:%Y%m%d%H%M%S}Z"]
    done = subprocess.run(command, input=b"m", check=False, capture_output=True, env=os.environ)
    return done.returncode == 0


JUNE = datetime(2026, 6, 1, 12, tzinfo=UTC)
LINES = [
    (f"{ANN} {LINE}", True),
    (f"*@client.example {LINE} ann's laptop", True),
    (f"ann@*,bob@x {LINE}", True),
    (f"*,!{ANN} {LINE}", False),
    (f"!bob@client.example {LINE}", False),
    (f"a?n@client.example {LINE}", True),
    (f"ANN@client.example {LINE}", False),
    (f"[a]nn@client.example {LINE}", False),
    (f"bob@client.example {LINE}", False),
    (f'{ANN} namespaces="{NAMESPACE}" {LINE}', True),
    (f'{ANN} NameSpaces="file,prunegate-*" {LINE}', True),
    (f'{ANN} namespaces="file" {LINE}', False),
    (f'{ANN} namespaces="*,!{NAMESPACE}" {LINE}', False),
    (f'{ANN} namespaces="" {LINE}', False),
    (f'{ANN} valid-after="20260101Z" {LINE}', True),
    (f'{ANN} valid-after="20260601120001Z" {LINE}', False),
    (f'{ANN} valid-after="20260601120000Z" {LINE}', True),
    (f'{ANN} valid-before="20260601120000Z" {LINE}', True),
    (f'{ANN} valid-before="20260601115959Z" {LINE}', False),
    (f'{ANN} valid-before="202606011159UTC" {LINE}', False),
    (f'{ANN} valid-before="202606011259" {LINE}', False),
    (f'{ANN} valid-before="202606011300" {LINE}', True),
    (f'{ANN} valid-after="20260101",valid-before="20270101",namespaces="{NAMESPACE}" {LINE}', True),
    (f'{ANN}\tnamespaces="{NAMESPACE}"\t{LINE}', True),
    (f'"{ANN}" {LINE}', True),
    (f"# {ANN} {LINE}", False),
    (f'{ANN} valid-before="20271301Z" {LINE}', False),
    (f'{ANN} valid-before="2027" {LINE}', False),
    (f'{ANN} valid-after="20270101Z",valid-before="20260101Z" {LINE}', False),
    (f"{ANN} cert-authority {LINE}", False),
    (f"{ANN} surprise {LINE}", False),
    (f'{ANN} namespaces="a",namespaces="{NAMESPACE}" {LINE}', False),
    (f"{ANN} {LINE[:-8]}", False),
    (f"{ANN} ecdsa-sha2-nistp256 {LINE.split()[1]}", False),
]


@pytest.mark.slow
@needs_ssh
@pytest.mark.parametrize(("line", "holds"), LINES)
def test_a_line_means_what_it_means_to_ssh_keygen(
    line: str, holds: bool, berlin: None, tmp_path: Path
) -> None:
    assert _holds(line, ANN, JUNE) is holds
    assert _ssh_holds(line, ANN, JUNE, tmp_path) is holds


@needs_ssh
def test_find_principals_agrees(tmp_path: Path) -> None:
    text = f'a@x,b@x {LINE}\nc@x valid-before="20260101Z" {LINE}\nd@x {LINE}\n'
    (tmp_path / "allowed").write_text(text)
    (tmp_path / "s").write_text(SIGNATURE)
    command = ["ssh-keygen", "-Y", "find-principals", "-f", str(tmp_path / "allowed")]
    command += ["-s", str(tmp_path / "s"), "-O", "verify-time=20260601120000Z"]
    theirs = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    signers = read_allowed_signers(tmp_path / "allowed")
    ours = who_signed(signers, BLOB, JUNE)
    assert [signer.principals for signer in ours] == ["a@x,b@x", "d@x"]
    assert theirs == ours[0].principals.split(",")  # ssh-keygen stops at the first line


def test_why_a_key_may_not_sign_is_said_with_file_and_line() -> None:
    text = (
        "# people\n"
        f'{ANN} valid-before="20260101Z" {LINE}\n'
        f'{ANN} valid-after="20270101Z" {LINE}\n'
        f'{ANN} namespaces="file" {LINE}\n'
    )
    with pytest.raises(EvidenceError) as caught:
        who_signed(parse_allowed_signers(text, "signers"), BLOB, JUNE)
    assert str(caught.value) == (
        f"key {fingerprint(BLOB)} was not allowed to sign at 2026-06-01T12:00:00Z: "
        "signers:2: it was valid only before 2026-01-01T00:00:00Z; "
        "signers:3: it is valid only after 2027-01-01T00:00:00Z; "
        'signers:4: it may sign for "file" only, not for "prunegate-signoff"'
    )
    other = openssh_line(generate("ed25519").public_key())
    with pytest.raises(EvidenceError, match="is not among the allowed signers; whoever knows"):
        who_signed(parse_allowed_signers(f"{ANN} {other}", "signers"), BLOB, JUNE)
    with pytest.raises(EvidenceError, match="is not among the allowed signers"):
        who_signed((), BLOB, JUNE)


def test_every_mistake_is_told_together_with_its_line() -> None:
    text = "\n".join(
        [
            f"{ANN} {LINE}",
            f"{ANN} cert-authority {LINE}",
            "",
            f"{ANN} namespaces=file {LINE}",
            f"{ANN} no-touch-required {LINE}",
            f'{ANN} namespaces="a",namespaces="b" {LINE}',
            f'{ANN} valid-before="tomorrow" {LINE}',
            f'{ANN} valid-before="20261301Z" {LINE}',
            f'{ANN} valid-after="20270101Z",valid-before="20260101Z" {LINE}',
            f"{ANN} {LINE[:-8]}",
            f"{ANN} ecdsa-sha2-nistp256 {LINE.split()[1]}",
            ANN,
            f'"{ANN} {LINE}',
            f'"" {LINE}',
            f'{ANN} namespaces="a", {LINE}',
            f'{ANN} cert-authority="x" \u202e',
        ]
    )
    unread = (
        "cannot be read; write namespaces=, valid-after= or valid-before= with the value in quotes"
    )
    with pytest.raises(InputError) as caught:
        parse_allowed_signers(text, "f")
    assert str(caught.value).split("\n") == [
        "f:2: certificate authorities are not taken; list each signer's own key",
        f'f:4: the options "namespaces=file" {unread}',
        'f:5: the option "no-touch-required" is not known',
        "f:6: the option namespaces is there twice",
        'f:7: valid-before: "tomorrow" is no time; write YYYYMMDDHHMMSSZ',
        'f:8: valid-before: "20261301Z" is no time that there is',
        "f:9: valid-before is not later than valid-after, so the key never holds",
        "f:10: the key cannot be read; is it whole?",
        'f:11: the key is of type "ssh-ed25519", not "ecdsa-sha2-nistp256"',
        "f:12: no key; a line is: principals, options, key type, key",
        "f:13: the quotes around the principals are not closed",
        "f:14: no principals; a line is: principals, options, key type, key",
        f'f:15: the options "namespaces=\\"a\\"," {unread}',
        "f:16: no key; a line is: principals, options, key type, key",
    ]


def test_keys_of_other_kinds_may_be_listed(p256: PrivateKey) -> None:
    """The file is git's too: a line for a kind of key that signs elsewhere does no harm."""
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    text = f"a@x {openssh_line(other)}\nb@x {openssh_line(p256.public_key())}\n"
    found = who_signed(parse_allowed_signers(text, "f"), key_blob(p256.public_key()), JUNE)
    assert [signer.principals for signer in found] == ["b@x"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone: no allowed_signers file"):
        read_allowed_signers(tmp_path / "gone")
    (tmp_path / "f").write_bytes(b"\xff")
    with pytest.raises(InputError, match="f: the allowed_signers file cannot be read"):
        read_allowed_signers(tmp_path / "f")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("20260601Z", datetime(2026, 6, 1, tzinfo=UTC)),
        ("202606011230utc", datetime(2026, 6, 1, 12, 30, tzinfo=UTC)),
        ("20260601123059z", datetime(2026, 6, 1, 12, 30, 59, tzinfo=UTC)),
        ("20260601", datetime(2026, 5, 31, 23, tzinfo=UTC)),
        ("20260101", datetime(2025, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_times_without_a_zone_are_local_winter_time(
    text: str, meant: datetime, berlin: None
) -> None:
    assert parse_ssh_time(text) == meant


@pytest.mark.slow
@given(text=st.text(alphabet="ab*?", max_size=6), patterns=st.text(alphabet="ab*?!,", max_size=8))
def test_a_negated_pattern_wins_over_any_other(text: str, patterns: str) -> None:
    assert not in_pattern_list(text, f"{patterns},!*")
    assert not in_pattern_list(text, f"!*,{patterns}")
    if "!" not in patterns and in_pattern_list(text, patterns):
        assert in_pattern_list(text, f"{patterns},!never")


def test_patterns_do_not_run_away() -> None:
    assert not in_pattern_list("a" * 5000, "*a" * 200 + "b")


@pytest.mark.slow
@given(text=st.text(max_size=60))
def test_no_text_makes_anything_but_signers_or_one_error(text: str) -> None:
    said = ""
    try:
        parse_allowed_signers(text, "f")
    except InputError as error:
        said = str(error)
    assert all(line.startswith("f:") for line in said.split("\n") if said)
