"""``prunegate audit``: the tamper-evident log of decisions.

Its commands are imported when they are asked for: a further one is a line in ``COMMANDS``.
"""

from __future__ import annotations

import click

from prunegate.cli import LazyGroup, lazy_commands

COMMANDS = lazy_commands(
    {
        "keygen": "audit_keygen",
        "init": "audit_write:init",
        "log": "audit_read:log",
        "show": "audit_read:show",
        "seal": "audit_write:seal",
        "verify": "audit_read:verify",
        "prove": "audit_read:prove",
        "export": "audit_export",
        "page": "audit_page",
        "enrol": "audit_enrol",
        "revoke": "audit_revoke",
        "sign-model": "audit_sign_model",
        "replay": "audit_replay",
        "schema": "audit_schema",
    }
)
"""Every command by name, and where it is: a module of this package, or a name in one."""


@click.group(
    "audit",
    cls=LazyGroup,
    lazy=COMMANDS,
    short_help="The tamper-evident log of decisions.",
    epilog="Example: prunegate audit verify --audit audit",
)
def command() -> None:
    """Keep, seal, check and prove the log of decisions.

    Exit codes: 0 done, 2 bad input, 6 the log does not verify.
    """
