"""What the README tells people to type works as written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from prunegate.cli import COMMANDS, cli
from prunegate.models.family import architectures
from prunegate.policy.load import parse_policy

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMPRESSION = (ROOT / "docs/compression.md").read_text(encoding="utf-8")
FROM_A_USER = {
    *("prunegate check my-policy.yaml", "prunegate run my-policy.yaml"),
    *("prunegate importance my-policy.yaml", "prunegate compress my-policy.yaml"),
    *("prunegate search my-policy.yaml", "prunegate demo --search"),
}
"""Need the user's own model and rows, or many minutes: test_run_command.py, test_search_command.py
and test_compress_command.py run them on small ones."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def shell_lines() -> list[str]:
    lines = [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("prunegate ")]


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


@pytest.mark.slow
def test_every_command_line_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    predictions(tmp_path, "predictions.csv")
    runner = CliRunner()
    ran = 0
    for line in shell_lines():
        if any(line.startswith(known) for known in FROM_A_USER):
            continue
        result = runner.invoke(cli, line.split()[1:], standalone_mode=False)
        assert result.exception is None, f"{line}: {result.exception}"
        assert result.return_value in (None, 0), f"{line}: exit {result.return_value}"
        ran += 1
    assert ran >= 4


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    predictions(tmp_path, "predictions.parquet")
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    (code,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] in {"approve", "reject", "inconclusive"}


def test_the_policies_of_the_readme_are_valid() -> None:
    first, sections = blocks("yaml")
    assert parse_policy(first).rules
    assert parse_policy(first + sections).compress


def test_the_steps_of_the_docs_are_valid() -> None:
    first, _ = blocks("yaml")
    sections = re.findall(r"```yaml\n(.*?)```", COMPRESSION, flags=re.DOTALL)
    models = "model: {baseline: a, initial: b, early: c}\n"
    assert sections
    for section in sections:
        assert parse_policy(first + models + section).compress
    searched = next(block for block in blocks("text") if block.startswith("search:"))
    assert parse_policy(first + models + sections[0] + searched).search is not None


def test_the_docs_name_every_family() -> None:
    for name in architectures():
        assert name in COMPRESSION


def test_the_readme_lists_every_command() -> None:
    for name in COMMANDS:
        assert f"`prunegate {name}" in README


def test_the_pictures_and_files_that_the_readme_names_are_there() -> None:
    names = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert names
    for name in names:
        assert (ROOT / name).exists(), name
