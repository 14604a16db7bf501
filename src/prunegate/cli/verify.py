"""``prunegate verify``: what holds of a report, a record or a bundle, checked from itself alone."""

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
    from prunegate.audit.verification_report import Verification

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
@click.argument("file", type=PATH)
@click.option(
    "--require",
    callback=_names,
    metavar="NAMES",
    help="signature, log, approvals, joined by commas: exit 6 where they are missing.",
)
@click.option(
    "--key",
    type=PATH,
    multiple=True,
    help="Of a bundle: a public key that decides, as you know it.",
)
@click.option(
    "--log-key", multiple=True, help="Of a bundle: the log's verifier key, as you know it."
)
@click.option("--checkpoint", type=PATH, help="Of a bundle: an older checkpoint that you kept.")
@click.option("--allowed-signers", type=PATH, help="Of a bundle: who may approve, as you know it.")
@json_option("Print every check on stdout as JSON.")
@quiet_option("Print only what does not hold.")
@color_option
def command(  # noqa: PLR0913  # one argument per option
    *,
    file: Path,
    require: tuple[str, ...],
    key: tuple[Path, ...],
    log_key: tuple[str, ...],
    checkpoint: Path | None,
    allowed_signers: Path | None,
    as_json: bool,
    quiet: bool,
    no_color: bool,
) -> int:
    """Check FILE, a report.html, a record.json or a bundle: was it changed, does it follow?

    The verdict is worked out again from the record's own policy and tallies; a page is made again
    from the record that it carries and compared byte for byte. No model is loaded, nothing is sent.

    \b
    Exit codes: 0 all that is there holds, 6 something does not, 2 bad input.

    \b
    Example:
      prunegate verify reports/my-policy/1f2e3d4c5b6a/report.html
      prunegate verify decision.zip --key gate.key.pub --require signature,log
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.canonical import plain_json

    found = _verified(file, key, log_key, checkpoint, allowed_signers).requiring(require)
    if as_json:
        document = {"file": file.name, **plain_json(found), "exit_code": found.exit_code}
        echo_json(document)
        return found.exit_code
    lines = "\n".join(_lines(file, found, quiet=quiet, color=may_color(no_color)))
    if lines:
        click.echo(lines, color=echo_color(may_color(no_color)))
    return found.exit_code


def _verified(
    file: Path,
    keys: tuple[Path, ...],
    log_keys: tuple[str, ...],
    checkpoint: Path | None,
    signers: Path | None,
) -> Verification:
    """A bundle with what the reader knows of it, or one file."""
    if not file.is_dir() and file.suffix != ".zip":
        from prunegate.cli.approve import refuse_unused
        from prunegate.report.verify_page import verify_file

        told = {"--key": keys, "--log-key": log_keys, "--checkpoint": checkpoint}
        told["--allowed-signers"] = signers
        refuse_unused({name: "a bundle (folder or .zip)" for name, given in told.items() if given})
        return verify_file(file)
    from prunegate.audit.bundle.verify import Trusted
    from prunegate.audit.log.note import parse_vkey
    from prunegate.audit.log.trust_policy import Party
    from prunegate.audit.read import read_bytes
    from prunegate.audit.signing.keys import read_public_key
    from prunegate.report.verify_bundle import verify_bundle

    parties = [parse_vkey(text) for text in log_keys]
    trusted = Trusted(
        keys=tuple(map(read_public_key, keys)),
        logs=tuple(Party(name=key.name, key=key) for key in parties),
        signers=read_bytes(signers, "an allowed_signers file") if signers else None,
        older=read_bytes(checkpoint, "a checkpoint") if checkpoint else None,
    )
    return verify_bundle(file, trusted)


def _lines(file: Path, found: Verification, *, quiet: bool, color: bool) -> Iterator[str]:
    from prunegate.text.escape import escaped

    word = "DOES NOT HOLD" if found.exit_code else "HOLDS"
    if not quiet or found.exit_code:
        yield f"{word}  {escaped(file.name)}"
    for check in found.checks:
        if quiet and check.status != "broken":
            continue
        mark = painted(MARKS[check.status], COLORS[check.status], color=color)
        yield f"  {mark}  {check.name}: {escaped(check.detail)}"
