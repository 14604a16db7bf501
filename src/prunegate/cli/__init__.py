"""The command line: commands parse, call, print and exit; everything else is the library's.

Each command is one file and is imported only when it is needed, so that ``--help`` stays light.
The exit codes are a contract: 0 approve, 1 internal error, 2 usage or bad input, 3 reject,
4 inconclusive, 5 approvals missing, 6 evidence that does not verify.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from operator import attrgetter
from typing import Any

import click

from prunegate._version import __version__
from prunegate.errors import Ended, InputError, InternalError, PrunegateError
from prunegate.registry import Registry

_NO_THREAD = "can't start new thread"
"""What Python says where the system gives no thread; it has no class of its own."""
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)


@dataclass(frozen=True, kw_only=True)
class LazyCommand:
    """One command, not imported yet."""

    name: str
    module: str
    """The module that holds it, in full."""
    attribute: str = "command"
    """What it is called there."""
    brief: str = ""
    """Its line in the group's help; empty: the command is imported and asked."""

    def load(self) -> click.Command:
        """Import it."""
        found = getattr(import_module(self.module), self.attribute)
        if not isinstance(found, click.Command):
            raise InternalError(f"{self.module}:{self.attribute} is no command of click")
        return found


def lazy_commands(places: Mapping[str, str]) -> Registry[LazyCommand]:
    """Commands of this package, in the order that a newcomer needs them.

    Args:
        places: by name, the module of this package that holds it as ``command``, or
            ``module:name``.
    """
    found = ((name, *place.partition(":")) for name, place in places.items())
    return Registry(
        "command",
        attrgetter("name"),
        (
            LazyCommand(name=name, module=f"{__name__}.{module}", attribute=other or "command")
            for name, module, _, other in found
        ),
    )


_ORDER = (
    "demo",
    "run",
    "search",
    "compress",
    "importance",
    "measure",
    "predict",
    "edge",
    "label",
    "gate",
    "sql",
    "check",
    "plan",
    "cost",
    "discover",
    "claims",
    "report",
    "verify",
    "approve",
    "waive",
    "status",
    "policy",
    "audit",
)
COMMANDS = lazy_commands({name: name for name in _ORDER})
"""Every command by name, in the order of --help; a program of its own adds further ones."""


class _Unread(Exception):  # noqa: N818  # as BrokenPipeError, which click would take for its own
    """Nobody reads what we print."""


@contextmanager
def _unread() -> Iterator[None]:
    """Keep a closed pipe from click, which ends with its own exit code for it."""
    try:
        yield
    except BrokenPipeError as error:
        raise _Unread from error


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for.

    Args:
        lazy: every command by name, in the order that a newcomer needs them.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, LazyCommand], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._lazy = lazy

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        """Read what was typed; some options print at once."""
        with _unread():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Carry out the command."""
        with _unread():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order that a newcomer needs them."""
        del ctx
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command's module and return the command."""
        del ctx
        return self._lazy[cmd_name].load() if cmd_name in self._lazy else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command; those that brought theirs are not imported for it."""
        del ctx
        limit = formatter.width - 6 - max(map(len, self._lazy))
        rows = [
            (name, lazy.brief or lazy.load().get_short_help_str(limit))
            for name, lazy in self._lazy.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


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
    _open_standard_streams()
    asked = _end_politely()
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = _ended(signal.SIGINT)
    except Ended as error:
        code = _ended(error.signal)
    except Exception as error:  # the last line of defence: never a traceback at a client
        # a library that is stopped by a signal says so by an error of its own
        code = _ended(signal.Signals(asked[0])) if asked else _failed(error)
    if asked:
        signal.setitimer(signal.ITIMER_REAL, 0)
    sys.exit(code if isinstance(code, int) else 0)


def _ended(by: signal.Signals) -> int:
    """Say that we were asked to end, and return the exit code."""
    told = "aborted" if by is signal.SIGINT else f"ended by {by.name}"
    _say(f"{told}; nothing half-written was left")
    return 128 + by


def _failed(error: Exception) -> int:
    """Say what went wrong, and return the exit code."""
    match error:
        case click.ClickException():
            return _usage(error)
        case PrunegateError():
            return _refused(error)
        case _Unread():
            _drop_output()
            return 128 + signal.SIGPIPE
        case OSError() if _is_lost_output(error):
            _drop_output()
            _say(f"error: standard output cannot be written ({error.strerror}); free some space")
            return InputError.exit_code
    if told := _lacking(error):
        _say(f"error: {told}, or judge less")
        return InternalError.exit_code
    return _internal(error)


def _lacking(error: Exception) -> str:
    """What the machine does not give us, and who may allow it; empty: it is something else."""
    if isinstance(error, MemoryError):
        return "memory ended; allow more (ulimit -v, the container's limit)"
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return "no thread can be started; allow more (ulimit -u, ulimit -v)"
    return ""


_AGAIN_S = 1.0


def _end_politely() -> list[int]:
    """Let a signal that would end us unwind what is being made: Ctrl-C, and what ends a job.

    A library that is in the midst of something may swallow what is raised there, so it is raised
    again every ``_AGAIN_S`` seconds unless it is on its way. What cleans up is not interrupted.

    Returns:
        The signals that came, as they come.
    """
    asked: list[int] = []

    def end(number: int, _: object) -> None:
        asked.append(number)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S, _AGAIN_S)
        if not _is_ending(sys.exc_info()[1]):
            raise KeyboardInterrupt if asked[0] == signal.SIGINT else Ended(asked[0])

    for sent in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(sent) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(sent, end)
            signal.signal(signal.SIGALRM, end)
    return asked


def _is_ending(handled: BaseException | None) -> bool:
    """Whether what is handled just now came of being asked to end."""
    while handled is not None and not isinstance(handled, Ended | KeyboardInterrupt):
        handled = handled.__context__
    return handled is not None


def _open_standard_streams() -> None:
    """Where one was closed before we began, write to nowhere: no file may take its place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            while (opened := os.open(os.devnull, os.O_RDWR)) < number:
                pass
            setattr(sys, name, os.fdopen(opened, "w" if number else "r", encoding="utf-8"))


def tell_error(error: PrunegateError) -> None:
    """Say on stderr what is wrong."""
    _say(f"error: {_inert(str(error))}")


def _usage(error: click.ClickException) -> int:
    """Show a message of click's and return the exit code; what was typed is made harmless."""
    from prunegate.text.escape import escaped

    error.show(shown := StringIO())
    message = shown.getvalue()
    for argument in sys.argv[1:]:
        if not argument.isprintable():
            message = message.replace(argument, escaped(argument))
    _say(message.removesuffix("\n"))
    return InputError.exit_code


def _refused(error: PrunegateError) -> int:
    """Say what is wrong, and return the exit code."""
    if error.exit_code == InternalError.exit_code and _undecodable():
        return InputError.exit_code
    tell_error(error)
    return error.exit_code


def _undecodable() -> bool:
    """Whether an argument is no text, which is then said; names of files may be any bytes."""
    found = next((arg for arg in sys.argv[1:] if not _is_text(arg)), None)
    if found is not None:
        _say(f"error: the argument {_inert(found)} is not UTF-8; write it in UTF-8")
    return found is not None


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _internal(error: Exception) -> int:
    """Own up to a mistake of ours, and return the exit code."""
    if os.environ.get("PRUNEGATE_DEBUG"):
        raise error
    if _undecodable():
        return InputError.exit_code
    _say(f"internal error: {type(error).__name__}: {_inert(str(error))}")
    _say("this is a mistake in prunegate; PRUNEGATE_DEBUG=1 shows where, please report it")
    return InternalError.exit_code


def _is_lost_output(error: OSError) -> bool:
    """Whether standard output took no more.

    An error of a file names it, and is turned into bad input where the file is written.
    """
    return error.filename is None and error.errno in _OUTPUT_ERRORS


def _drop_output() -> None:
    """Send what is left for standard output to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _inert(message: str) -> str:
    """The message with names from other people's files made harmless, line by line.

    No line begins as a command to GitHub (``::error``) or Azure (``##[error]``) does.
    """
    from prunegate.text.escape import escaped, no_command

    return "\n".join(no_command(escaped(line)) for line in message.split("\n"))


def _say(message: str) -> None:
    """Say something on stderr; where that takes nothing, the exit code has to do."""
    with suppress(OSError):
        click.echo(message, err=True)
