"""A decision on a table binds the models that are known; only an approved one gets model.sig."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from prunegate import cli
from prunegate.audit.model_digests import named_models
from prunegate.audit.prediction_metadata import Notes
from prunegate.audit.signing.keys import generate, write_key_pair
from prunegate.models.digest import tree_digest
from prunegate.policy.load import read_policy

pytestmark = pytest.mark.slow

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}]
model: {baseline: base, candidate: made}
"""
APPROVALS = "approvals: {required: [{role: client, count: 1}]}\n"
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two model folders, a policy that names them, and rows that hold (t) or break (bad) it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRUNEGATE_KEY", raising=False)
    for name in ("base", "made"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(name, encoding="utf-8")
        (tmp_path / name / "model.safetensors").write_text(f"weights of {name}", encoding="utf-8")
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    for name, score in (("t.csv", "0.8"), ("bad.csv", "0.2")):
        lines = ["id,label,baseline,candidate"]
        lines += [f"u{i},unsafe,0.9,{score}\ns{i},safe,0.1,0.2" for i in range(400)]
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_key_pair(generate("p256"), tmp_path / "gate.key")
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


def judge(say: Say, out: str = "o", table: str = "t.csv") -> Any:
    say("gate", "p.yaml", "--predictions", table, "-q", "--out", out)
    return json.loads(Path(out, "record.json").read_text(encoding="utf-8"))


def with_notes(**digests: str) -> None:
    """t.csv as Parquet that says which models made it, as ``run`` writes it."""
    table = pyarrow.csv.read_csv("t.csv")
    said = {f"prunegate.{role}.digest": digest for role, digest in digests.items()}
    pa.parquet.write_table(table.replace_schema_metadata(said), "t.parquet")


def test_a_gate_binds_the_models_that_policy_or_predictions_name(folder: Path, say: Say) -> None:
    named = {role: tree_digest(folder / name) for role, name in FOLDERS.items()}
    record = judge(say)
    assert [(one["role"], one["source"]) for one in record["models"]] == [
        ("baseline", "folder"),
        ("candidate", "folder"),
    ]
    assert {one["role"]: one["digest"] for one in record["models"]} == named
    assert named["candidate"] in Path("o/report.html").read_text(encoding="utf-8")
    subjects = {}
    for path in Path("audit/pending").iterdir():
        subjects |= subjects_of(path)
    assert {role: subjects[role] for role in named} == named

    with_notes(candidate="ab" * 32, baseline="no digest")
    record = judge(say, "of-notes", "t.parquet")
    assert [(one["role"], one["digest"], one["source"]) for one in record["models"]] == [
        ("baseline", named["baseline"], "folder"),
        ("candidate", "ab" * 32, "predictions"),
    ]
    assert say("verify", "of-notes/report.html")[0] == 0


FOLDERS = {"baseline": "base", "candidate": "made"}


def subjects_of(entry: Path) -> dict[str, str]:
    import base64

    statement = json.loads(base64.b64decode(json.loads(entry.read_bytes())["payload"]))
    return {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}


def test_what_is_not_known_of_a_model_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = read_policy(folder / "p.yaml")
    one, other = (Notes(digests={"candidate": digest * 32}) for digest in ("ab", "cd"))
    found, limits = named_models(source, (one, other), {"baseline": object()})
    assert (found, limits) == (
        (),
        ("Which candidate made the predictions is not known: their files differ.",),
    )
    (folder / "made" / "link").symlink_to("../p.yaml")
    found, limits = named_models(source, (), {"baseline": object()})
    assert found == ()
    assert "not bound by its digest" in limits[0]
    assert "symbolic link" in limits[0]
    assert str(folder) not in limits[0]
    absolute = (folder / "p.yaml").read_text().replace(": made", f": {folder}/made")
    (folder / "absolute.yaml").write_text(absolute)
    _, limits = named_models(read_policy(folder / "absolute.yaml"), (), {"baseline": object()})
    assert "…/made/link: a symbolic link" in limits[0]
    assert str(folder) not in limits[0]
    (folder / "made" / "link").unlink()
    monkeypatch.setattr("prunegate.audit.model_digests.MOST_BYTES", 5)
    found, limits = named_models(source, (), {"baseline": object()})
    assert "more than the 5 that are hashed here" in limits[0]
    shutil.rmtree(folder / "made")
    assert named_models(source, (), {"baseline": object()}) == ((), ())


def sign(say: Say, *more: str, candidate: str = "made", record: str = "o") -> tuple[int, str]:
    options = ("--record", record, "--key", "gate.key", *more)
    return say("audit", "sign-model", candidate, *options)


@pytest.mark.slow  # starts the reference implementation twice, two seconds each
def test_model_signing_takes_what_is_written_for_an_approved_candidate(
    folder: Path, say: Say
) -> None:
    if find_spec("model_signing") is None or find_spec("OpenSSL") is None:
        pytest.skip("model-signing and pyOpenSSL (extra oms) are not installed")
    judge(say)
    code, told = sign(say)
    assert code == 0, told
    command = told.splitlines()[-1].partition("model_signing ")[2].split()
    run = [sys.executable, "-W", "ignore", "-m", "model_signing", *command]
    assert subprocess.run(run, check=False, capture_output=True).returncode == 0
    (folder / "made" / "config.json").write_text("swapped", encoding="utf-8")
    assert subprocess.run(run, check=False, capture_output=True).returncode == 1


def test_only_the_approved_candidate_is_signed(folder: Path, say: Say) -> None:
    judge(say)
    shutil.copytree("made", "o/candidate")  # where run leaves what was judged
    assert sign(say, "-o", "one.sig")[0] == 0
    written = Path("one.sig").read_bytes()
    code, told = sign(say, "-o", "one.sig")
    assert (code, "add --force" in told) == (2, True), told
    assert sign(say, "-o", "one.sig", "--force", "-q") == (0, "")
    assert Path("one.sig").read_bytes() == written  # deterministic (RFC 6979)
    code, told = sign(say, "-o", "made/model.sig")
    assert (code, "lies inside of" in told) == (2, True), told

    (folder / "made" / "more.bin").write_text("x", encoding="utf-8")
    code, told = sign(say, "-o", "two.sig")
    assert (code, "more.bin was added" in told) == (6, True), told
    (folder / "made" / "config.json").write_text("swapped", encoding="utf-8")
    (folder / "made" / "more.bin").unlink()
    code, told = sign(say, "-o", "two.sig")
    assert (code, "config.json was changed" in told) == (6, True), told
    (folder / "made" / "config.json").unlink()
    code, told = sign(say, "-o", "two.sig")
    assert (code, "config.json is missing" in told) == (6, True), told
    shutil.rmtree("o/candidate")
    code, told = sign(say, "-o", "two.sig")
    assert (code, "give the folder that was judged" in told) == (6, True), told
    code, told = sign(say, "-o", "two.sig", candidate="gone")
    assert (code, "no such folder" in told) == (2, True), told
    assert not Path("two.sig").exists()


def test_a_key_or_record_that_will_not_do_is_told(folder: Path, say: Say) -> None:
    judge(say)
    write_key_pair(generate("ed25519"), folder / "log.key")
    code, told = sign(say, "--key", "log.key")
    assert (code, "takes no Ed25519 key" in told) == (2, True), told
    code, told = say("audit", "sign-model", "made", "--record", "o")
    assert (code, "give the key that signs" in told) == (2, True), told
    record = Path("o/record.json")
    record.write_text(record.read_text().replace('"outcome":"approve"', '"outcome":"reject"'))
    code, told = sign(say)
    assert (code, "outcome" in told) == (6, True), told
    judge(say, "bad", "bad.csv")
    code, told = sign(say, record="bad")
    assert (code, "decision is reject" in told) == (3, True), told
    shutil.rmtree("made")
    judge(say, "unknown")
    shutil.copytree("base", "made")
    code, told = sign(say, record="unknown")
    assert (code, "names no candidate by digest" in told) == (2, True), told
    assert not Path("model.sig").exists()


def test_where_approvals_are_asked_for_the_candidate_has_to_be_allowed_to_ship(
    folder: Path, say: Say
) -> None:
    (folder / "p.yaml").write_text(POLICY + APPROVALS, encoding="utf-8")
    judge(say)
    code, told = sign(say)
    assert (code, "name the audit folder with --audit" in told) == (2, True), told
    code, told = sign(say, "--audit", "audit")
    assert (code, "not signed: missing: no approval as client" in told) == (5, True), told
    write_key_pair(generate("ed25519"), folder / "ann")
    about = ("--organisation", "Client", "--by", "Kim", "--channel", "video call")
    who = ("--person", "ann@client.example", "--role", "client", "--key", "ann.pub")
    assert say("audit", "enrol", *who, *about)[0] == 0
    options = ("--role", "client", "--decision", "approve", "--key", "ann")
    assert say("approve", "o", *options)[0] == 0
    assert sign(say, "--audit", "audit")[0] == 0
    assert Path("model.sig").is_file()
