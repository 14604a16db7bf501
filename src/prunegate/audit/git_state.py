"""Workspace: which git commit the policy was of, and whether its folder still looked like it.

Asks git and nothing else, for a bounded time. A repository may come from a stranger: what its own
configuration could make git run here (a file-system monitor, hooks, a pager) is switched off.
Neither a path nor an address of the repository is kept.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from prunegate.audit.record import Workspace

SECONDS = 5
"""How long git may take for each question; a huge folder is then said to be unknown."""
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_SAFE = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")


def workspace_of(path: Path) -> Workspace | None:
    """The state of the git working directory that a file lies in; None where there is none.

    Dirty are changed, added and removed files of the file's folder, and the file itself where git
    does not know it; other unknown files (reports, for example) are not.
    """
    folder = path.parent
    head = _git(folder, "rev-parse", "--verify", "HEAD")
    if head is None or not _COMMIT.fullmatch(head.strip()):
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
    itself = _git(folder, "status", "--porcelain", "--ignored", "--", path.name)
    if changed is None or itself is None:
        return None
    return Workspace(commit=head.strip(), dirty=bool(changed.strip() or itself.strip()))


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None where it is not there, refuses, or takes too long."""
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1", "LC_ALL": "C"}
    asked = {k: v for k, v in os.environ.items() if k not in ("GIT_DIR", "GIT_WORK_TREE")}
    try:
        done = subprocess.run(  # noqa: S603  # our own words; no shell
            ["git", *_SAFE, *arguments],  # noqa: S607  # the user's git, wherever it is
            cwd=folder,
            env={**asked, **quiet},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
