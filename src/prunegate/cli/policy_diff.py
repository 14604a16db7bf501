"""``prunegate policy diff``: how the bar moved between two policy files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.options import (
    PATH,
    audit_option_of,
    color_option,
    echo_color,
    json_option,
    may_color,
    painted,
)
from prunegate.cli.printed_json import echo_json
from prunegate.errors import InputError, PolicyError

if TYPE_CHECKING:
    from prunegate.policy.change import Change
    from prunegate.policy.load import PolicyFile

COLORS = {"loosened": "red", "tightened": "green", "neutral": "blue"}
LOOSENED = 3
"""Exit code: the bar was lowered, and nobody said why."""


@click.command(
    "diff",
    short_help="Say how the bar moved from one policy to another.",
    epilog="Example: prunegate policy diff main.yaml policy.yaml --fail-on loosened",
)
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option(
    "--fail-on", type=click.Choice(["loosened"]), help="Exit 3 where the bar was loosened."
)
@click.option("--reason", help="Why it is loosened: logged, and then the exit code is 0.")
@audit_option_of("Folder of the audit trail; the reason is put under pending/ there.")
@json_option("Print the changes on stdout as JSON.")
@color_option
def command(  # noqa: PLR0913  # one argument per option
    *,
    old: Path,
    new: Path,
    fail_on: str | None,
    reason: str | None,
    audit: Path,
    as_json: bool,
    no_color: bool,
) -> int:
    """Name every change from OLD to NEW as loosened, tightened or neutral.

    Loosened: a candidate may pass now that did not pass before, or that cannot be told.

    \b
    Exit codes: 0, or with --fail-on loosened and no --reason 3 if the bar was loosened;
    2 bad input.
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.policy.diff import diff, loosened

    reason = _usable(reason, fail_on)
    files = _both(old, new)
    changes = diff(files[0].policy, files[1].policy)
    entry = None
    if reason is not None and loosened(changes):
        from prunegate.audit.loosening import add_loosening

        entry = add_loosening(files, changes, reason, audit)
    failed = bool(fail_on and reason is None and loosened(changes))
    code = LOOSENED if failed else 0
    if as_json:
        document = {**_document(files, changes), "entry": entry and str(entry), "exit_code": code}
        echo_json(document)
    else:
        lines = "\n".join(_lines(changes, color=may_color(no_color)))
        click.echo(lines, color=echo_color(may_color(no_color)))
    _say_what_follows(failed=failed, entry=entry, unused=reason is not None and entry is None)
    return code


def _usable(reason: str | None, fail_on: str | None) -> str | None:
    """The reason without blanks around it.

    Raises:
        InputError: it says nothing, is too long for an entry, or is not asked for.
    """
    from prunegate.audit.loosening import LONGEST_REASON

    if reason is None:
        return None
    if fail_on is None:
        raise InputError("--reason answers --fail-on loosened; give both, or neither")
    said = reason.strip()
    if not said:
        raise InputError("--reason says nothing; write in a sentence why the bar is loosened")
    if len(said) > LONGEST_REASON:
        raise InputError(
            f"--reason has {len(said):,} characters; keep it under {LONGEST_REASON:,} and point to "
            "the rest"
        )
    return said


def _both(old: Path, new: Path) -> tuple[PolicyFile, PolicyFile]:
    """Both files, or every mistake in either of them."""
    from prunegate.policy.load import read_policy

    files: list[PolicyFile] = []
    mistakes: list[str] = []
    for path in (old, new):
        try:
            files.append(read_policy(path))
        except PolicyError as error:
            mistakes += error.mistakes
        except InputError as error:
            mistakes.append(str(error))
    if mistakes:
        raise PolicyError(list(dict.fromkeys(mistakes)))
    return files[0], files[1]


def _document(files: Sequence[PolicyFile], changes: Sequence[Change]) -> dict[str, Any]:
    from prunegate.audit.canonical import plain_json
    from prunegate.policy.diff_words import change_sentence

    old, new = ({"file": str(file.path), "sha256": file.sha256} for file in files)
    told = [{**plain_json(change), "sentence": change_sentence(change)} for change in changes]
    return {"old": old, "new": new, "changes": told}


def _lines(changes: Sequence[Change], *, color: bool) -> Iterator[str]:
    from prunegate.policy.change import KINDS
    from prunegate.policy.diff_words import change_sentence

    if not changes:
        yield "no difference: the two policies demand the same in the same words"
        return
    groups = {kind: [c for c in changes if c.kind == kind] for kind in KINDS}
    yield ", ".join(f"{len(group)} {kind}" for kind, group in groups.items())
    for kind, group in groups.items():
        if group:
            yield ""
            yield painted(kind.upper(), COLORS[kind], color=color)
        yield from (f"  {change_sentence(change)}" for change in group)


def _say_what_follows(*, failed: bool, entry: Path | None, unused: bool) -> None:
    if failed:
        click.echo("the bar was loosened: give --reason 'WHY', which is logged", err=True)
    if entry is not None:
        click.echo(f"the reason is pending in the audit trail, unsigned: {entry}", err=True)
    if unused:
        click.echo("nothing was loosened, so the reason was not logged", err=True)
