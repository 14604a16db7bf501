from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from prunegate.cli.policy import command
from prunegate.errors import InputError, PolicyError
from prunegate.policy.load import load_policy

GOOD = """\
prunegate: 1
name: x
task: {kind: binary, positive: unsafe}
slices: [{by: content_type}]
rules: [{metric: recall, at_least: 0.5}, {metric: precision, slices: all, max_drop: 0.02}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str, answers: str | None = None) -> Result:
    """Run the group as main() does: errors come through, the return value is the exit code."""
    return CliRunner().invoke(command, arguments, input=answers, standalone_mode=False)


def refused(*arguments: str) -> str:
    """The message of the bad input that the command must end with."""
    result = invoke(*arguments)
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_code == 2
    return str(result.exception)


def test_validate_says_what_is_fine(folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD)
    result = invoke("validate", "a.yaml")
    assert (result.exception, result.return_value) == (None, 0)
    assert result.stdout == "a.yaml: ok — 2 rules, 1 slicing\n"
    assert invoke("validate", "-q", "a.yaml").stdout == ""


def test_validate_lists_every_mistake_of_every_file(folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD)
    (folder / "b.yaml").write_text(GOOD.replace("recall", "recal").replace("0.02", "2%"))
    result = invoke("validate", "a.yaml", "b.yaml", "c.yaml")
    assert result.stdout == "a.yaml: ok — 2 rules, 1 slicing\n"
    assert isinstance(result.exception, PolicyError)
    assert result.exception.mistakes == (
        "b.yaml:5: rules[0].metric: unknown metric \"recal\"; did you mean 'recall'?",
        (
            'b.yaml:5: rules[1].max_drop: got "2%", expected a number such as 0.02 (or {relative: '
            "0.03})"
        ),
        "c.yaml: no such file; 'prunegate policy new c.yaml' writes one to start from",
    )


def test_validate_as_json(folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD)
    (folder / "b.yaml").write_text(GOOD.replace("0.5", "5"))
    result = invoke("validate", "--json", "a.yaml", "b.yaml")
    assert (result.exception, result.return_value) == (None, 2)
    good, bad = json.loads(result.stdout)
    assert (good["ok"], good["rules"], good["slicings"], good["mistakes"]) == (True, 2, 1, [])
    assert (bad["file"], bad["ok"], len(bad["mistakes"])) == ("b.yaml", False, 1)
    assert invoke("validate", "--json", "a.yaml").return_value == 0


def test_validate_needs_a_file() -> None:
    assert isinstance(invoke("validate").exception, click.UsageError)


@pytest.mark.slow
def test_schema_is_json() -> None:
    assert json.loads(invoke("schema").stdout)["$id"] == "urn:prunegate:policy:v1"


def test_explain_numbers_the_rules(folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD)
    lines = invoke("explain", "a.yaml").stdout.splitlines()
    assert lines[0].startswith("1. Overall, recall must be proven at least 50 %;")
    assert lines[1].startswith("2. Overall and on every slice, precision")
    assert lines[2] == ""
    assert all(line.startswith("- ") for line in lines[3:])


def test_explain_as_json(folder: Path) -> None:
    (folder / "a.yaml").write_text(GOOD)
    said = json.loads(invoke("explain", "--json", "a.yaml").stdout)
    assert said["name"] == "x"
    assert len(said["sentences"]) == 6


def test_new_from_options(folder: Path) -> None:
    options = ("--positive", "1", "--by", "content_type", "--expect", "display, no,3")
    result = invoke("new", "sub/my.yaml", *options, "--yes")
    assert result.exception is None
    assert result.stdout == (
        "sub/my.yaml: written; set its limits, then: prunegate policy validate sub/my.yaml\n"
    )
    policy = load_policy(folder / "sub/my.yaml")
    assert (policy.name, policy.task.positive, policy.task.threshold) == ("my", 1, 0.5)
    assert policy.slices[0].expect == ("display", "no", 3)


def test_new_asks_for_what_is_not_given(folder: Path) -> None:
    answers = "brand\nunsafe\nnone\ncontent_type\nvideo,ugc\n"
    assert invoke("new", answers=answers).exception is None
    policy = load_policy(folder / "brand.yaml")
    assert (policy.task.positive, policy.task.threshold) == ("unsafe", None)
    assert policy.slices[0].expect == ("video", "ugc")


def test_new_without_slices_asks_for_no_values(folder: Path) -> None:
    assert invoke("new", "x.yaml", answers="\nunsafe\n\n\n").exception is None
    assert load_policy(folder / "x.yaml").slices == ()


def test_new_does_not_overwrite(folder: Path) -> None:
    (folder / "x.yaml").write_text("mine")
    assert refused("new", "x.yaml", "--yes") == "x.yaml: exists already; --force overwrites it"
    assert (folder / "x.yaml").read_text() == "mine"
    assert invoke("new", "x.yaml", "--yes", "--force").exception is None
    assert load_policy(folder / "x.yaml").name == "x"


def test_new_does_not_follow_a_dangling_link(folder: Path) -> None:
    (folder / "x.yaml").symlink_to("elsewhere.yaml")
    assert "exists already" in refused("new", "x.yaml", "--yes")
    assert not (folder / "elsewhere.yaml").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--name", "two words"), 'name: got "two words", expected a name'),
        (
            ("--threshold", "half"),
            "--threshold: got 'half', expected a number from 0 to 1, or none",
        ),
        (("--threshold", "2"), "task.threshold: got 2.0, expected a number from 0 to 1"),
        (("--threshold", "nan"), "--threshold: got 'nan', expected a number from 0 to 1, or none"),
        (("--expect", "a"), "--expect lists values of a column: say which one with --by"),
        (("--by", "a,b"), "separate slice names; rename the column"),
    ],
)
def test_new_writes_nothing_from_bad_answers(
    options: tuple[str, str], message: str, folder: Path
) -> None:
    assert message in refused("new", "x.yaml", "--yes", *options)
    assert list(folder.iterdir()) == []


def test_new_says_when_it_cannot_write(folder: Path) -> None:
    (folder / "file").write_text("")
    assert "cannot be written" in refused("new", "file/x.yaml", "--yes")
    assert "cannot be written" in refused("new", str(folder), "--yes", "--force", "--name", "x")


@pytest.mark.parametrize("name", sorted(command.commands))
def test_every_command_shows_an_example(name: str) -> None:
    result = CliRunner().invoke(command, [name, "--help"])
    assert result.exit_code == 0
    assert f"Example: prunegate policy {name}" in result.stdout
