"""``prunegate audit enrol``: write down whose key is whose, and who made sure of it."""

from __future__ import annotations

from pathlib import Path

import click

from prunegate.cli.options import PATH, audit_option, quiet_option


@click.command(
    "enrol",
    short_help="Write down whose key is whose.",
    epilog="Example: prunegate audit enrol --person ann@client.example --organisation Client "
    "--role client --key ann.pub --by 'Kim, account lead' --channel 'video call, 27 Nov'",
)
@click.option("--person", required=True, help="Name or e-mail address of whose key it is.")
@click.option("--organisation", required=True, help="For whom she signs.")
@click.option("--role", required=True, help="A role of the policies; 'gate': the gate's own key.")
@click.option("--key", type=PATH, required=True, help="Her public key (the .pub file).")
@click.option("--by", required=True, help="Who says that the key is hers.")
@click.option("--channel", required=True, help="How that was made sure: a call, a letter.")
@click.option("--valid-until", default="", help="UTC day (through its end) or time.")
@audit_option
@quiet_option()
def command(  # noqa: PLR0913  # one argument per option
    *,
    person: str,
    organisation: str,
    role: str,
    key: Path,
    by: str,
    channel: str,
    valid_until: str,
    audit: Path,
    quiet: bool,
) -> None:
    """Enrol a key: an entry in the audit trail, and a line in its allowed_signers.

    PRUNEGATE_KEY, where it is set, signs the entry. The file is what 'ssh-keygen -Y verify' reads.

    \b
    Exit codes: 0 enrolled, 2 bad input, 6 the audit trail does not verify.
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.approvals.accept import utc_now
    from prunegate.audit.approvals.enrol import enrol
    from prunegate.audit.approvals.enrolments import (
        Enrolment,
        checked_role,
        checked_text,
        read_ssh_key,
    )
    from prunegate.audit.approvals.person import unmistakable_organisation, unmistakable_person
    from prunegate.audit.approvals.request import expiry
    from prunegate.audit.log.entry import format_created
    from prunegate.audit.signing.keys import private_key_from

    now = utc_now()
    found = Enrolment(
        created=format_created(now),
        person=unmistakable_person(person),
        organisation=unmistakable_organisation(checked_text(organisation, "--organisation")),
        role=checked_role(role),
        key=read_ssh_key(key),
        by=checked_text(by, "--by"),
        channel=checked_text(channel, "--channel"),
        valid_until=format_created(expiry(valid_until, "--valid-until")) if valid_until else None,
    )
    entry = enrol(audit, found, private_key_from(None), now)
    if not quiet:
        click.echo(f"{found.person} may sign as {found.role} with {found.fingerprint}")
        click.echo(f"  pending in the audit trail: {entry}")
