"""What is typed is told again, and does nothing: names that no terminal and no CI server obeys."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from prunegate import cli
from prunegate.text.escape import shell_word

NAMES = ("a\n::error::b", "a\u202eb", "it's \x1b[31m", "a\\b\n##[error]c")
COMMANDS = {
    "keygen": ["audit", "keygen", "-o", "{}"],
    "policy new": ["policy", "new", "{}.yaml", "--name", "n", "--positive", "x", "--yes"],
    "no such policy": ["policy", "validate", "{}"],
    "no such record": ["report", "{}"],
    "no such command": ["{}"],
    "no such option": ["gate", "--{}"],
    "no number": ["plan", "p.yaml", "--power", "{}"],
    "no choice": ["gate", "p.yaml", "--fail-on", "{}"],
    "too much": ["policy", "schema", "{}"],
}


def said(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["prunegate", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_is_told_on_its_line(
    command: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    said([word.format(name) for word in COMMANDS[command]], monkeypatch)
    told = "".join(capsys.readouterr())
    assert told
    assert all(line.isprintable() for line in told.splitlines())
    assert not re.search(r"^\s*(::|##\[)", told, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "init", "--audit", "a", "--origin", "{}"],
        ["policy", "new", "p.yaml", "--name", "n", "--positive", "{}", "--yes"],
        ["{}"],
    ],
    ids=" ".join,
)
def test_an_argument_that_is_no_text_is_bad_input(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said([word.format("a\udcffb") for word in arguments], monkeypatch) == 2
    assert "internal" not in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*NAMES, "two words", "", "a\udcffb", "€\U0001f600\u0300"])
def test_a_shell_reads_back_what_is_told(name: str) -> None:
    shell = ["bash", "-c", f"printf %s {shell_word(name)}"]
    done = subprocess.run(
        shell, capture_output=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )
    assert done.stdout == os.fsencode(name)
