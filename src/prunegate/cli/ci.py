"""CI servers: which one runs this, and what it is told beside the files of every verdict."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from prunegate.audit.record import DecisionRecord

AUTO, GITHUB, GITLAB, NONE = "auto", "github", "gitlab", "none"


def ci_server(asked: str) -> str:
    """The server that was asked for; ``auto``: the one whose environment this is."""
    if asked != AUTO:
        return asked
    if os.environ.get("GITHUB_ACTIONS"):
        return GITHUB
    return GITLAB if os.environ.get("GITLAB_CI") else NONE


def in_repository(policy: Path | None) -> str:
    """A policy's path for people and servers: never an absolute one, which names a machine."""
    if policy is None:
        return ""
    return policy.name if policy.is_absolute() or ".." in policy.parts else policy.as_posix()


def write_ci_files(record: DecisionRecord, folder: Path, asked: str, policy: Path | None) -> None:
    """Add GitLab's reports to a folder of outputs, where GitLab is the server.

    Raises:
        InputError: the folder cannot be written.
    """
    if ci_server(asked) != GITLAB:
        return
    from prunegate.io.atomic import write_whole
    from prunegate.outputs import gitlab

    quality = gitlab.render_code_quality(record, in_repository(policy))
    write_whole(folder / gitlab.METRICS_FILE, gitlab.render_metrics(record).encode())
    write_whole(folder / gitlab.QUALITY_FILE, quality.encode())


def tell_github(record: DecisionRecord, folder: Path, asked: str, policy: Path | None) -> None:
    """Annotate a GitHub run and add the summary to its page; on stderr, as stdout is the user's.

    Raises:
        InputError: the page cannot be written.
    """
    if ci_server(asked) != GITHUB:
        return
    from prunegate.outputs.github import github_annotations

    for line in github_annotations(record, in_repository(policy)):
        click.echo(line, err=True)
    _to_step_summary((folder / "summary.md").read_text(encoding="utf-8"))


def tell_github_of_failure(name: str, reason: str, asked: str) -> None:
    """Say on a GitHub run that nothing was judged, and why."""
    if ci_server(asked) != GITHUB:
        return
    from prunegate.outputs.github import failure_annotation
    from prunegate.outputs.nothing_judged import render_nothing_judged

    click.echo(failure_annotation(reason), err=True)
    _to_step_summary(render_nothing_judged(name, reason))


def _to_step_summary(text: str) -> None:
    from prunegate.outputs.github import append_step_summary

    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        append_step_summary(Path(path), text)
