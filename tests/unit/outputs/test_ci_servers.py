"""CI servers: GitHub's commands and step summary, GitLab's reports; nothing from data acts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prunegate.audit.record import DecisionRecord
from prunegate.cli import ci
from prunegate.cli.verdict_options import VerdictPlace
from prunegate.errors import InputError
from prunegate.outputs.github import MOST, failure_annotation, github_annotations
from prunegate.outputs.gitlab import render_code_quality, render_metrics

NAMES = ("rejected", "approved", "hostile", "undefined")
COMMAND = re.compile(r"::(error|warning) (?:file=[^,:]+,)?title=[^:,]+::[^\r\n]+")
METRIC = re.compile(r'[a-zA-Z_][a-zA-Z0-9_]*\{(?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+\} -?[0-9.e+-]+')
SERVERS = ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_STEP_SUMMARY")


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests may themselves run on a server."""
    for name in SERVERS:
        monkeypatch.delenv(name, raising=False)


def with_names(record: DecisionRecord, text: str) -> DecisionRecord:
    findings = tuple(
        replace(f, slice=text, note=text, class_label=text, status="fail") for f in record.findings
    )
    policy = replace(record.policy, name=text)
    return replace(record, findings=findings, warnings=(text,), policy=policy, outcome="reject")


@pytest.mark.parametrize("name", NAMES)
def test_every_annotation_is_one_command_and_the_worst_come_first(
    records: ModuleType, name: str
) -> None:
    record = getattr(records, name)()
    lines = github_annotations(record, "policies/p.yaml")
    assert all(COMMAND.fullmatch(line) for line in lines)
    errors = [line for line in lines if line.startswith("::error")]
    assert len(errors) <= MOST
    assert bool(errors) == (record.outcome != "approve")
    if name == "rejected":
        assert errors[0].endswith(
            "::recall video 89.1 → 82.1 %25, limit −2; lost 93, gained 9 of 1,200"
        )


HOSTILE = ["::error::x", "a\n::warning::b", "\r##[error]", "x,title=y::z", "%0A::error::"]


@pytest.mark.parametrize("text", [*HOSTILE, "\u202e" * 10_000, '"}\n# EOF'])
def test_hostile_names_are_inert(records: ModuleType, text: str) -> None:
    record = with_names(records.approved(), text)
    for line in (*github_annotations(record, text), failure_annotation(text)):
        assert COMMAND.fullmatch(line)
        assert len(line) < 3000
    every = render_metrics(record).splitlines()
    assert every.count("# EOF") == 1
    assert all(METRIC.fullmatch(line) for line in every[:-1])
    assert len(json.loads(render_code_quality(record, "p.yaml"))) == len(record.findings)


@given(st.text(st.characters(), min_size=1, max_size=40))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_is_inert(records: ModuleType, text: str) -> None:
    record = with_names(records.approved(), text)
    assert all(COMMAND.fullmatch(line) for line in github_annotations(record, "p.yaml"))
    assert all(METRIC.fullmatch(line) for line in render_metrics(record).splitlines()[:-1])


@pytest.mark.parametrize("name", NAMES)
def test_gitlab_gets_what_its_schemas_ask_for(records: ModuleType, name: str) -> None:
    record = getattr(records, name)()
    issues = json.loads(render_code_quality(record, "p.yaml"))
    assert len(issues) == sum(f.status != "pass" for f in record.findings)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"] == {"path": "p.yaml", "lines": {"begin": 1}}
    lines = render_metrics(record).splitlines()
    assert lines[-1] == "# EOF"
    assert all(METRIC.fullmatch(line) for line in lines[:-1])
    broken = sum(f.status == "fail" and f.severity == "block" for f in record.findings)
    assert f'prunegate_findings{{status="broken"}} {broken}' in lines


@pytest.mark.parametrize(
    ("environment", "asked", "server"),
    [
        ({}, "auto", "none"),
        ({"GITHUB_ACTIONS": "true"}, "auto", "github"),
        ({"GITLAB_CI": "true"}, "auto", "gitlab"),
        ({"GITHUB_ACTIONS": "true"}, "none", "none"),
        ({}, "gitlab", "gitlab"),
    ],
)
def test_the_server_is_the_one_whose_environment_this_is(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], asked: str, server: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ci.ci_server(asked) == server


def test_github_is_told_on_stderr_and_under_the_run(
    records: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = tmp_path / "step.md"
    page.write_text("an earlier step\n")
    (tmp_path / "summary.md").write_text("REJECT", encoding="utf-8")
    ci.tell_github(records.rejected(), tmp_path, "auto", None)
    assert capsys.readouterr() == ("", "")  # no server
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    ci.tell_github(records.rejected(), tmp_path, "auto", Path("policies/p.yaml"))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("::error file=policies/p.yaml,title=")
    assert page.read_text() == "an earlier step\nREJECT\n"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(InputError, match="unset it, or give --ci none"):
        ci.tell_github(records.rejected(), tmp_path, "auto", None)


def test_github_is_told_that_nothing_was_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))

    place = VerdictPlace(out=None, force=False, policy=tmp_path / "p.yaml")

    def work() -> None:
        with place.without_stale_verdict():
            raise InputError("t.csv: no such file\n::error::x")

    with pytest.raises(InputError):
        work()
    (line,) = capsys.readouterr().err.splitlines()
    assert COMMAND.fullmatch(line)
    assert "NOTHING WAS JUDGED" in (tmp_path / "step.md").read_text()


def test_gitlab_gets_its_reports_and_others_do_not(records: ModuleType, tmp_path: Path) -> None:
    ci.write_ci_files(records.rejected(), tmp_path, "auto", None)
    assert not list(tmp_path.iterdir())
    ci.write_ci_files(records.rejected(), tmp_path, "gitlab", tmp_path / "p.yaml")
    assert {path.name for path in tmp_path.iterdir()} == {
        "gitlab-metrics.txt",
        "gitlab-codequality.json",
    }
    issues = json.loads((tmp_path / "gitlab-codequality.json").read_text())
    assert issues[0]["location"]["path"] == "p.yaml"  # never where it lies on a machine
