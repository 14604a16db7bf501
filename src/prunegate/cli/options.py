"""Options that several commands share, so that they are spelled and explained once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from prunegate.audit.signing.keys import PrivateKey

FOLDER = click.Path(path_type=Path)
AUDIT = Path("audit")
"""The audit folder, where no other is named."""


@dataclass(frozen=True, kw_only=True)
class ConsoleOptions:
    """How much is said on the way."""

    quiet: bool
    color: bool


@dataclass(frozen=True, kw_only=True)
class Output(ConsoleOptions):
    """Where a verdict goes and how much is said on the way."""

    out: Path | None
    reports: Path
    audit: Path
    force: bool
    as_json: bool
    key: Path | None = None
    """The private key that signs the decision."""

    def signing_key(self) -> PrivateKey | None:
        """The key that was given, or ``PRUNEGATE_KEY``; None: the decision stays unsigned.

        Raises:
            InputError: it is no key that can sign.
        """
        from prunegate.audit.signing.keys import private_key_from

        return private_key_from(self.key)


def progress_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add -q and --no-color; the command gets one ``ConsoleOptions``."""

    @click.option("-q", "--quiet", is_flag=True, help="No progress, no summary.")
    @click.option("--no-color", is_flag=True, help="Plain text.")
    @wraps(function)
    def command(*, quiet: bool, no_color: bool, **arguments: Any) -> Any:
        return function(said=ConsoleOptions(quiet=quiet, color=not no_color), **arguments)

    return command


_OUTPUT = ("out", "audit", "key", "force", "as_json", "quiet")


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every verdict command has; the command gets one ``Output``."""

    @click.option(
        "--out",
        type=FOLDER,
        help="Output folder itself, new or empty [default: reports/<policy name>/<id>].",
    )
    @click.option(
        "--audit",
        type=FOLDER,
        default=AUDIT,
        show_default=True,
        help="Folder of the audit trail; the decision is put under pending/ there.",
    )
    @click.option(
        "--key",
        type=FOLDER,
        help="Private key that signs the decision [default: the environment's PRUNEGATE_KEY].",
    )
    @click.option("--force", is_flag=True, help="Write into an output folder that is not empty.")
    @click.option(
        "--json", "as_json", is_flag=True, help="Print the record on stdout, all else on stderr."
    )
    @click.option("-q", "--quiet", is_flag=True, help="No progress, only the verdict.")
    @click.option("--no-color", is_flag=True, help="Plain text.")
    @wraps(function)
    def command(**arguments: Any) -> Any:
        given = {name: arguments.pop(name) for name in _OUTPUT}
        color = not arguments.pop("no_color")
        output = Output(reports=Path("reports"), color=color, **given)
        return function(output=output, **arguments)

    return command


seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**31 - 1),
    default=0,
    show_default=True,
    help="Seed of everything random; the same seed gives the same candidate.",
)
device_option = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where the models run.",
)
batch_option = click.option(
    "--batch",
    type=click.IntRange(min=1, max=4096),
    default=1,
    show_default=True,
    help="Images or texts per timed call.",
)
