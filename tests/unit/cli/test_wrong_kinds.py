"""A table in the place of a policy, claims or record, and a verdict's folder, in every command."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.functional.pages import ROOT

from prunegate.cli import cli
from prunegate.errors import InputError
from prunegate.outputs.public_reason import why

SAMPLE = ROOT / "reports" / "sample" / "representative"
YAML = "prunegate: 1\n"


def refused(*given: str) -> str:
    done = CliRunner().invoke(cli, given, standalone_mode=False)
    assert isinstance(done.exception, click.UsageError | InputError), (given, done.exception)
    return why(done.exception)


POLICY_FIRST = [
    ("plan",), ("check",), ("run",), ("search",), ("cost",), ("claims",),
    ("policy", "validate"), ("policy", "explain"), ("sql", "--table", "t", "--dialect", "duckdb"),
    ("compress", "-o", "new"), ("importance",), ("policy", "diff", "other.yaml"),
]  # fmt: skip


@pytest.mark.parametrize("command", POLICY_FIRST, ids=" ".join)
@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "missing.csv"])
def test_a_table_is_no_policy(
    command: tuple[str, ...], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("t.csv", "t.parquet"):
        Path(file).write_text("id,label,baseline,candidate\n")
    Path("other.yaml").write_text(YAML)
    told = refused(*command, name)
    assert f"{name} is a table, but a " in told
    assert "is YAML" in told
    assert "expected keys" not in told
    assert not Path("new").exists()


@pytest.mark.parametrize("command", ["discover", "label", "gate"])
def test_a_table_without_its_option_is_told_how(command: str) -> None:
    told = refused(command, "t.csv")
    assert f"try: prunegate {command} POLICY.yaml --predictions t.csv" in told


RECORD_FIRST = [("report",), ("status",)]


@pytest.mark.parametrize("command", RECORD_FIRST, ids=lambda given: given[0])
@pytest.mark.parametrize(("name", "word"), [("t.csv", "a table"), ("p.yaml", "a policy")])
def test_a_table_or_policy_is_no_record(
    command: tuple[str, ...], name: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("prunegate,b\n1,2\n")
    told = refused(*command, name)
    assert word in told
    assert "not JSON" not in told


@pytest.mark.parametrize("command", [("plan",), ("claims",), ("policy", "validate")])
def test_a_record_is_no_policy(command: tuple[str, ...]) -> None:
    assert "is the record of a verdict" in refused(*command, str(SAMPLE / "record.json"))


def test_a_verdicts_folder_stands_for_its_record(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    folder.mkdir()
    shutil.copy(SAMPLE / "record.json", folder)
    for given in (["report", str(folder)], ["report", str(folder), "--bom", str(tmp_path / "b")]):
        done = CliRunner().invoke(cli, given, standalone_mode=False)
        assert done.exception is None, done.exception
    assert {path.name for path in folder.iterdir()} == {"record.json", "report.html"}
    claims = str(ROOT / "policies" / "brand-safety-vit.claims.yaml")
    held = [
        CliRunner().invoke(cli, ["claims", claims, "--json", "--record", str(place)]).stdout
        for place in (folder, folder / "record.json")
    ]
    assert held[0] == held[1]
    assert '"record": null' not in held[0]


def test_a_folder_without_a_record_says_what_is_missing(tmp_path: Path) -> None:
    assert "record.json of a verdict" in refused("report", str(tmp_path))
