"""What a bundle says of the policy's approvals is what ``status`` says of the folder."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from prunegate.audit.bundle.export import export_bundle
from prunegate.audit.bundle.sign_off import sign_off_in
from prunegate.audit.bundle.verify import Trusted, checks
from prunegate.audit.signing.keys import generate, write_key_pair
from prunegate.audit.verification_report import Verification
from prunegate.cli import cli

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}]
"""
ASKED = "approvals: {required: [{role: client, count: 2}]}\n"


def do(*words: str) -> None:
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.exception is None, done.exception


def enrol(name: str, role: str = "client") -> None:
    write_key_pair(generate("ed25519"), Path(name))
    about = ("--organisation", "Client", "--by", "Kim", "--channel", "call")
    who = ("--person", name, "--role", role, "--key", f"{name}.pub")
    do("audit", "enrol", *who, *about)


def approve(name: str) -> None:
    do("approve", "o", "--role", "client", "--decision", "approve", "--key", name)


def found() -> Verification:
    files = export_bundle("o/record.json", Path("audit"))
    every = tuple(checks(files, Trusted()))
    return Verification(kind="bundle", record=None, outcome=None, checks=every)


def sign_off() -> tuple[str, str]:
    (one,) = [check for check in found().checks if check.name == "sign-off"]
    return one.status, one.detail


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRUNEGATE_KEY", raising=False)
    monkeypatch.setattr("prunegate.cli.approve.page_digest", page_as_it_is)
    rows = "".join(f"u{i},unsafe,0.9,0.8\ns{i},safe,0.1,0.2\n" for i in range(400))
    (tmp_path / "t.csv").write_text(f"id,label,baseline,candidate\n{rows}", encoding="utf-8")
    return tmp_path


def page_as_it_is(page: Path, record: str) -> str:
    """The page's digest without making it again."""
    import hashlib

    del record
    return hashlib.sha256(page.read_bytes()).hexdigest()


def gate(folder: Path, asked: str) -> None:
    (folder / "p.yaml").write_text(POLICY + asked, encoding="utf-8")
    do("gate", "p.yaml", "--predictions", "t.csv", "-q", "--out", "o")


def test_a_bundle_says_whether_the_policys_approvals_are_met(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate(folder, ASKED)
    assert sign_off()[0] == "missing"
    assert "no approval as client counts" in sign_off()[1]
    enrol("ann")
    enrol("bob")
    approve("ann")
    status, told = sign_off()
    assert (status, "1 of 2 approvals as client count" in told) == ("missing", True), told
    required = found().requiring(["approvals"])
    assert required.exit_code == 6
    assert found().exit_code == 0
    approve("bob")
    status, told = sign_off()
    assert status == "holds", told
    assert "ann as client, Client" in told
    assert found().requiring(["approvals"]).exit_code == 0
    later = int(time.time()) + 5  # not within the second of the approval
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(later))
    do("audit", "revoke", "--key", "bob.pub", "--reason", "laptop lost")
    status, told = sign_off()
    assert (status, "its key was revoked" in told) == ("missing", True), told


def test_signers_of_ones_own_and_no_enrolment_do_not_count(folder: Path) -> None:
    gate(folder, ASKED.replace("2", "1"))
    enrol("ann")
    approve("ann")
    files = export_bundle("o/record.json", Path("audit"))
    assert sign_off_in(files, None, ()).status == "holds"
    assert sign_off_in(files, b"", ()).status == "missing"
    rest = {name: content for name, content in files.items() if "/enrolment-" not in name}
    alone = sign_off_in(rest, None, ())
    assert (alone.status, "not enrolled" in alone.detail) == ("missing", True), alone.detail


def test_a_policy_that_asks_for_nobody_has_nothing_to_be_met(folder: Path) -> None:
    gate(folder, "")
    assert sign_off()[0] == "not checked"
