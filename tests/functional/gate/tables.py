"""A policy, tables that lost some recall, and the command on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate import cli

POLICY = """\
prunegate: 1
name: small
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [display, video]}]
rules: [{metric: recall, slices: all, max_drop: 0.02}]
"""

FILES = {"report.html", "record.json", "summary.md", "junit.xml", "findings.csv"}


def table(lost: int, positives: int = 400, kinds: tuple[str, str] = ("display", "video")) -> str:
    """Two kinds; of the second one's positives the candidate loses some."""
    lines = ["id,label,baseline,candidate,kind"]
    for kind, misses in zip(kinds, (0, lost), strict=True):
        for i in range(positives):
            cell = '"' + kind.replace('"', '""') + '"'
            lines.append(f"{kind[:1]}{i},unsafe,0.9,{0.1 if i < misses else 0.8},{cell}")
            lines.append(f"{kind[:1]}n{i},safe,0.1,0.2,{cell}")
    return "\n".join(lines) + "\n"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["prunegate", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def gate(monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    return run(monkeypatch, "gate", "p.yaml", "--predictions", "t.csv", *more)


def written(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()} - {"p.yaml", "t.csv"}
