"""Every command: what it writes is neither what it reads nor written twice."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.functional.pages import ROOT

from prunegate.cli import cli
from prunegate.cli.verdict_options import VerdictCommand
from prunegate.cli.written_paths import PathsApart, TablesRead, WrittenPath, require_apart
from prunegate.errors import InputError

RECORD = ROOT / "reports" / "sample" / "representative" / "record.json"


def every(
    group: click.Group = cli, before: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        if isinstance(found, click.Group):
            yield from every(found, (*before, name))
        elif found is not None:
            yield " ".join((*before, name)), found


COMMANDS = dict(every())
WRITES = {"--out", "--csv", "--chart", "--bom", "--model-card"}
PAIRS = [
    (name, written, read)
    for name, command in COMMANDS.items()
    for written in command.params
    for read in command.params
    if isinstance(written.type, WrittenPath)
    and isinstance(read.type, click.Path | TablesRead)
    and written is not read
]


def test_whatever_is_written_says_so() -> None:
    for name, command in COMMANDS.items():
        for param in command.params:
            assert isinstance(param.type, WrittenPath) or not WRITES & set(param.opts), name


def arguments(command: click.Command, *same: click.Parameter, path: str) -> list[str]:
    """The least that the command takes, with one path in each of the places that are asked for."""
    given = []
    for param in command.params:
        if param not in same and not param.required:
            continue
        value = path if param in same else "1" if param.type.name == "integer" else f"{param.name}"
        given += [param.opts[-1], value] if isinstance(param, click.Option) else [value]
    return given


@pytest.mark.parametrize(("name", "written", "read"), PAIRS, ids=str)
def test_one_path_in_two_places_is_refused_before_anything_is_done(
    name: str,
    written: click.Parameter,
    read: click.Parameter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    command = COMMANDS[name]
    Path("mine").mkdir()
    Path("mine/findings.csv").write_text("evidence")
    one = "mine" if isinstance(command, VerdictCommand) or "images" in (read.name or "") else "f"
    if one == "f":
        Path("f").write_text("evidence")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    given = arguments(command, written, read, path=one)
    if any("--force" in param.opts for param in command.params) and one == "f":
        given.append("--force")
    done = CliRunner().invoke(cli, [*name.split(), *given], standalone_mode=False)
    assert isinstance(done.exception, InputError), (given, done.exception)
    assert re.search("write over|the same file", str(done.exception)), given
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("spelled", ["record.json", "sub/../record.json", "link.json", "hard.json"])
@pytest.mark.parametrize("option", ["--out", "--model-card", "--bom"])
def test_a_record_is_never_written_over(tmp_path: Path, spelled: str, option: str) -> None:
    record = Path(shutil.copy(RECORD, tmp_path))
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.json").symlink_to(record)
    (tmp_path / "hard.json").hardlink_to(record)
    asked = ["report", str(record), option, str(tmp_path / spelled), "--force"]
    done = CliRunner().invoke(cli, asked, standalone_mode=False)
    assert f"{option} would write over" in str(done.exception)
    assert record.read_bytes() == RECORD.read_bytes()


def test_nothing_is_written_where_one_of_the_files_cannot_be(tmp_path: Path) -> None:
    record = Path(shutil.copy(RECORD, tmp_path))
    (tmp_path / "card.md").write_text("mine")
    bill, page = tmp_path / "bill.json", tmp_path / "page.html"
    for options in (
        ["--bom", str(bill), "--model-card", str(bill)],
        ["--out", str(bill), "--bom", str(bill), "--force"],
        ["--out", str(page), "--bom", str(bill), "--model-card", str(tmp_path / "card.md")],
        ["--out", str(tmp_path / "card.md"), "--bom", str(bill)],
        ["--out", str(page), "--bom", str(bill), "--images", str(tmp_path)],
    ):
        done = CliRunner().invoke(cli, ["report", str(record), *options], standalone_mode=False)
        assert isinstance(done.exception, Exception), options
        assert {path.name for path in tmp_path.iterdir()} == {"record.json", "card.md"}, options


def test_a_page_beside_its_record_is_no_input(tmp_path: Path) -> None:
    named = tmp_path / "report.html"
    shutil.copy(RECORD, named)
    done = CliRunner().invoke(cli, ["report", str(named), "--force"], standalone_mode=False)
    assert "--out would write over RECORD" in str(done.exception)
    assert named.read_bytes() == RECORD.read_bytes()


def test_a_table_among_an_earlier_verdicts_files_stays(tmp_path: Path) -> None:
    out = tmp_path / "v"
    out.mkdir()
    for name in ("findings.csv", "report.html", "record.json"):
        (out / name).write_text("of before")
    policy = tmp_path / "p.yaml"
    policy.write_text("prunegate: 1\n")
    asked = ["gate", str(policy), "--predictions", str(out / "*.csv"), "--out", str(out), "--force"]
    done = CliRunner().invoke(cli, asked, standalone_mode=False)
    assert "--out would write over --predictions" in str(done.exception)
    assert {path.name for path in out.iterdir()} == {"findings.csv", "summary.md"}
    assert (out / "findings.csv").read_text() == "of before"


def test_a_folder_that_is_replaced_holds_no_input(tmp_path: Path) -> None:
    table = tmp_path / "d" / "t.parquet"
    table.parent.mkdir()
    table.write_text("rows")
    asked = ["predict", "model", "--data", str(table), "-o", str(table.parent), "--engine", "spark"]
    done = CliRunner().invoke(cli, [*asked, "--force"], standalone_mode=False)
    assert "--data lies inside of" in str(done.exception)
    assert table.read_text() == "rows"


def test_places_apart_are_taken(tmp_path: Path) -> None:
    require_apart({"--a": tmp_path / "a", "--b": tmp_path / "b"}, {"--c": [tmp_path / "c"]})


def test_every_command_that_writes_compares_its_paths() -> None:
    writing = {name for name, _, _ in PAIRS}
    apart = (PathsApart, VerdictCommand)
    assert {name for name in writing if not isinstance(COMMANDS[name], apart)} == set()


KEPT = {
    "mine/ann": "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    "mine/ann.pub": "ssh-ed25519 AAAA ann\n",
    "mine/approval-request.json.sig": "-----BEGIN SSH SIGNATURE-----\n",
    "trail/evidence/0c77": "{}",
    "trail/pending/0c77": "{}",
    "trail/allowed_signers": "ann@client.example",
    "young/pending/0c77": "{}",
    "young/allowed_signers": "ann@client.example",
    "verdict/approval-request.json": "{}",
    "verdict/findings.csv": "rule,slice\n",
    "verdict/report.html": "<!doctype html>\n",
}
FILES_WRITTEN = [
    (name, written)
    for name, command in COMMANDS.items()
    if not isinstance(command, VerdictCommand)
    for written in command.params
    if isinstance(written.type, WrittenPath)
]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[Path, str]:
    """Files that prove something, and a record that is another one's."""
    monkeypatch.chdir(tmp_path)
    files = {Path(name): text for name, text in (KEPT | {"verdict/record.json": "{}"}).items()}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return files


@pytest.mark.parametrize(("name", "written"), FILES_WRITTEN, ids=str)
def test_no_command_writes_over_what_proves_something(
    name: str, written: click.Parameter, kept: dict[Path, str]
) -> None:
    for path in KEPT:
        given = arguments(COMMANDS[name], written, path=path)
        if any("--force" in param.opts for param in COMMANDS[name].params):
            given.append("--force")
        done = CliRunner().invoke(cli, [*name.split(), *given], standalone_mode=False)
        assert isinstance(done.exception, InputError), (given, done.exception)
        assert re.search("never (written over|overwritten)", str(done.exception)), given
    assert {path: path.read_text() for path in kept} == kept


def test_a_record_renews_its_own_page_and_no_others(kept: dict[Path, str]) -> None:
    mine = Path("mine/record.json")
    shutil.copy(RECORD, mine)
    Path("mine/report.html").write_text("of before")
    for out, refused in (("mine/report.html", False), ("verdict/report.html", True)):
        asked = ["report", str(mine), "--out", out, "--force"]
        done = CliRunner().invoke(cli, asked, standalone_mode=False)
        assert ("never written over" in str(done.exception)) is refused
        assert (Path(out).read_text() in ("of before", KEPT["verdict/report.html"])) is refused
