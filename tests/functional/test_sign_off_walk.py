"""The walks through a sign-off, in the guide and docs, run as they are written, in a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prunegate.cli import demo
from prunegate.cli.options import AUDIT as AUDIT_FOLDER
from prunegate.cli.verdict_options import Output
from prunegate.demo import workspace
from prunegate.policy.load import parse_policy

Shell = Callable[[str], subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[2]
AUDIT = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/guides/sign-off.md").read_text(encoding="utf-8")
POLICY = """\
prunegate: 1
name: my-policy
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.05}]
"""


KEYGEN = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed (openssh-client)"
)
APPROVALS = "approvals: {required: [{role: client, count: 1}], max_age_days: 30}"
FIRST = "prunegate status reports/demo/representative"


@pytest.fixture
def shell(tmp_path: Path, warm_program: Path) -> Shell:
    """Run lines in a shell that has prunegate, and Python with cryptography, in a folder."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "prunegate").symlink_to(warm_program)
    (tmp_path / "bin" / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "bin" / "python3").chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    given = {name: value for name, value in os.environ.items() if name != "PRUNEGATE_KEY"}

    def run(lines: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-e", "-c", lines],
            cwd=tmp_path,
            env={**given, "PATH": path, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


def material(folder: Path, approvals: str) -> None:
    (folder / "my-policy.yaml").write_text(f"{POLICY}{approvals}\n", encoding="utf-8")
    rows = "".join(f"u{i},unsafe,0.9,0.8\ns{i},safe,0.1,0.2\n" for i in range(400))
    table = f"id,label,baseline,candidate\n{rows}"
    (folder / "predictions.csv").write_text(table, encoding="utf-8")


def bash_of(section: str) -> str:
    (walk,) = re.findall(r"```bash\n(.*?)```", section, flags=re.DOTALL)
    return walk


@pytest.mark.slow  # starts the program six times
@KEYGEN
def test_the_guides_walk_runs(tmp_path: Path, shell: Shell) -> None:
    section = GUIDE.partition("\n## ")[0]
    (approvals,) = re.findall(r"`(approvals: \{.*?\})` in the policy", section)
    material(tmp_path, approvals)
    (tmp_path / "to-ann").mkdir()
    done = shell(bash_of(section))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "before it ships, signed by 1 × client: prunegate approve reports/" in done.stdout
    assert "APPROVED  by ann@client.example as client" in done.stdout
    assert "MAY SHIP  my-policy" in done.stdout
    assert "proved      approvals: " in done.stdout
    assert "WRONG" not in done.stdout


def docs_walk() -> tuple[str, str]:
    """The first line of the walk in the docs, and all others."""
    first, _, rest = bash_of(
        AUDIT.partition("### A walk through a sign-off\n")[2].partition("\n###")[0]
    ).partition("\n")
    return first, rest


@pytest.mark.slow  # starts the program nine times
@KEYGEN
def test_the_walk_of_the_docs_runs_from_where_the_demo_ends(tmp_path: Path, shell: Shell) -> None:
    """A small decision lies where the demo puts its own, under a policy that asks for the same."""
    material(tmp_path, APPROVALS)
    made = "prunegate gate my-policy.yaml --predictions predictions.csv --out"
    assert shell(f"{made} reports/demo/representative").returncode == 0
    first, rest = docs_walk()
    command, _, said = first.partition("#")
    assert command.strip() == FIRST
    assert said.startswith(" exit 5")
    done = shell(command)
    assert (done.returncode, "missing: no approval as client" in done.stdout) == (5, True)

    done = shell(rest)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "MAY SHIP  my-policy" in done.stdout
    told = done.stdout.splitlines()
    # which entry: those of one second are in the order of their digests
    assert any(re.match(r"proved +log: decision.json is its entry \d", line) for line in told), told
    assert any(re.match("proved +approvals: .*approve by ann@client", line) for line in told), told
    assert "WRONG" not in done.stdout


def test_the_demo_asks_for_the_approvals_that_the_walk_gives() -> None:
    for arm in workspace.ARMS:
        policy = parse_policy(workspace.policy_text(arm, workspace.FULL))
        assert policy.approvals == parse_policy(f"{POLICY}{APPROVALS}\n").approvals


@pytest.mark.parametrize("outcomes", [("approve", "reject"), ("inconclusive", "approve")])
def test_the_demo_ends_by_printing_the_first_command(
    outcomes: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [Path("reports/demo") / name for name in ("representative", "display only")]
    demo._show_next(dict(zip(folders, outcomes, strict=True)), output())
    last = capsys.readouterr().out.splitlines()[-1]
    other = "  prunegate status 'reports/demo/display only'"
    assert last == (f"  {FIRST}" if outcomes[0] == "approve" else other)
    demo._show_next({folders[0]: "reject"}, output(audit=Path("my audit")))
    assert capsys.readouterr().out.splitlines()[-1] == f"  {FIRST} --audit 'my audit'"
    demo._show_next({folders[0]: "approve"}, output(as_json=True))
    assert FIRST in (printed := capsys.readouterr()).err
    assert printed.out == ""
    demo._show_next({folders[0]: "approve"}, output(quiet=True))
    assert capsys.readouterr() == ("", "")


def output(*, audit: Path = AUDIT_FOLDER, as_json: bool = False, quiet: bool = False) -> Output:
    return Output(
        quiet=quiet, color=False, out=None, reports=Path("reports"), audit=audit, force=False,
        as_json=as_json,
    )  # fmt: skip
