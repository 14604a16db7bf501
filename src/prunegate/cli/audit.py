"""``prunegate audit``: the tamper-evident log of decisions.

Its commands are imported when they are asked for: a further one is a line in ``COMMANDS``.
"""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "keygen": "audit_keygen:command",
    "init": "audit_write:init",
    "log": "audit_read:log",
    "show": "audit_read:show",
    "seal": "audit_write:seal",
    "verify": "audit_read:verify",
    "prove": "audit_read:prove",
    "export": "audit_export:command",
    "enrol": "audit_enrol:command",
    "revoke": "audit_revoke:command",
    "replay": "audit_replay:command",
    "schema": "audit_schema:command",
}
"""Every command by name, and the module of this package and the name in it, in order of --help."""


class AuditGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order that a newcomer needs them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(f"prunegate.cli.{module}"), name)
        assert isinstance(command, click.Command)  # noqa: S101  # our own modules
        return command


@click.group(
    "audit",
    cls=AuditGroup,
    short_help="The tamper-evident log of decisions.",
    epilog="Example: prunegate audit verify --audit audit",
)
def command() -> None:
    """Keep, seal, check and prove the log of decisions.

    Exit codes: 0 done, 2 bad input, 6 the log does not verify.
    """
