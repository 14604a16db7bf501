"""``prunegate audit init`` and ``seal``: begin a log, and take into it what is pending."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunegate.cli.options import PATH, audit_option, quiet_option
from prunegate.errors import InputError
from prunegate.text.escape import escaped

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = click.option(
    "--key", type=PATH, help="The log's Ed25519 private key; else PRUNEGATE_KEY holds it as PEM."
)


@click.command(
    "init",
    short_help="Begin a log.",
    epilog="Example: prunegate audit init --origin agency.example/brand-safety --key log.key",
)
@click.option(
    "--origin", required=True, help="Unique name of the log, customarily a URL without https://."
)
@click.option(
    "--signer",
    "signers",
    type=PATH,
    multiple=True,
    help="Public key whose signatures count under entries; may be given several times.",
)
@KEY
@audit_option
@quiet_option()
def init(
    *, origin: str, signers: tuple[Path, ...], key: Path | None, audit: Path, quiet: bool
) -> None:
    """Begin an empty log: its trust policy and a first signed checkpoint."""
    from prunegate.audit.log.seal import begin_log
    from prunegate.audit.signing.keys import read_public_key
    from prunegate.audit.signing.signers import add_signers

    log_key = _log_key(key)
    for file in signers:
        read_public_key(file)  # a wrong one is known before anything is made
    vkey = begin_log(audit, origin, log_key)
    add_signers(audit, signers)
    if not quiet:
        place, told = escaped(str(audit)), "its verifier key, for those who check it:"
        click.echo(f"{place}: the log {escaped(origin)} begins; {told}")
        click.echo(str(vkey))


@click.command(
    "seal",
    short_help="Take pending entries into the log.",
    epilog="Example: prunegate audit seal --key log.key",
)
@KEY
@audit_option
@quiet_option()
def seal(*, key: Path | None, audit: Path, quiet: bool) -> None:
    """Take every pending entry into the log and sign the new checkpoint; all or nothing."""
    from datetime import UTC, datetime

    from prunegate.audit.entry_forms import require_form
    from prunegate.audit.log.seal import seal_log
    from prunegate.audit.signing.signers import read_signers, signed_reader

    signers = read_signers(audit)
    done = seal_log(
        audit,
        _log_key(key),
        signed_reader(signers),
        datetime.now(UTC),
        take=signed_reader(signers, require_form),
    )
    for warning in done.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not quiet:
        known = f", {done.dropped} were in it already" if done.dropped else ""
        click.echo(
            f"{escaped(str(audit))}: {done.added} sealed{known}; the log has {done.checkpoint.size}"
        )


def _log_key(option: Path | None) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from prunegate.audit.signing.keys import private_key_from

    key = private_key_from(option)
    if key is None:
        raise InputError(
            "a log is signed: give its key (--key FILE, or PRUNEGATE_KEY); make one: prunegate"
            " audit keygen --kind ed25519 -o log.key"
        )
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(
            "a log's key is Ed25519, this one is not; make one: prunegate audit keygen --kind"
            " ed25519 -o log.key"
        )
    return key
