"""``prunegate claims`` and the section ``claims`` of a policy, from the outside."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from prunegate import cli, judge, load_policy
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.read import read_record
from prunegate.errors import InternalError, PolicyError

pytestmark = pytest.mark.slow

FILE = Path(__file__).parents[2] / "policies" / "brand-safety-vit.claims.yaml"
POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}, {metric: recall, at_least: 0.5}]
cost:
  billing: {per_inference: {baseline: 0.0042, candidate: 0.0029}}
  volumes: {now: 180000, target: 800000, months: 18}
"""
RIGHT = "claims: 1\nprice: {before: $0.0042, after: $0.0029, change: -31 %}\n"
WRONG = "claims: 1\nmetrics: [{name: recall, before: 91 %, after: 89 %, change: 1 point}]\n"
SILENT = "claims: 1\nthroughput: {before: 12}\n"


def table(lost: int) -> str:
    lines = ["id,label,baseline,candidate"]
    lines += [
        f"p{i},unsafe,{0.9 if i >= 100 else 0.1},{0.1 if i < 100 + lost else 0.9}"
        for i in range(2000)
    ]
    lines += [f"n{i},safe,0.1,0.2" for i in range(500)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(table(20), encoding="utf-8")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["prunegate", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def gated(monkeypatch: pytest.MonkeyPatch, claims: str, section: str = "claims: {}") -> int:
    """Judge the table by the policy with these claims beside it."""
    Path("p.yaml").write_text(POLICY + section + "\n", encoding="utf-8")
    Path("p.claims.yaml").write_text(claims, encoding="utf-8")
    return run(
        monkeypatch, "gate", "p.yaml", "--predictions", "t.csv", "--out", "out", "--force", "-q"
    )


@pytest.mark.parametrize(
    ("content", "code", "headline"),
    [
        (RIGHT, 0, "no contradiction; 1 right, 0 not checked"),
        (WRONG, 3, "1 contradiction; 0 right, 0 not checked"),
        (SILENT, 4, "nothing could be checked (1 figures)"),
    ],
)
def test_the_exit_code_says_what_was_found(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str,
    code: int,
    headline: str,
) -> None:
    (folder / "c.yaml").write_text(content, encoding="utf-8")
    assert run(monkeypatch, "claims", "c.yaml", "--no-color") == code
    assert capsys.readouterr().out.splitlines()[0] == headline
    (folder / "c.yaml").write_text(content + "nonsense: 1\n", encoding="utf-8")
    assert run(monkeypatch, "claims", "c.yaml") == 2
    assert "c.yaml:3: nonsense: unknown key" in capsys.readouterr().err


def test_the_worked_case_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "claims", str(FILE), "--json") == 3
    said = json.loads(capsys.readouterr().out)
    wrong = [check["figure"] for check in said["checks"] if check["status"] == "contradicted"]
    assert wrong == ["recall: change", "parameters: after", "heads: after"]
    assert said["exit_code"] == 3


def test_quiet_prints_the_contradictions_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "claims", str(FILE), "-q", "--no-color") == 3
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("  NO  ") for line in lines[1:])


def test_what_was_measured_is_held_against_what_is_stated(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table has recall 95 % before and 94 % after; its policy quotes both prices."""
    assert gated(monkeypatch, RIGHT) == 0
    capsys.readouterr()
    stated = """claims: 1
metrics: [{name: recall, before: 95 %, after: 94 %, change: -1.0 points}]
price: {before: $0.0042, after: $0.0031}
monthly: [{volume: 800000, after: "$2,320"}]
"""
    (folder / "c.yaml").write_text(stated, encoding="utf-8")
    arguments = ("claims", "c.yaml", "--record", "out/record.json", "--no-color")
    assert run(monkeypatch, *arguments) == 3
    told = capsys.readouterr().out
    assert "ok  recall: before: measured 95 %" in told
    assert "ok  recall: after: measured 94 % (95 % interval 9" in told
    interval = "(95 % interval −1.54 points to −0.65 points)"
    assert f"ok  recall: change: measured −1 point {interval}" in told
    assert "NO  price: after: in the record: $0.0029; $0.0031 is stated" in told
    assert "monthly at 800,000: after: in the record: $2,320.00" in told
    (folder / "c.yaml").write_text(WRONG.replace("1 point", "2 points"), encoding="utf-8")
    assert run(monkeypatch, *arguments) == 3
    told = capsys.readouterr().out
    assert "ok  recall: change: 91 % to 89 % is a drop of 2 points" in told
    assert "NO  recall: after: measured 94 %" in told
    assert "--  recall: before: measured 95 %, without an interval to judge by" in told


def test_a_contradiction_is_a_finding_that_rejects(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gated(monkeypatch, WRONG) == 3
    record, _ = read_record(folder / "out" / "record.json")
    findings = [finding for finding in record.findings if finding.metric == "claims"]
    assert [(f.rule, f.slice, f.check, f.status, f.severity) for f in findings] == [
        (2, "overall", "claims", "fail", "block"),
        (2, "overall", "claims", "fail", "block"),
    ]
    assert findings[0].note.startswith("recall: after: measured 94 % (95 % interval ")
    assert findings[1].note == (
        "recall: change: 91 % to 89 % is a drop of 2 points; 1 point is stated"
    )
    assert record.reasons[0] == f"Stated figures: {findings[0].note}."
    assert record.claims is not None
    assert record.second_opinion is not None
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "Claims: the figures that were stated" in page
    assert "91 % to 89 % is a drop of 2 points; 1 point is stated" in page
    assert "contradicted" in (folder / "out" / "junit.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("claims", "section", "code"),
    [
        (RIGHT, "claims: {severity: block}", 0),
        (WRONG, "claims: {severity: warn}", 0),
        (SILENT, "claims: {}", 4),
        (SILENT, "claims: {severity: warn}", 0),
        ("", "claims: {figures: {heads: {before: 144, after: 64, removed: 80}}}", 0),
        ("", "claims: {figures: {heads: {before: 144, after: 64, removed: 36}}}", 3),
    ],
)
def test_claims_decide_as_their_severity_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, claims: str, section: str, code: int
) -> None:
    assert gated(monkeypatch, claims, section) == code


def test_right_claims_save_no_candidate_that_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "t.csv").write_text(table(400), encoding="utf-8")
    assert gated(monkeypatch, RIGHT) == 3


def test_the_second_opinion_notices_a_contradiction_that_is_hushed_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(monkeypatch, WRONG)
    policy = load_policy("p.yaml")
    verdict = judge(policy, "t.csv")
    assert second_opinion(policy, verdict).findings == len(verdict.findings)
    rules = verdict.findings[:2]
    dropped = replace(verdict, findings=rules, outcome="approve")
    praised = replace(verdict.findings[2], status="pass", candidate=0.0)
    turned = replace(verdict, findings=(*rules, praised, praised), outcome="approve")
    softened = tuple(replace(f, severity="warn") for f in verdict.findings[2:])
    for wrong in (dropped, turned, replace(verdict, findings=(*rules, *softened))):
        with pytest.raises(InternalError, match="second opinion disagrees"):
            second_opinion(policy, wrong)


def test_mistakes_in_a_claims_file_are_mistakes_of_its_policy(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gated(monkeypatch, "claims: 1\nprize: {}\n") == 2
    assert "p.claims.yaml:2: prize: unknown key 'prize'; did you mean 'price'?" in (
        capsys.readouterr().err
    )
    Path("p.claims.yaml").unlink()
    assert run(monkeypatch, "gate", "p.yaml", "--predictions", "t.csv") == 2
    assert "p.claims.yaml: no such file" in capsys.readouterr().err
    both = "claims: {file: x.yaml, figures: {heads: {before: 1}}}\n"
    Path("p.yaml").write_text(POLICY + both, encoding="utf-8")
    with pytest.raises(PolicyError, match="'figures' states them already"):
        load_policy("p.yaml")


def test_the_worked_policy_carries_its_claims_into_the_record(folder: Path) -> None:
    for name in ("brand-safety-vit.yaml", FILE.name):
        shutil.copy(FILE.parent / name, folder / name)
    policy = load_policy(folder / "brand-safety-vit.yaml")
    document = policy.document()
    assert document["claims"]["figures"]["price"]["before"] == "$0.0042"
    assert type(policy).model_validate(document).claims == policy.claims
