"""``prunegate audit export``: one decision with all its evidence, for whoever checks it."""

from __future__ import annotations

from pathlib import Path

import click

from prunegate.cli.options import PATH, audit_option, quiet_option
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.text.escape import escaped, shell_words


@click.command("export", cls=PathsApart, short_help="Bundle one decision with all its evidence.")
@click.argument("record", metavar="RECORD|DIGEST")
@click.option("-o", "--out", type=WRITTEN, required=True, help="A new folder, or a FILE.zip.")
@audit_option
@click.option("--against", type=PATH, help="An older checkpoint: prove that the log only grew.")
@click.option("--predictions", type=PATH, multiple=True, help="A file that was judged; put it in.")
@click.option("--key", type=PATH, multiple=True, help="A public key that signs decisions.")
@quiet_option()
def command(  # noqa: PLR0913  # one argument per option
    *,
    record: str,
    out: Path,
    audit: Path,
    against: Path | None,
    predictions: tuple[Path, ...],
    key: tuple[Path, ...],
    quiet: bool,
) -> None:
    """Write record, page, entries, proofs, checkpoint and keys of one decision to a bundle.

    The bundle holds verify_record.py, which checks it without prunegate. The same decision in the
    same log gives the same bytes.

    \b
    Example:
      prunegate audit export 1f2e3d4c5b6a -o decision.zip --key gate.key.pub
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.bundle.export import ExportRequest, export_bundle
    from prunegate.audit.bundle.layout import CHECKPOINT, write_bundle
    from prunegate.audit.log.durable_files import read_regular
    from prunegate.errors import InputError

    try:
        older = read_regular(against, 1_000_000) if against else None
    except FileNotFoundError as error:
        raise InputError(f"{against}: there is no such checkpoint") from error
    wanted = ExportRequest(against=older, predictions=predictions, keys=key)
    files = export_bundle(record, audit, wanted)
    write_bundle(files, out)
    if quiet:
        return
    click.echo(f"{escaped(str(out))}: {len(files)} files; check them: python {_verifier(out)}")
    if "decision.tlog-proof" not in files:
        state = "sealed" if CHECKPOINT in files else "in a log"
        click.echo(f"  the decision is not {state} yet: prunegate audit seal", err=True)


def _verifier(out: Path) -> str:
    verifier = "verify_record.py" if out.suffix == ".zip" else str(out / "verify_record.py")
    return shell_words([verifier, str(out)])
