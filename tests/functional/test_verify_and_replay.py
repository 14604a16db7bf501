"""``prunegate verify``, ``audit replay`` and ``audit schema`` from the outside."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from prunegate import cli
from prunegate.audit.canonical import canonical_bytes, plain_json
from prunegate.audit.opinion import second_opinion as opinion
from prunegate.audit.read import read_record
from prunegate.audit.record_schema import record_schema
from prunegate.cli.audit_replay import command as replay_command
from prunegate.cli.audit_schema import command as schema_command
from prunegate.data.contract.whole_table import TableSize
from prunegate.errors import EvidenceError, InputError
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Verdict

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [display, video]}]
rules: [{metric: recall, slices: all, max_drop: 0.02}]
revalidate: {after_days: 30}
claims: {file: c.yaml, severity: warn}
"""
CLAIMS = "claims: 1\nheads: {before: 144, after: 98, removed: 46}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rejection, with everything that it left behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "p.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "c.yaml").write_text(CLAIMS, encoding="utf-8")
    rows = ["id,label,baseline,candidate,kind"]
    for kind, misses in (("display", 0), ("video", 60)):
        for i in range(400):
            rows.append(f"{kind[0]}{i},unsafe,0.9,{0.1 if i < misses else 0.8},{kind}")
            rows.append(f"{kind[0]}n{i},safe,0.1,0.2,{kind}")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["prunegate", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def gate(monkeypatch: pytest.MonkeyPatch, out: str = "o") -> None:
    assert run(monkeypatch, "gate", "p.yaml", "--predictions", "t.csv", "--out", out) == 3


def test_what_a_gate_leaves_behind_holds(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gate(monkeypatch)
    digest = hashlib.sha256((folder / "o/record.json").read_bytes()).hexdigest()
    for file in ("o/report.html", "o/record.json", f"audit/evidence/{digest}"):
        capsys.readouterr()
        assert run(monkeypatch, "verify", file, "--no-color") == 0
        said = capsys.readouterr().out
        assert said.startswith("HOLDS  ")
        assert "--  signature: unsigned" in said
        assert "--  log: unlogged" in said
        assert run(monkeypatch, "verify", file, "--require", "log,approvals") == 6
        assert capsys.readouterr().out.startswith("DOES NOT HOLD  ")
    assert run(monkeypatch, "verify", "o/record.json", "-q") == 0
    assert capsys.readouterr().out == ""


def test_a_reject_that_was_turned_into_an_approve_does_not_hold(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gate(monkeypatch)
    page = folder / "o" / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("REJECT", "APPROVE"), encoding="utf-8")
    capsys.readouterr()
    assert run(monkeypatch, "verify", "o/report.html", "--json") == 6
    found = json.loads(capsys.readouterr().out)
    states = {check["name"]: check["status"] for check in found["checks"]}
    assert (states["verdict"], states["page"], found["exit_code"]) == ("holds", "broken", 6)
    assert found["outcome"] == "reject"
    (said,) = [check["detail"] for check in found["checks"] if check["name"] == "page"]
    assert "line 11: here stands" in said
    assert "APPROVE" in said
    assert "REJECT" in said


@pytest.mark.parametrize(
    ("file", "code"), [("none.html", 2), (".", 2), ("t.csv", 6), ("p.yaml", 6)]
)
def test_what_is_no_evidence_is_one_clear_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    file: str, code: int,
) -> None:  # fmt: skip
    assert run(monkeypatch, "verify", file) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert bool(said.err) == (code == 2)
    assert run(monkeypatch, "verify", file, "--require", "magic") == 2


HOSTILE = ("record_approve_all_fail", "record_approve_no_findings", "record_rule_index_huge")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("command", ["report", "claims", "verify"])
def test_no_command_lends_its_words_to_an_edited_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    shutil.copy(ROOT / "tests" / "hostile" / f"{name}.json", folder / "r.json")
    more = {"report": ["r.json", "--out", "x.html"], "claims": ["c.yaml", "--record", "r.json"]}
    assert run(monkeypatch, command, *more.get(command, ["r.json"])) == 6
    assert not (folder / "x.html").exists()


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(replay_command, arguments, standalone_mode=False)


def refused(words: str, *arguments: str, error: type[Exception] = EvidenceError) -> None:
    with pytest.raises(error, match=words):
        replay_command.main(arguments, standalone_mode=False)


def keep_evidence(folder: Path, names: Sequence[str]) -> None:
    (folder / "audit" / "evidence").mkdir(exist_ok=True)
    for name in names:
        content = (folder / name).read_bytes()
        place = folder / "audit" / "evidence" / hashlib.sha256(content).hexdigest()
        place.write_bytes(content)


def test_a_replay_comes_to_the_same_numbers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate(monkeypatch)
    found = invoke("o/record.json", "--predictions", "t.csv")
    assert found.exception is None
    assert found.output.startswith("REPLAYED  reject: 1,600 rows of 1 file counted again, ")
    _, digest = read_record(folder / "o" / "record.json")
    refused("is not in .*evidence; give the files", digest[:12])
    keep_evidence(folder, ["t.csv"])
    again = json.loads(invoke(digest[:12], "--json").output)
    assert again["rows"] == 1600
    assert again["opinion"] == plain_json(
        read_record(folder / "o" / "record.json")[0].second_opinion
    )


def test_a_replay_asks_the_second_opinion_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate(monkeypatch)
    found = invoke("o/record.json", "--predictions", "t.csv")
    assert "great_expectations" in found.output
    assert "asked again, agrees by" in found.output
    every = opinion.laws

    def stricter(policy: Policy, verdict: Verdict) -> Any:
        """Laws with one more: that there are fewer findings than there are."""
        return (*every(policy, verdict), TableSize(name="none at all", rows=0))

    monkeypatch.setattr(opinion, "laws", stricter)
    refused("asked again, the second opinion disagrees", "o/record.json", "--predictions", "t.csv")


def test_a_replay_of_other_files_or_to_other_numbers_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate(monkeypatch)
    table = (folder / "t.csv").read_text(encoding="utf-8")
    (folder / "u.csv").write_text(table.replace("v0,unsafe,0.9,0.1", "v0,unsafe,0.9,0.8"))
    refused("not among the predictions", "o/record.json", "--predictions", "u.csv")
    both = ("--predictions", "t.csv", "--predictions", "u.csv")
    refused("not among the predictions", "o/record.json", *both, error=EvidenceError)
    document = json.loads((folder / "o" / "record.json").read_bytes())
    document["inputs"][0]["sha256"] = hashlib.sha256((folder / "u.csv").read_bytes()).hexdigest()
    (folder / "r.json").write_bytes(canonical_bytes(document))
    refused(r"predictions do not give this record", "r.json", "--predictions", "u.csv")
    document["inputs"][0]["sha256"] = None
    (folder / "r.json").write_bytes(canonical_bytes(document))
    refused("judged from memory", "r.json", "--predictions", "u.csv")
    refused("no record of digest", "0" * 12, error=InputError)


def test_the_schema_in_the_docs_is_the_records_and_its_records_fit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``python -m prunegate.cli.audit_schema`` has no use: the command's output is the file."""
    printed = CliRunner().invoke(schema_command, []).output
    assert (ROOT / "docs" / "record.schema.json").read_text(encoding="utf-8") == printed
    schema = json.loads(printed)
    assert schema == json.loads(json.dumps(record_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    gate(monkeypatch)
    document = json.loads((folder / "o" / "record.json").read_bytes())
    validator.validate(document)
    for place in (document, document["findings"][0], document["tool"]):
        place["more"] = 1
        assert not validator.is_valid(document)
        del place["more"]
    del document["outcome"]
    assert not validator.is_valid(document)


def test_the_record_names_claims_term_and_commit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate(monkeypatch)
    record, _ = read_record(folder / "o" / "record.json")
    assert record.workspace is None
    assert record.revalidate_on == "2023-12-14"
    named = {item.role: item.sha256 for item in record.inputs}
    assert named["claims"] == hashlib.sha256(CLAIMS.encode()).hexdigest()
    page = (folder / "o" / "report.html").read_text(encoding="utf-8")
    assert "to be judged anew by" in page


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_record_names_the_commit_and_whether_the_folder_differs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=folder, capture_output=True, check=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q")
    gate(monkeypatch, "none")
    git("add", "p.yaml", "c.yaml")
    git("commit", "-qm", "policy")
    for out, dirty in (("clean", False), ("changed", True)):
        gate(monkeypatch, out)
        record, _ = read_record(folder / out / "record.json")
        assert record.workspace is not None
        assert (record.workspace.commit, record.workspace.dirty) == (
            git("rev-parse", "HEAD"),
            dirty,
        )
        (folder / "c.yaml").write_text(CLAIMS + "about: elsewhere\n", encoding="utf-8")
    assert read_record(folder / "none" / "record.json")[0].workspace is None
