"""The workspace of a policy, as whatever git is there tells it; never a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate.audit.git_state import workspace_of
from prunegate.audit.record import Workspace

COMMIT = "0f" * 20
CLEAN = Workspace(commit=COMMIT, dirty=False)
DIRTY = Workspace(commit=COMMIT, dirty=True)
GITS = {
    "clean": (f"rev-parse) echo {COMMIT};; status) ;;", CLEAN),
    "changed": (f"rev-parse) echo {COMMIT};; status) echo ' M p.yaml';;", DIRTY),
    "no repository": ("*) exit 128;;", None),
    "no commit": ("rev-parse) echo HEAD;; status) ;;", None),
    "no state": (f"rev-parse) echo {COMMIT};; status) exit 128;;", None),
}


@pytest.mark.parametrize("name", GITS)
def test_what_git_says_is_taken_and_nothing_else(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, expected = GITS[name]
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text(
        f'#!/bin/sh\nwhile [ "$1" = -c ]; do shift 2; done\ncase "$1" in {answers} esac\n',
        encoding="utf-8",
    )
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}:/usr/bin:/bin")
    assert workspace_of(tmp_path / "p.yaml") == expected


def test_without_git_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert workspace_of(tmp_path / "p.yaml") is None
