"""``prunegate audit keygen``: a key for the gate, or for whoever approves."""

from __future__ import annotations

from pathlib import Path

import click

from prunegate.cli.options import quiet_option
from prunegate.cli.written_paths import WRITTEN
from prunegate.text.escape import escaped

KINDS = ("p256", "ed25519")


@click.command(
    "keygen",
    short_help="Make a key pair to sign with.",
    epilog="Example: prunegate audit keygen -o gate.key --comment 'CI of brand-safety'",
)
@click.option(
    "-o",
    "--out",
    "path",
    type=WRITTEN,
    required=True,
    metavar="FILE",
    help="Private key (mode 0600); the public key goes to FILE.pub. Nothing is overwritten.",
)
@click.option(
    "--kind",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="ECDSA P-256 or Ed25519. The log's own key is Ed25519.",
)
@click.option("--comment", default="", help="Whose key this is, for the OpenSSH line.")
@quiet_option()
def command(path: Path, *, kind: str, comment: str, quiet: bool) -> None:
    """Make a key pair: PEM files, and the public key as a line for allowed_signers.

    PRUNEGATE_KEY_PASSPHRASE, where it is set, encrypts the private key. Give the public key to
    whoever is to check signatures; the private key stays where it is, and out of version control.
    """
    import os

    from prunegate.audit.signing.keys import (
        PASSPHRASE_VARIABLE,
        generate,
        key_id,
        openssh_line,
        write_key_pair,
    )

    private = generate(kind)
    line = openssh_line(private.public_key(), comment)
    public = write_key_pair(private, path, os.environ.get(PASSPHRASE_VARIABLE))
    if not quiet:
        click.echo(f"{escaped(str(path))}: private key, keep it secret")
        click.echo(f"{escaped(str(public))}: public key, id {key_id(private.public_key())}")
        click.echo(line)
