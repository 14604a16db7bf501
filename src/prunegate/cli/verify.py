"""``prunegate verify``: what holds of a report or a record, checked from itself alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from prunegate.audit.verification import Verification

MARKS = {"holds": "ok", "broken": "NO", "missing": "--", "not checked": "--"}
COLORS = {"holds": "green", "broken": "red", "missing": "yellow", "not checked": "yellow"}
REQUIRABLE = ("signature", "log", "approvals")


def _names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    names = tuple(part.strip() for part in value.split(",")) if value else ()
    for name in names:
        if name not in REQUIRABLE:
            raise click.BadParameter(f"'{name}' is none of {', '.join(REQUIRABLE)}")
    return names


@click.command("verify", short_help="Check a report or a record for changes.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--require",
    callback=_names,
    metavar="NAMES",
    help="signature, log, approvals, joined by commas: exit 6 where they are missing.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every check on stdout as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print only what does not hold.")
@click.option("--no-color", is_flag=True, help="Plain text.")
def command(
    *, file: Path, require: tuple[str, ...], as_json: bool, quiet: bool, no_color: bool
) -> int:
    """Check FILE, a report.html or a record.json: was anything in it changed, does it follow?

    The verdict is worked out again from the record's own policy and tallies; a page is made again
    from the record that it carries and compared byte for byte. No model is loaded, nothing is sent.

    \b
    Exit codes: 0 all that is there holds, 6 something does not, 2 bad input.

    \b
    Example:
      prunegate verify reports/my-policy/1f2e3d4c5b6a/report.html
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.canonical import plain
    from prunegate.report.verify import verify_file

    found = verify_file(file).requiring(require)
    if as_json:
        document = {"file": file.name, **plain(found), "exit_code": found.exit_code}
        click.echo(json.dumps(document, ensure_ascii=True, indent=2))
        return found.exit_code
    lines = "\n".join(_lines(file, found, quiet=quiet, color=not no_color))
    if lines:
        click.echo(lines, color=False if no_color else None)
    return found.exit_code


def _lines(file: Path, found: Verification, *, quiet: bool, color: bool) -> Iterator[str]:
    from prunegate.policy.wording import inert

    word = "DOES NOT HOLD" if found.exit_code else "HOLDS"
    if not quiet or found.exit_code:
        yield f"{word}  {inert(file.name)}"
    for check in found.checks:
        if quiet and check.status != "broken":
            continue
        mark = MARKS[check.status]
        mark = click.style(mark, fg=COLORS[check.status], bold=True) if color else mark
        yield f"  {mark}  {check.name}: {inert(check.detail)}"
