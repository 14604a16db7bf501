"""Options that several commands share, so that they are spelled and explained once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce, wraps
from pathlib import Path
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
PATH = click.Path(path_type=Path)
AUDIT = Path("audit")
"""The audit folder, where no other is named."""


def several_options(*options: Decorator) -> Decorator:
    """Several options as one decorator; ``--help`` lists them in this order."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        return reduce(lambda made, option: option(made), reversed(options), function)

    return add


def gathered(kind: type[Any], name: str, *options: Decorator) -> Decorator:
    """Several options whose values a command gets as one object.

    Args:
        kind: a dataclass with one field for each of them.
        name: what the command calls the object.
        options: in the order in which ``--help`` lists them.
    """

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(**arguments: Any) -> Any:
            given = {field: arguments.pop(field) for field in kind.__dataclass_fields__}
            return function(**{name: kind(**given)}, **arguments)

        return several_options(*options)(command)

    return add


def painted(word: str, hue: str, *, color: bool) -> str:
    """A word in bold and in a hue, where it may be coloured."""
    return click.style(word, fg=hue, bold=True) if color else word


@dataclass(frozen=True, kw_only=True)
class ConsoleOptions:
    """How much is said on the way."""

    quiet: bool
    color: bool
    """Whether words may be coloured, where that can be seen."""


def may_color(no_color: bool) -> bool:
    """Whether anything may be coloured: not with ``--no-color``, nor where ``NO_COLOR`` is set."""
    return not no_color and not os.environ.get("NO_COLOR")


def echo_color(may: bool) -> bool | None:
    """Colour as click takes it: never, always (``FORCE_COLOR``), or None: on a terminal."""
    if not may:
        return False
    return True if os.environ.get("FORCE_COLOR") else None


policy_argument = click.argument("policy", type=PATH)
color_option = click.option("--no-color", is_flag=True, help="Plain text.")
force_option = click.option("--force", is_flag=True, help="Replace a file that is there.")


def json_option(told: str) -> Decorator:
    """``--json``, with what it prints."""
    return click.option("--json", "as_json", is_flag=True, help=told)


def quiet_option(told: str = "Say nothing.") -> Decorator:
    """``-q``, with what is left to say."""
    return click.option("-q", "--quiet", is_flag=True, help=told)


def progress_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add -q and --no-color; the command gets one ``ConsoleOptions``."""

    @quiet_option("No progress, no summary.")
    @color_option
    @wraps(function)
    def command(*, quiet: bool, no_color: bool, **arguments: Any) -> Any:
        return function(said=ConsoleOptions(quiet=quiet, color=may_color(no_color)), **arguments)

    return command


def audit_option_of(told: str) -> Decorator:
    """``--audit``, with what becomes of the folder."""
    return click.option("--audit", type=PATH, default=AUDIT, show_default=True, help=told)


audit_option = audit_option_of("The audit folder.")
signers_option = click.option(
    "--allowed-signers", type=PATH, help="[default: allowed_signers of --audit]"
)
signature_option = click.option(
    "--signature", type=PATH, help="Bring in a .sig that 'ssh-keygen -Y sign' made."
)
expires_option = click.option(
    "--expires", default="", help="UTC day (through its end) or time: 2026-12-31."
)


def seed_option_of(what: str) -> Decorator:
    """``--seed``, with what is drawn by it."""
    return click.option(
        "--seed",
        type=click.IntRange(min=0, max=2**31 - 1),
        default=0,
        show_default=True,
        help=f"Seed of {what}.",
    )


seed_option = seed_option_of("everything random; the same seed gives the same candidate")
device_option = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where the models run.",
)
pickle_option = click.option(
    "--allow-pickle-weights",
    "pickles",
    is_flag=True,
    help="Where a folder has no safetensors: have torch read tensors, and nothing else, of a "
    "pickle (pytorch_model.bin, .pt) that torch.save wrote.",
)


def tell_of_pickles(places: Iterable[Path | None], *, allowed: bool) -> None:
    """Say which weights are read from a pickle, where no record says it."""
    if not allowed:
        return
    from prunegate.models.refusals import pickles_read
    from prunegate.text.escape import escaped

    for place in filter(None, dict.fromkeys(places)):
        for name in pickles_read(place):
            told = f"warning: {place / name} is a pickle; torch reads its tensors and nothing else"
            click.echo(escaped(told), err=True)


batch_option = click.option(
    "--batch",
    type=click.IntRange(min=1, max=4096),
    default=1,
    show_default=True,
    help="Images or texts per timed call.",
)

runtime_option = click.option(
    "--runtime-from",
    type=PATH,
    help="For a browser: folder of the npm package onnxruntime-web, or node_modules [default: npm "
    "fetches it].",
)
making_options = several_options(
    seed_option,
    device_option,
    pickle_option,
    batch_option,
    click.option(
        "--seconds",
        type=click.IntRange(min=1, max=3600),
        default=10,
        show_default=True,
        help="About how long to time the two models, each time they are timed.",
    ),
    click.option(
        "--control/--no-control",
        default=True,
        show_default=True,
        help="Also make the unpruned control: the same fine-tuning with nothing removed.",
    ),
)
"""How a candidate is made, timed and compared, before it is judged."""


def refuse_filled(out: Path) -> None:
    """Refuse a folder for what is made that holds something already.

    Raises:
        InputError: it is there, and no empty folder.
    """
    from prunegate.errors import InputError

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists and is not an empty folder; choose another one")
