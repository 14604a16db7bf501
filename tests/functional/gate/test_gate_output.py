"""What ``gate`` and ``report`` print and write: streams, names, files that are there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tests.functional.gate.tables import FILES, gate, run, table, written

from prunegate import cli
from prunegate.errors import InputError

pytestmark = pytest.mark.slow


def test_output_that_nobody_can_take_is_no_mistake_of_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert run(monkeypatch, "policy", "explain", "p.yaml") == 2
    assert "standard output cannot be written (No space left" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["::error file=a::x", "##[error]x", "  ::warning::x"])
def test_no_name_speaks_to_the_ci_server(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    word: str,
) -> None:
    monkeypatch.setattr(cli.cli, "main", lambda **_: _raise(InputError(f"a name:\n{word}")))
    assert run(monkeypatch, "policy") == 2
    lines = capsys.readouterr().err.splitlines()
    assert not any(line.lstrip().startswith(("::", "##[")) for line in lines)


def _raise(error: Exception) -> None:
    raise error


def test_json_prints_exactly_the_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(monkeypatch, "--json", "--out", "o") == 0
    said = capsys.readouterr()
    assert said.out.encode() == (folder / "o" / "record.json").read_bytes() + b"\n"
    assert said.err.startswith("APPROVE")


def test_quiet_prints_the_verdict_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(monkeypatch, "-q") == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("APPROVE  small\n", "")


def test_no_color_means_no_escape_even_where_colour_is_forced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)
    assert gate(monkeypatch, "--out", "a") == 0
    assert "\x1b[" in capsys.readouterr().out
    assert gate(monkeypatch, "--out", "b", "--no-color") == 0
    assert "\x1b" not in capsys.readouterr().out


def test_an_output_folder_has_to_be_free_unless_forced(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "o").mkdir()
    assert gate(monkeypatch, "--out", "o") == 0  # an empty folder is free
    (folder / "o" / "mine.txt").write_text("kept")
    before = {p.name: p.read_bytes() for p in (folder / "o").iterdir()}
    assert gate(monkeypatch, "--out", "o") == 2
    assert "--force" in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in (folder / "o").iterdir()} == before
    assert gate(monkeypatch, "--out", "o", "--force") == 0
    assert {p.name for p in (folder / "o").iterdir()} == {*FILES, "mine.txt"}
    assert {p.name for p in folder.iterdir()} == {"p.yaml", "t.csv", "o", "audit"}


HOSTILE = "\x1b[31m\u202egpj.exe,x=y\u200b"


def test_hostile_names_are_inert_on_the_console(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "t.csv").write_text(table(60, kinds=("display", HOSTILE)), encoding="utf-8")
    assert gate(monkeypatch, "--no-color") == 3
    hostile = folder / f"{HOSTILE}.csv"
    hostile.write_text("id\n1\n", encoding="utf-8")
    said = capsys.readouterr().out
    assert run(monkeypatch, "gate", "p.yaml", "--predictions", "*.exe*.csv") == 2
    for text in (said, capsys.readouterr().err):
        assert "gpj.exe" in text
        assert not {"\x1b", "\u202e", "\u200b"} & set(text)


def test_a_report_is_made_again_from_its_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(monkeypatch, "--out", "o") == 0
    report = folder / "o" / "report.html"
    first = report.read_bytes()
    assert run(monkeypatch, "report", "o/record.json") == 2
    assert "--force" in capsys.readouterr().err
    report.write_text("spoilt")
    assert run(monkeypatch, "report", "o/record.json", "--force") == 0
    assert report.read_bytes() == first
    kept = (
        folder
        / "audit"
        / "evidence"
        / hashlib.sha256((folder / "o/record.json").read_bytes()).hexdigest()
    )
    assert run(monkeypatch, "report", str(kept), "--out", "again.html") == 0
    assert (folder / "again.html").read_bytes() == first
    record = folder / "o" / "record.json"
    record.write_bytes(record.read_bytes().replace(b'"approve"', b'"reject" '))
    assert run(monkeypatch, "report", "o/record.json", "--out", "x.html") == 6
    assert not (folder / "x.html").exists()


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_helps_with_an_example(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, name, "--help") == 0
    assert f"prunegate {name} " in capsys.readouterr().out.partition("\n")[2]
    commands = getattr(cli.cli.get_command(None, name), "commands", {})  # type: ignore[arg-type]  # unused
    for sub in commands:
        assert run(monkeypatch, name, sub, "--help") == 0
        assert f"prunegate {name} {sub} " in capsys.readouterr().out.partition("\n")[2]


def test_an_error_of_our_own_is_exit_1_without_a_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("prunegate.gate.decide", broken)
    assert gate(monkeypatch) == 1
    assert "internal error: ZeroDivisionError: ours" in capsys.readouterr().err
    assert not written(folder)


def test_findings_on_stdout_are_the_records(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "t.csv").write_text(table(60), encoding="utf-8")
    assert gate(monkeypatch, "--json") == 3
    document = json.loads(capsys.readouterr().out)
    failed = [f["slice"] for f in document["findings"] if f["status"] == "fail"]
    assert "kind=video" in failed
    assert any("kind=video" in reason for reason in document["reasons"])
