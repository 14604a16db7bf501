"""The command line: commands parse, call, print and exit; everything else is the library's.

Each command is one file and is imported only when it is needed, so that ``--help`` stays light.
The exit codes are a contract: 0 approve, 1 internal error, 2 usage or bad input, 3 reject,
4 inconclusive, 5 approvals missing, 6 evidence that does not verify.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from prunegate import __version__
from prunegate.errors import PrunegateError

_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)
_COMMAND = re.compile(r"^(\s*)([:#])(?=:|#\[)")
"""How a line begins that a CI server obeys."""

COMMANDS = {
    "demo": "demo",
    "run": "run",
    "search": "search",
    "compress": "compress",
    "importance": "importance",
    "measure": "measure",
    "gate": "gate",
    "check": "check",
    "plan": "plan",
    "cost": "cost",
    "discover": "discover",
    "claims": "claims",
    "report": "report",
    "verify": "verify",
    "approve": "approve",
    "waive": "waive",
    "status": "status",
    "policy": "policy",
    "audit": "audit",
}
"""Every command by name, and the module of this package that holds it, in the order of --help."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for.

    Args:
        lazy: every command by name, in the order that a newcomer needs them: the module of this
            package that holds it as ``command``, or ``module:name``.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order that a newcomer needs them."""
        del ctx
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's module and return the command."""
        del ctx
        if cmd_name not in self._lazy:
            return None
        module, _, name = self._lazy[cmd_name].partition(":")
        command = getattr(import_module(f"prunegate.cli.{module}"), name or "command")
        assert isinstance(command, click.Command)  # noqa: S101  # our own modules
        return command


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="prunegate")
def cli() -> None:
    """The gate between a compressed neural network and production.

    prunegate prunes a candidate, judges it against its baseline on every content type, works out
    what it saves, and says approve, reject or inconclusive.

    \b
    Start here:
      prunegate demo                                   the whole way, offline
      prunegate policy new my.yaml                     write a policy
      prunegate gate my.yaml --predictions table.csv   judge

    \b
    Exit codes: 0 approve, 1 internal error, 2 bad input, 3 reject, 4 inconclusive,
    5 approvals missing, 6 evidence that does not verify.
    """  # noqa: D301  # click's mark is the character itself


def main() -> None:
    """Run the command line and exit with the contract's codes."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        _say("aborted; nothing half-written was left")
        code = 130
    except click.ClickException as error:
        error.show()
        code = 2
    except PrunegateError as error:
        _say(f"error: {_inert(str(error))}")
        code = error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except OSError as error:
        if not _lost_output(error):
            _internal(error)
            code = 1
        else:
            _say(f"error: standard output cannot be written ({error.strerror}); free some space")
            code = 2
    except Exception as error:  # the last line of defence: never a traceback at a client
        _internal(error)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _internal(error: Exception) -> None:
    """Own up to a mistake of ours."""
    if os.environ.get("PRUNEGATE_DEBUG"):
        raise error
    _say(f"internal error: {type(error).__name__}: {_inert(str(error))}")
    _say("this is a mistake in prunegate; PRUNEGATE_DEBUG=1 shows where, please report it")


def _lost_output(error: OSError) -> bool:
    """Whether standard output took no more; what is left for it is then dropped.

    An error of a file names it, and is turned into bad input where the file is written.
    """
    if error.filename is not None or error.errno not in _OUTPUT_ERRORS:
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _inert(message: str) -> str:
    """The message with names from other people's files made harmless, line by line.

    No line begins as a command to GitHub (``::error``) or Azure (``##[error]``) does.
    """
    from prunegate.text.escape import escaped

    lines = [escaped(line) for line in message.split("\n")]
    return "\n".join(_COMMAND.sub(_spelled_out, line) for line in lines)


def _spelled_out(start: re.Match[str]) -> str:
    return f"{start[1]}\\u{ord(start[2]):04x}"


def _say(message: str) -> None:
    click.echo(message, err=True)
