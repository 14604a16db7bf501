"""What README and docs tell people to type works as written, or a comment above says why it is not
tried: ``<!-- not run: REASON -->``, or ``<!-- run by: TEST FILE -->``."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from tests.functional.pages import ROOT, blocks, pages, shell_blocks, text_of

from prunegate.cli import cli
from prunegate.policy.load import parse_policy

PLAIN = ("make ", "echo ")
"""What stands in a block that runs, besides our own commands."""


def to_run() -> list[str]:
    """Every command of ours in a block without a mark, each once, in the order of the pages."""
    lines = [line for block in shell_blocks() if not block.mark for line in block.lines]
    return list(dict.fromkeys(line for line in lines if line.startswith("prunegate ")))


def predictions(folder: Path, name: str) -> None:
    rng = np.random.default_rng(0)
    rows = 9000
    unsafe = rng.random(rows) < 0.4
    score = np.clip(np.where(unsafe, 0.85, 0.1) + rng.normal(0, 0.15, rows), 0, 1)
    table = pd.DataFrame(
        {
            "id": np.arange(rows),
            "label": np.where(unsafe, "unsafe", "safe"),
            "baseline": score,
            "candidate": score,
            "content_type": rng.choice(["display", "video", "ugc"], rows),
        }
    )
    table.to_csv(folder / name, index=False) if name.endswith("csv") else table.to_parquet(
        folder / name
    )


def start_from(folder: Path, spark: Any) -> None:
    """Let the running Spark, which is used then, read paths from this folder on."""
    hadoop = spark._jvm.org.apache.hadoop.fs
    files = hadoop.FileSystem.get(spark._jsc.hadoopConfiguration())
    files.setWorkingDirectory(hadoop.Path(str(folder)))


@pytest.mark.slow  # whole gates and plans
def test_every_command_line_runs(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start_from(tmp_path, spark)
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    predictions(tmp_path, "predictions.csv")
    runner = CliRunner()
    lines = to_run()
    for line in lines:
        result = runner.invoke(cli, shlex.split(line)[1:], standalone_mode=False)
        assert result.exception is None, f"{line}: {result.exception}"
        assert result.return_value in (None, 0), f"{line}: exit {result.return_value}"
    assert len(lines) >= 10


def test_every_shell_block_runs_or_says_why_not() -> None:
    for block in shell_blocks():
        where = f"{block.page}: {block.code[:60]!r}"
        if block.mark.startswith("run by: "):
            test = ROOT / block.mark.removeprefix("run by: ")
            assert Path(block.page).name in test.read_text(encoding="utf-8"), where
        elif block.mark:
            assert re.fullmatch(r"not run: \S.{8,}", block.mark), where
        else:
            assert block.language == "sh", f"{where} has no comment that says why it is not run"
            assert all(line.startswith(("prunegate ", *PLAIN)) for line in block.lines), where


def test_every_make_target_that_pages_name_is_there() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for page in pages():
        for name in re.findall(r"(?:`|^)make ([a-z-]+)", text_of(page), flags=re.MULTILINE):
            assert name in targets, f"{page}: make {name}"


def spoken() -> Iterator[tuple[str, list[str]]]:
    """Every command of ours that any page shows, in blocks or in a sentence, as words.

    But for the code of a command that is only to be made (``py``), which names itself.
    """
    for page in pages():
        found = blocks(page)
        lines = [line for block in found if block.language != "py" for line in block.lines]
        prose = text_of(page)
        for block in found:
            prose = prose.replace(block.code, "")
        lines += re.findall(r"`(prunegate [^`]*)`", prose.replace("\n", " "))
        for line in lines:
            if line.startswith("prunegate ") and "|" not in line:
                yield page, re.split(r"[\s=]+", line)[1:]


def test_no_page_shows_a_command_or_an_option_that_there_is_not() -> None:
    seen = 0
    for page, words in spoken():
        command: click.Command | None = cli
        where = f"{page}: prunegate {' '.join(words)}"
        while words and isinstance(command, click.Group) and not words[0].startswith("-"):
            command = command.get_command(click.Context(command), words.pop(0).strip(",;:."))
            assert command is not None, where
        assert command is not None
        known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
        for word in words:
            option = re.match(r"\[?(--?[a-z][a-z-]*)", word)
            if option and not isinstance(command, click.Group):
                assert option[1] in known | {"-h", "--help"}, f"{where}: {option[1]}"
        seen += 1
    assert seen > 40


@pytest.mark.slow
def test_the_python_of_the_pages_runs(tmp_path: Path) -> None:
    predictions(tmp_path, "predictions.parquet")
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    codes = {block.code for page in pages() for block in blocks(page, "python")}
    assert codes
    for code in codes:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            check=False,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[0] in {"approve", "reject", "inconclusive"}


def whole(page: str) -> str:
    """The first YAML block of a page."""
    return blocks(page, "yaml")[0].code


def test_the_policies_of_the_pages_are_valid() -> None:
    first = whole("docs/quickstart.md")
    assert parse_policy(first).rules
    assert parse_policy(first + whole("docs/guides/run.md")).compress


def test_the_steps_of_the_pages_are_valid() -> None:
    head = whole("docs/quickstart.md") + "model: {baseline: a, initial: b, early: c}\n"
    sections = [block.code for block in blocks("docs/compression.md", "yaml")]
    assert sections
    for section in sections:
        assert parse_policy(head + section).compress
    (searched,) = (block.code for block in blocks("docs/guides/search.md", "text"))
    assert parse_policy(head + sections[0] + searched).search is not None
