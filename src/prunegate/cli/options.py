"""Options that several commands share, so that they are spelled and explained once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path)


@dataclass(frozen=True, kw_only=True)
class Said:
    """How much is said on the way."""

    quiet: bool
    color: bool


@dataclass(frozen=True, kw_only=True)
class Output(Said):
    """Where a verdict goes and how much is said on the way."""

    out: Path | None
    reports: Path
    audit: Path
    force: bool
    as_json: bool


def progress_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add -q and --no-color; the command gets one ``Said``."""

    @click.option("-q", "--quiet", is_flag=True, help="No progress, no summary.")
    @click.option("--no-color", is_flag=True, help="Plain text.")
    @wraps(function)
    def command(*, quiet: bool, no_color: bool, **arguments: Any) -> Any:
        return function(said=Said(quiet=quiet, color=not no_color), **arguments)

    return command


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --out, --audit, --force, --json, -q and --no-color; the command gets one ``Output``."""

    @click.option(
        "--out",
        type=FOLDER,
        help="Output folder itself, new or empty [default: reports/<policy name>/<id>].",
    )
    @click.option(
        "--audit",
        type=FOLDER,
        default=Path("audit"),
        show_default=True,
        help="Folder of the audit trail; the record is put under pending/ there.",
    )
    @click.option("--force", is_flag=True, help="Write into an output folder that is not empty.")
    @click.option(
        "--json", "as_json", is_flag=True, help="Print the record on stdout, all else on stderr."
    )
    @click.option("-q", "--quiet", is_flag=True, help="No progress, only the verdict.")
    @click.option("--no-color", is_flag=True, help="Plain text.")
    @wraps(function)
    def command(  # one flag per option
        *,
        out: Path | None,
        audit: Path,
        force: bool,
        as_json: bool,
        quiet: bool,
        no_color: bool,
        **arguments: Any,
    ) -> Any:
        output = Output(
            out=out,
            reports=Path("reports"),
            audit=audit,
            force=force,
            as_json=as_json,
            quiet=quiet,
            color=not no_color,
        )
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
