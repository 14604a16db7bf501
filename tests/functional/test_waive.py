"""Waivers from the outside: a rejection, an approve by waiver, and the day on which it ends."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from prunegate import cli
from prunegate.audit.approvals.accept import utc_now
from prunegate.audit.log.entry import read_entry
from prunegate.audit.log.seal import begin_log, seal_log
from prunegate.audit.signing.keys import generate, write_key_pair
from prunegate.audit.signing.ssh_signature import NAMESPACE

pytestmark = pytest.mark.slow

DAY = 86_400
START = 1_700_000_000
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [display, video]}]
rules:
  - {metric: recall, slices: kind, max_drop: 0.05}
  - {metric: model_bytes, max_ratio: 0.8, severity: warn}
waivers: {max_days: 30, at_most: 1}
"""
ANN = "ann@client.example"
FINDING = ("--rule", "1", "--slice", "kind=video")
WHY = ("--reason", "relabelled in June", "--owner", "Kim", "--author", "Kim")
ENDS = "2023-12-01"
Say = Callable[..., tuple[int, str]]


def call(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["prunegate", *arguments])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rejection under a policy that lets one finding be waived, and one that lets none be."""
    home = tmp_path_factory.mktemp("judged")
    rows = ["id,label,baseline,candidate,kind"]
    for kind, misses in (("display", 0), ("video", 60)):
        for i in range(300):
            rows.append(f"{kind[0]}{i},unsafe,0.9,{0.1 if i < misses else 0.8},{kind}")
            rows.append(f"{kind[0]}n{i},safe,0.1,0.2,{kind}")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("SOURCE_DATE_EPOCH", str(START))
        Path("t.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        Path("p.yaml").write_text(POLICY, encoding="utf-8")
        none = "\n".join(line for line in POLICY.split("\n") if not line.startswith("waivers"))
        Path("none.yaml").write_text(none, encoding="utf-8")
        assert call("gate", "p.yaml", "--predictions", "t.csv", "-q", "--out", "o") == 3
        assert call("gate", "none.yaml", "--predictions", "t.csv", "-q", "--out", "none") == 3
    return home


@pytest.fixture
def folder(judged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    shutil.copytree(judged, home)
    monkeypatch.chdir(home)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(START))
    monkeypatch.delenv("PRUNEGATE_KEY", raising=False)
    for name in ("ann", "eve", "gate"):
        write_key_pair(generate("ed25519"), home / name)
    enrol(ANN, "ann.pub", "client")
    return home


def enrol(person: str, key: str, role: str) -> None:
    about = ("--organisation", "Client", "--by", "Kim", "--channel", "video call")
    done = CliRunner().invoke(
        cli.cli, ("audit", "enrol", "--person", person, "--key", key, "--role", role, *about)
    )
    assert done.exit_code == 0, done.output


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command; its exit code and all that it printed."""

    def run(*arguments: str, at: int | None = None) -> tuple[int, str]:
        if at is not None:
            monkeypatch.setenv("SOURCE_DATE_EPOCH", str(at))
        code = call(*arguments)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def waive(say: Say, *more: str, key: str = "ann", record: str = "o") -> tuple[int, str]:
    return say("waive", record, *FINDING, *WHY, "--expires", ENDS, "--key", key, *more)


def gate(say: Say, out: str, at: int | None = None) -> tuple[int, str]:
    code, told = say("gate", "p.yaml", "--predictions", "t.csv", "--out", out, at=at)
    return code, " ".join(told.split())  # however its lines are wrapped


def test_the_page_of_the_history_shows_what_a_decision_rests_on(folder: Path, say: Say) -> None:
    assert waive(say)[0] == 0
    assert gate(say, "o2")[0] == 0
    assert say("audit", "page", "-o", "trail.html", "-q")[0] == 0
    page = Path("trail.html").read_text(encoding="utf-8")
    assert "1 waived finding (not sealed yet)" in page
    assert "recall max_drop on kind=video" in page
    (waiver,) = json.loads(Path("o2/record.json").read_bytes())["waivers"]
    Path("audit/pending", waiver["entry"]).unlink()
    code, told = say("audit", "page", "-o", "other.html", "-q")
    assert (code, Path("other.html").exists()) == (6, False)
    assert "which is not in the audit trail" in told


def test_the_walk_from_a_rejection_to_the_end_of_the_waiver(folder: Path, say: Say) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    shutil.rmtree("audit/pending")
    begin_log(Path("audit"), "agency.example/audit", key)
    enrol(ANN, "ann.pub", "client")
    code, told = waive(say)
    assert code == 0, told
    assert told.startswith("WAIVED  recall max_drop on kind=video")
    assert f"waived by {ANN} until 2023-12-02 00:00 UTC: relabelled in June" in told

    code, told = gate(say, "o2")
    assert code == 0, told
    assert f"waived by {ANN} until 2023-12-02 00:00 UTC: relabelled in June" in told
    record = json.loads(Path("o2/record.json").read_bytes())
    assert record["reasons"][0] == "1 of 2 blocking limits holds; the rest is waived."
    before = json.loads(Path("o/record.json").read_bytes())
    (waiver,) = record["waivers"]
    assert (waiver["without"], waiver["author"], waiver["approver"]) == ("fail", "Kim", ANN)
    assert record["revalidate_on"] == "2023-12-02"
    for old, new in zip(before["findings"], record["findings"], strict=True):
        same = {k: v for k, v in new.items() if k not in ("status", "note")}
        assert same == {k: v for k, v in old.items() if k not in ("status", "note")}
    said = "waived by ann@client.example until 2023-12-02 00:00 UTC: relabelled in June"
    rows = list(csv.DictReader(Path("o2/findings.csv").read_text(encoding="utf-8").splitlines()))
    of_rules = [row for row in rows if row["metric"] != "reference"]
    assert [row["status"] for row in of_rules] == ["pass", "waived", "inconclusive"]
    assert said in rows[1]["note"]
    for name in ("summary.md", "junit.xml", "report.html"):
        shown = Path("o2", name).read_text(encoding="utf-8").replace("`", "")
        assert said.lower() in shown.lower(), name
    assert 'skipped="2"' in Path("o2/junit.xml").read_text(encoding="utf-8")
    assert say("verify", "o2/report.html")[0] == 0
    assert say("verify", "o2/record.json")[0] == 0
    code, told = say("status", "o2")
    assert code == 0, told
    assert f"max_drop on kind=video: waived by {ANN}" in told
    code, told = say("status", "o2", "--sealed")
    assert (code, "is not in the log yet" in told) == (5, True), told
    seal_log(Path("audit"), key, read_entry, utc_now())
    assert say("status", "o2", "--sealed")[0] == 0
    code, told = say("audit", "verify")
    assert (code, "1 decisions rest on waivers" in told) == (0, True), told
    assert f"recall max_drop on kind=video: waived by {ANN} until" in say("audit", "log")[1]
    assert say("audit", "export", "o2/record.json", "-o", "b.zip")[0] == 0
    assert say("verify", "b.zip")[0] == 0

    code, told = say("status", "o2", at=START + 17 * DAY + 2 * 3600)
    assert code == 5
    assert f"expired: a waiver of {ANN} that the decision rests on has ended" in told
    code, told = gate(say, "o3")
    assert code == 3, told
    assert "waives nothing: it expired at 2023-12-02T00:00:00Z" in told


def test_revoking_the_key_ends_its_waivers(
    folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waive(say)[0] == 0
    assert gate(say, "o2")[0] == 0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(START + 3600))
    done = CliRunner().invoke(cli.cli, ("audit", "revoke", "--key", "ann.pub", "--reason", "lost"))
    assert done.exit_code == 0, done.output
    code, told = say("status", "o2")
    assert (code, f"revoked: the key of {ANN}" in told) == (5, True), told
    code, told = gate(say, "o3")
    assert (code, "waives nothing: its key was revoked" in told) == (3, True), told


def test_a_changed_rule_voids_the_waiver(folder: Path, say: Say) -> None:
    assert waive(say)[0] == 0
    Path("p.yaml").write_text(POLICY.replace("0.05", "0.04"), encoding="utf-8")
    code, told = gate(say, "o2")
    assert code == 3
    assert "waives nothing: the rule that it is for, or what that rests on, is not in" in told
    Path("p.yaml").write_text(POLICY.replace("0.8, severity", "0.7, severity"), encoding="utf-8")
    assert gate(say, "o3")[0] == 0  # another rule may change


def test_a_waiver_is_for_its_candidate_alone(folder: Path, say: Say) -> None:
    assert waive(say)[0] == 0
    table = Path("t.csv").read_text(encoding="utf-8")
    Path("t.csv").write_text(table.replace("v99,unsafe,0.9,0.8", "v99,unsafe,0.9,0.7"))
    code, told = gate(say, "o2")
    assert code == 3
    assert "waives nothing" not in told


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_an_approver_with_nothing_but_ssh_keygen(folder: Path, say: Say) -> None:
    keygen("-q", "-t", "ed25519", "-N", "", "-f", "bob")
    enrol("bob@client.example", "bob.pub", "legal")
    code, told = say("waive", "o", *FINDING, *WHY, "--expires", ENDS, "--out", "w.json")
    assert (code, "send it with report.html" in told) == (0, True), told
    code, told = say("waive", "o", *FINDING, *WHY, "--expires", ENDS, "--out", "w.json")
    assert (code, "is there already" in told) == (2, True), told
    code, _ = say("waive", "o", *FINDING, *WHY, "--expires", ENDS, "--out", "w.json", "--force")
    assert code == 0
    keygen("-q", "-Y", "sign", "-f", "bob", "-n", NAMESPACE, "w.json")
    edited = Path("w.json").read_text(encoding="utf-8").replace("June", "July")
    Path("edited.json").write_text(edited, encoding="utf-8")
    code, told = say("waive", "o", "--signature", "w.json.sig", "--request", "edited.json")
    assert (code, "did not sign these bytes" in told) == (6, True), told
    assert say("waive", "o", "--signature", "w.json.sig")[0] == 0
    code, told = say("waive", "o", "--signature", "w.json.sig")
    assert (code, "in the audit trail already" in told) == (2, True), told
    assert gate(say, "o2")[0] == 0
    code, told = say("waive", "none", "--signature", "w.json.sig")
    assert (code, "lets nothing be waived" in told) == (2, True), told


def keygen(*arguments: str) -> None:
    subprocess.run(["ssh-keygen", *arguments], capture_output=True, check=True, timeout=30)


def test_what_is_refused_when_it_is_asked_for(folder: Path, say: Say) -> None:
    before = sorted(Path("audit/pending").iterdir())

    def refused(code: int, words: str, *arguments: str) -> None:
        got, told = say("waive", *arguments)
        assert (got, words in told) == (code, True), told
        assert sorted(Path("audit/pending").iterdir()) == before

    until = ("--expires", ENDS, "--key", "ann")
    display = ("--rule", "1", "--slice", "kind=display")
    refused(2, "it holds, so there is nothing to waive", "o", *display, *WHY, *until)
    refused(2, "it only warns", "o", "--rule", "2", *WHY, *until)
    refused(2, "no finding of rule 7", "o", "--rule", "7", *WHY, *until)
    refused(2, "until 2023-12-14T22:13:20Z at the latest", "o", *FINDING, *WHY, "--key", "ann",
            "--expires", "2023-12-14")  # fmt: skip
    refused(2, "which is over", "o", *FINDING, *WHY, "--key", "ann", "--expires", "2023-11-13")
    refused(2, "a waiver has to end", "o", *FINDING, *WHY, "--key", "ann")
    refused(2, "--reason: give a text", "o", *FINDING, *until, "--owner", "K", "--author", "K")
    refused(2, "lets nothing be waived", "none", *FINDING, *WHY, *until)
    refused(2, "one of the three", "o", *FINDING, *WHY, "--expires", ENDS)
    self_approved = (*WHY[:-1], ANN.upper())
    refused(6, "the same person", "o", *FINDING, *self_approved, *until)
    stranger = ("--expires", ENDS, "--key", "eve")
    refused(6, "is not among the allowed signers", "o", *FINDING, *WHY, *stranger)


def test_the_gates_own_key_never_waives(
    folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol("gate@agency.example", "gate.pub", "gate")
    code, told = waive(say, key="gate")
    assert (code, "which never approves" in told) == (6, True), told
    enrol("Sam", "eve.pub", "legal")
    monkeypatch.setenv("PRUNEGATE_KEY", Path("eve").read_text(encoding="ascii"))
    code, told = waive(say, key="eve")
    assert (code, "the gate's own key never counts" in told) == (6, True), told


def test_an_edited_record_is_caught(folder: Path, say: Say) -> None:
    import rfc8785

    record = json.loads(Path("o/record.json").read_bytes())
    record["findings"][1]["status"] = "waived"
    record.update(outcome="approve", exit_code=0)
    Path("e").mkdir()
    Path("e/record.json").write_bytes(rfc8785.dumps(record))
    code, told = say("verify", "e/record.json")
    assert code == 6
    assert "1 findings are waived, and it lists 0 waivers" in told


def test_a_waiver_that_left_the_trail_is_missed(folder: Path, say: Say) -> None:
    assert waive(say)[0] == 0
    assert gate(say, "o2")[0] == 0
    entry = json.loads(Path("o2/record.json").read_bytes())["waivers"][0]["entry"]
    Path("audit/pending", entry).unlink()
    code, told = say("status", "o2")
    assert (code, f"the waiver {entry[:12]}, which is not in the audit trail" in told) == (6, True)


def test_a_bar_that_was_sealed_without_waivers_is_not_held_to_with_them(
    folder: Path, say: Say
) -> None:
    seal_it = ("policy", "seal", "none.yaml", "--predictions", "t.csv")
    assert say(*seal_it)[0] == 0
    code, told = gate(say, "o2")
    assert code == 3
    assert "but more may be waived now, or for longer" in told
    assert say("policy", "seal", "p.yaml", "--predictions", "t.csv")[0] == 0
    code, told = gate(say, "o3")
    assert code == 3
    assert "may be waived now" not in told
