"""``prunegate claims``: check stated figures against arithmetic, the architecture and a record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunegate.cli.options import (
    PATH,
    color_option,
    echo_color,
    json_option,
    may_color,
    painted,
    quiet_option,
)
from prunegate.cli.printed_json import echo_json

if TYPE_CHECKING:
    from prunegate.claims.checked import Claims

MARKS = {"right": "ok", "contradicted": "NO", "not checked": "--"}
COLORS = {"right": "green", "contradicted": "red", "not checked": "yellow"}


@click.command("claims", short_help="Check stated figures.")
@click.argument("file", type=PATH)
@click.option(
    "--record",
    type=PATH,
    help="record.json of a verdict: the figures are held against what it measured, too.",
)
@json_option("Print every check on stdout as JSON.")
@quiet_option("Print contradictions only.")
@color_option
def command(*, file: Path, record: Path | None, as_json: bool, quiet: bool, no_color: bool) -> int:
    """Check the figures stated in FILE: against each other, the architecture and a record.

    A figure is right if some value that rounds to its digits fits. No model is loaded.

    \b
    Exit codes: 0 all that was checked is right, 3 contradictions, 4 nothing could be checked,
    2 bad input.

    \b
    Example:
      prunegate claims policies/brand-safety-vit.claims.yaml
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.claims.check import check_claims
    from prunegate.policy.load_claims import read_claims

    source = read_claims(file)
    measured = None
    if record is not None:
        from prunegate.audit.measured_values import measured_in
        from prunegate.audit.read import read_record

        found, digest = read_record(record)
        measured = measured_in(found)
    claims = check_claims(source.stated, measured)
    if as_json:
        from prunegate.audit.canonical import plain_json

        held = {"record": digest if record is not None else None, "sha256": source.sha256}
        document = {**held, **plain_json(claims), "exit_code": claims.exit_code}
        echo_json(document)
    else:
        lines = "\n".join(_lines(claims, quiet=quiet, color=may_color(no_color)))
        click.echo(lines, color=echo_color(may_color(no_color)))
    return claims.exit_code


def _lines(claims: Claims, *, quiet: bool, color: bool) -> Iterator[str]:
    from prunegate.text.escape import escaped

    yield _headline(claims)
    if claims.about and not quiet:
        yield f"  {escaped(claims.about)}"
    for one in claims.checks:
        if quiet and one.status != "contradicted":
            continue
        mark = painted(MARKS[one.status], COLORS[one.status], color=color)
        yield f"  {mark}  {escaped(one.figure)}: {escaped(one.sum)}"


def _headline(claims: Claims) -> str:
    tally = {status: sum(c.status == status for c in claims.checks) for status in MARKS}
    wrong, right, silent = tally["contradicted"], tally["right"], tally["not checked"]
    rest = f"{right} right, {silent} not checked"
    if wrong:
        return f"{wrong} {'contradiction' if wrong == 1 else 'contradictions'}; {rest}"
    return f"no contradiction; {rest}" if right else f"nothing could be checked ({silent} figures)"
