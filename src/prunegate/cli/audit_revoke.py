"""``prunegate audit revoke``: a key is trusted no more, from now on and for good."""

from __future__ import annotations

from pathlib import Path

import click

from prunegate.cli.options import audit_option, quiet_option


@click.command(
    "revoke",
    short_help="Trust a key no more.",
    epilog="Example: prunegate audit revoke --key ann.pub --reason 'laptop lost on 27 Nov'",
)
@click.option("--key", required=True, help="Her public key file, or its fingerprint (SHA256:...).")
@click.option("--reason", required=True, help="Why, in a sentence.")
@audit_option
@quiet_option()
def command(*, key: str, reason: str, audit: Path, quiet: bool) -> None:
    """Revoke a key: an entry in the audit trail, and the end of its lines in allowed_signers.

    No approval of that key counts any more, not even an earlier one. Its rejections stand.

    \b
    Exit codes: 0 revoked, 2 bad input, 6 the audit trail does not verify.
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.approvals.accept import utc_now
    from prunegate.audit.approvals.enrol import revoke
    from prunegate.audit.approvals.enrolments import Revocation, checked_text, fingerprint_of
    from prunegate.audit.log.entry import format_created
    from prunegate.audit.signing.keys import private_key_from

    now = utc_now()
    found = Revocation(
        created=format_created(now),
        fingerprint=fingerprint_of(key),
        reason=checked_text(reason, "--reason"),
    )
    entry = revoke(audit, found, private_key_from(None), now)
    if not quiet:
        click.echo(f"{found.fingerprint} is revoked: no approval of it counts any more")
        click.echo(f"  pending in the audit trail: {entry}")
