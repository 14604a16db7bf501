"""``prunegate audit page``: the history of decisions as one page for people."""

from __future__ import annotations

from pathlib import Path

import click

from prunegate.cli.options import audit_option, force_option, quiet_option
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.text.escape import escaped


@click.command("page", cls=PathsApart, short_help="Write the history of decisions as one page.")
@click.option("-o", "--out", type=WRITTEN, required=True, help="The HTML file.")
@audit_option
@force_option
@quiet_option()
def command(*, out: Path, audit: Path, force: bool, quiet: bool) -> None:
    """Write what was decided, on whose word, and what was in force when, as one offline file.

    The folder is verified first: one that does not verify makes no page.

    \b
    Example:
      prunegate audit page -o trail.html
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.approvals.accept import utc_now
    from prunegate.audit.history_read import read_history
    from prunegate.errors import InputError
    from prunegate.io.atomic import PAGE, require_new, write_whole
    from prunegate.report.trail_render import render_trail

    if not audit.is_dir():
        raise InputError(
            f"{escaped(str(audit))}: there is no audit folder here; give it: --audit DIR"
        )
    require_new(out, force=force, kind=PAGE)
    page = render_trail(read_history(audit, utc_now()))
    write_whole(out, page.encode())
    if not quiet:
        click.echo(f"history: {escaped(str(out))}")
