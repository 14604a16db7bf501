"""CI templates: their files are in order, and their shell does what it says, without a server.

The steps of action.yml run here as the runner would run them: the same text in bash, what users
give in the environment. ``prunegate``, ``gh`` and ``pip`` are stand-ins that write down how they
were called.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML
from tests.functional.pages import ROOT

from prunegate.cli import cli
from prunegate.cli.verdict_options import VerdictCommand
from prunegate.outputs.nothing_judged import OF_A_VERDICT

SCRIPTS = [
    "ci/install.sh", "ci/github/begin.sh", "ci/github/judge.sh", "ci/github/comment.sh"
]  # fmt: skip
BASH = shutil.which("bash") or "bash"


def read(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / name).read_text(encoding="utf-8"))


ACTION = read("action.yml")
STEPS = {step.get("name", step.get("uses")): step for step in ACTION["runs"]["steps"]}


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """Programs that write down how they were called, before all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    stand_in(folder, "prunegate", 'printf "%s\\n" "$@" > called; exit "${CODE:-0}"')
    return folder


def stand_in(folder: Path, name: str, script: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).write_text(f"#!{BASH}\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def step(tmp_path: Path, bin_folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a step of action.yml on inputs, as the runner does."""

    def run(name: str, inputs: dict[str, str], part: str = "0", **environment: str) -> Any:
        defaults = {key: str(of.get("default", "")) for key, of in ACTION["inputs"].items()}
        given = {**defaults, **inputs}
        own = {
            key: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda m: given[m[1]], value)
            for key, value in STEPS[name].get("env", {}).items()
        }
        environment = {
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            **{k: v.replace("${{ strategy.job-index }}", part) for k, v in own.items()},
            **environment,
        }
        return subprocess.run(  # our own scripts
            [BASH, "-e", "-o", "pipefail", "-c", STEPS[name]["run"]],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_the_action_is_in_order() -> None:
    assert ACTION["runs"]["using"] == "composite"
    used = set(re.findall(r"inputs\.([a-z-]+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])
    for one in ACTION["runs"]["steps"]:
        assert ("uses" in one) != ("run" in one)
        if "run" in one:
            assert one["shell"] == "bash"
            assert "${{" not in one["run"], "what users give must not become shell"
        else:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", one["uses"])
    gate = cli.get_command(None, "gate")  # type: ignore[arg-type]  # it needs no context
    assert isinstance(gate, VerdictCommand)
    options = {name for param in gate.params for name in param.opts}
    assert {"--out", "--force", "--fail-on", "--predictions", "--measurements"} <= options


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_bash(script: str) -> None:
    done = subprocess.run([BASH, "-n", ROOT / script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("code", [0, 2, 3, 4])
def test_what_users_give_is_an_argument_and_the_job_ends_with_the_verdict(
    step: Callable[..., Any], tmp_path: Path, code: int
) -> None:
    hostile = 'my $(touch pwned) "p".yaml'
    tables = "a b.csv\n\n$(touch pwned).csv\n"
    inputs = {"policy": hostile, "predictions": tables, "fail-on": "warning"}
    done = step("Judge", inputs, CODE=str(code))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "called").read_text().splitlines() == [
        "gate", hostile, "--out", "prunegate-verdict", "--force", "--fail-on", "warning",
        "--predictions", "a b.csv", "--predictions", "$(touch pwned).csv",
    ]  # fmt: skip
    assert not (tmp_path / "pwned").exists()
    assert (tmp_path / "output").read_text() == f"exit-code={code}\n"
    assert step("End with the verdict", {}, PRUNEGATE_CODE=str(code)).returncode == code
    assert step("End with the verdict", {}, PRUNEGATE_CODE="").returncode == 1


@pytest.mark.parametrize("code", [4, 6, 127, 130, 137, 143])
def test_a_gate_that_is_killed_is_told_of_by_the_step(
    step: Callable[..., Any], tmp_path: Path, code: int
) -> None:
    """What the gate can say, it says itself."""
    (tmp_path / "prunegate-verdict").mkdir()
    (tmp_path / "prunegate-verdict" / "summary.md").write_text("NOTHING WAS JUDGED\n")
    page = tmp_path / "page"
    done = step("Judge", {}, CODE=str(code), GITHUB_STEP_SUMMARY=str(page))
    silent = code not in (127, 137)
    assert ("::error" in done.stdout) is not silent
    assert page.exists() is not silent
    assert silent or page.read_text() == "NOTHING WAS JUDGED\n"


GH = (
    'case "$*" in *--method*) printf "%s\\n" "$@" > wrote; '
    'while [ "$1" != --input ]; do shift; done; cp "$2" sent;; *) cat comments;; esac'
)
SERVER = {"GITHUB_REPOSITORY": "o/r", "PRUNEGATE_PULL_REQUEST": "12", "GITHUB_JOB": "gate"}
TOLD = "Tables: `t.csv`; job `gate`{part}.\n"
HOSTILE = 'p "quoted" $(touch pwned)-->.yaml'


@pytest.fixture
def comment(step: Callable[..., Any], tmp_path: Path, bin_folder: Path) -> Callable[..., Any]:
    """Comments with a summary where others stand already; what was called, and the body."""
    (tmp_path / "out").mkdir()
    stand_in(bin_folder, "gh", GH)

    def made(
        text: str, others: list[list[Any]], policy: str = "p.yaml", **use: str
    ) -> tuple[list[str], str]:
        inputs = {"out": "out", "policy": policy, "predictions": "t.csv"}
        inputs |= {key: use.pop(key) for key in ("out", "predictions") if key in use}
        (tmp_path / inputs["out"]).mkdir(exist_ok=True)
        summary = tmp_path / inputs["out"] / "summary.md"
        summary.unlink(missing_ok=True)
        if text:
            summary.write_text(text, encoding="utf-8")
        (tmp_path / "comments").write_text("\n".join(map(json.dumps, others)) + "\n")
        done = step("Comment", inputs, **{**SERVER, **use})
        assert done.returncode == (0 if text else 1), done.stderr
        wrote = (tmp_path / "wrote").read_text().splitlines()
        return wrote[2:4], json.loads((tmp_path / "sent").read_text())["body"]

    return made


POST = ["POST", "repos/o/r/issues/12/comments"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("policy", "parts", "part"),
    [("p.yaml", "2", ", part 1 of its matrix"), (HOSTILE, "1", "")],
)
def test_one_comment_of_a_use_is_kept_up_to_date(
    comment: Callable[..., Any], tmp_path: Path, policy: str, parts: str, part: str
) -> None:
    text = '<!-- prunegate:p -->\n❌ **REJECT** `p`: "quoted" $(touch pwned)\n'
    others = [[7, "an earlier word"], [8, "<!-- prunegate:another -->"]]
    told, of = TOLD.format(part=part), {"PRUNEGATE_JOB_TOTAL": parts}
    called, body = comment(text, others, policy, **of)
    assert called == POST
    marker, _, rest = body.partition("\n")
    assert re.fullmatch(r"<!-- prunegate-use:[0-9a-f]{16} -->", marker)
    assert rest == f"{text}\n{told}"
    unreadable = "<!-- prunegate:other name -->\n⛔ **NOTHING WAS JUDGED**\n"
    for later in (text, unreadable, "<!-- prunegate -->\n"):
        called, body = comment(later, [*others, [9, marker], [10, marker]], policy, **of)
        assert called == ["PATCH", "repos/o/r/issues/comments/9"]
        assert body == f"{marker}\n{later}\n{told}"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.slow
def test_a_comment_of_before_is_taken_over_and_another_files_is_not(
    comment: Callable[..., Any],
) -> None:
    text = "<!-- prunegate:p -->\n✅ **APPROVE** `p`\n"
    _, body = comment(text, [[1, "x"]], "a/p.yaml")
    other = body.splitlines()[0]
    assert comment(text, [[1, other]], "b/p.yaml")[0] == POST
    assert comment(text, [[1, other]], "./a/x/../p.yaml")[0][1].endswith("comments/1")
    taken = [[1, other], [2, "<!-- prunegate:p -->"]]
    assert comment(text, taken, "b/p.yaml")[0][1].endswith("comments/2")
    by_policy = "<!-- prunegate-policy:cb98ada45dc6b034 -->"
    assert comment(text, [[3, by_policy], taken[1]], "b/p.yaml")[0][1].endswith("comments/3")


def test_every_use_of_the_action_has_a_comment_of_its_own(comment: Callable[..., Any]) -> None:
    """Two verdicts never share one; new tables, such as those of each commit, make no new one."""
    text = "<!-- prunegate:p -->\n✅ **APPROVE** `p`\n"
    uses: list[dict[str, str]] = [
        {}, {"part": "1"}, {"out": "out2"}, {"GITHUB_JOB": "k"}, {"GITHUB_WORKFLOW": "nightly"}
    ]  # fmt: skip
    others: list[list[Any]] = []
    for number, use in enumerate(uses):
        called, body = comment(text, others, **use)
        assert called == POST
        others.append([number, body.splitlines()[0]])
    called, body = comment(
        text, others, predictions="runs/3f2a/new.csv", part="1", PRUNEGATE_JOB_TOTAL="2"
    )
    assert called[1].endswith("comments/1")
    assert "Tables: `new.csv`; job `gate`, part 2 of" in body


def test_tables_are_told_inertly(comment: Callable[..., Any]) -> None:
    hostile = "/home/kim/a`b<c>@all.csv\n\n$(touch pwned)\nx.csv\ny.csv\nz.csv\n"
    last = comment("<!-- prunegate:p -->\n", [], predictions=hostile)[1].splitlines()[-1]
    assert last == "Tables: `a_b_c__all.csv`, `__touch_pwned_`, `x.csv`, and 2 more; job `gate`."


def test_without_a_summary_the_comment_says_that_nothing_was_judged(
    comment: Callable[..., Any],
) -> None:
    called, body = comment("<!-- prunegate:p -->\n✅ **APPROVE** `p`\n", [])
    assert called == POST
    called, body = comment("", [[5, body.splitlines()[0]]])
    assert called == ["PATCH", "repos/o/r/issues/comments/5"]
    assert "NOTHING WAS JUDGED" in body
    assert "APPROVE" not in body


def test_nothing_of_before_is_uploaded_or_told_where_the_gate_never_began(
    step: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "my out"
    out.mkdir()
    for name in (*OF_A_VERDICT, "mine.txt"):
        (out / name).write_text("APPROVE")
    assert begin(step, tmp_path, out="my out")
    assert {path.name for path in out.iterdir()} == {"summary.md", "mine.txt"}
    assert "NOTHING WAS JUDGED" in (out / "summary.md").read_text()
    assert "always()" in STEPS["Comment"]["if"]
    assert "always()" in STEPS["Keep the report"]["if"]
    assert next(iter(STEPS)) == "Begin without a verdict"


def begin(step: Callable[..., Any], folder: Path, job: str = "j", **inputs: str) -> str:
    given = {"policy": "p.yaml", "predictions": "t.csv", **inputs}
    done = step("Begin without a verdict", given, GITHUB_JOB=job)
    assert done.returncode == 0, done.stderr
    return (folder / "output").read_text().splitlines()[-1].removeprefix("artifact=")


def test_every_use_of_the_action_has_an_artefact_of_its_own(
    step: Callable[..., Any], tmp_path: Path
) -> None:
    uses: list[dict[str, str]] = [
        {}, {"policy": HOSTILE}, {"predictions": "u.csv"}, {"out": "v"}, {"job": "k"}
    ]  # fmt: skip
    names = [begin(step, tmp_path, **use) for use in uses]
    assert len(set(names)) == len(uses)
    assert all(re.fullmatch(r"prunegate-verdict-[0-9a-f]{12}", name) for name in names)
    assert begin(step, tmp_path) == names[0]
    kept = STEPS["Keep the report"]["with"]
    assert kept["name"] == "${{ steps.begin.outputs.artifact }}"
    assert "strategy.job-index" in STEPS["Begin without a verdict"]["env"]["PRUNEGATE_JOB_INDEX"]


def test_only_the_gate_is_installed_and_nothing_is_resolved(
    step: Callable[..., Any], tmp_path: Path, bin_folder: Path
) -> None:
    stand_in(bin_folder, "python", 'printf "%s\\n" "$@" > called')
    assert step("Install the gate", {}).returncode == 0
    called = (tmp_path / "called").read_text().splitlines()
    assert "--no-deps" in called
    assert called[-2:] == [str(ROOT / "requirements-gate.txt"), str(ROOT)]
    assert "torch" not in (ROOT / "requirements-gate.txt").read_text().splitlines()[2:]


def test_the_image_copies_what_its_steps_need() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [path for line in lines if line.startswith("COPY ") for path in line.split()[1:-1]]
    for path in copied:
        assert (ROOT / path).exists(), path
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    assert kept[0] == "*"
    assert {line.removeprefix("!") for line in kept if line.startswith("!")} == set(copied)
    assert "RUN bash ci/install.sh" in lines
    assert lines.index("USER prunegate") > lines.index("RUN bash ci/install.sh")


def test_the_gitlab_template_hands_in_what_is_written() -> None:
    job = read("ci/gitlab/prunegate.gitlab-ci.yml")[".prunegate"]
    out = job["variables"]["PRUNEGATE_OUT"]
    assert set(job["variables"]) >= {"PRUNEGATE_FAIL_ON", "PRUNEGATE_IMAGE"}
    reports = {path.replace("$PRUNEGATE_OUT/", "") for path in job["artifacts"]["reports"].values()}
    assert reports == {"junit.xml", "gitlab-metrics.txt", "gitlab-codequality.json"}
    assert reports <= set(OF_A_VERDICT)
    assert out == "prunegate-verdict"
    assert job["artifacts"]["when"] == "always"
    (script,) = job["script"]
    assert all(f'"${name}"' in script for name in re.findall(r"\$(\w+)", script))


def test_the_hook_checks_policies_and_nothing_else() -> None:
    (hook,) = read(".pre-commit-hooks.yaml")
    files = list((ROOT / "policies").glob("*.yaml"))
    assert files
    assert all(re.search(hook["files"], f"policies/{path.name}") for path in files)
    assert not re.search(hook["files"], "src/prunegate/demo/policy.yaml")
    program, *command = hook["entry"].split()
    assert program == "prunegate"
    done = CliRunner().invoke(cli, [*command, str(files[0])], standalone_mode=False)
    assert done.exception is None
