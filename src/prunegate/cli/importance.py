"""``prunegate importance``: what each head, neuron, filter or layer is worth, unit by unit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.options import (
    ConsoleOptions,
    device_option,
    force_option,
    pickle_option,
    policy_argument,
    progress_options,
    seed_option,
    tell_of_pickles,
)
from prunegate.cli.threads import patient_threads
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.text.escape import escaped
from prunegate.text.numbers import significant

if TYPE_CHECKING:
    from prunegate.compress.unit_table import UnitRow

LISTED = 200
"""Kinds with more units are told layer by layer; the file lists every one."""


@click.command("importance", cls=PathsApart, short_help="Rank every head, neuron, filter or layer.")
@policy_argument
@click.option(
    "-o",
    "--out",
    type=WRITTEN,
    help="CSV file to write [default: reports/<policy name>/importance.csv].",
)
@force_option
@seed_option
@device_option
@pickle_option
@progress_options
def command(
    *,
    policy: Path,
    out: Path | None,
    force: bool,
    said: ConsoleOptions,
    **settings: Any,
) -> int:
    """Rank the units of the baseline by each prune step of POLICY; nothing is removed.

    Prints each unit's share of its layer's importance, its rank, and whether the step would keep
    it, and writes the same as CSV. Every step is ranked on the baseline as it is: in a recipe of
    several steps, later ones are ranked anew on what earlier ones left.

    \b
    Example:
      prunegate importance policies/my-classifier.yaml -o importance.csv
    """  # noqa: D301  # click's mark is the character itself
    patient_threads()
    from prunegate.cli.console import progress
    from prunegate.io.atomic import require_new, write_whole
    from prunegate.policy.load import read_policy

    source = read_policy(policy)
    target = out or Path("reports") / source.policy.name / "importance.csv"
    require_new(target, force=force)

    from prunegate.compress.unit_table import to_csv
    from prunegate.pipeline.context import Settings, set_up  # torch, once all that is right
    from prunegate.pipeline.rank import rankings

    with progress(said) as report:
        bench = set_up(source, Settings(progress=report, **settings))
        rows = rankings(bench)
    tell_of_pickles(source.weight_places(), allowed=settings["pickles"])
    write_whole(target, to_csv(rows).encode())
    if not said.quiet:
        for line in _told(rows):
            click.echo(line)
        click.echo(f"every unit: {escaped(str(target))}")
    return 0


def _told(rows: Sequence[UnitRow]) -> list[str]:
    lines = []
    for step in sorted({row.step for row in rows}):
        of_step = [row for row in rows if row.step == step]
        first, staying = of_step[0], sum(row.kept for row in of_step)
        lines.append(
            f"step {step}: {len(of_step):,} {first.kind} ranked by {first.criterion}, "
            f"{staying:,} would stay"
        )
        lines += _each(of_step) if len(of_step) <= LISTED else _by_layer(of_step)
    return lines


def _each(rows: Sequence[UnitRow]) -> list[str]:
    heading = f"  {'layer':>5}  {'unit':>5}  {'share':>9}  {'rank':>5}  kept"
    return [heading] + [
        f"  {row.layer:>5}  {row.unit:>5}  {_percent(row.share):>9}  {row.rank:>5}  "
        f"{'yes' if row.kept else 'no'}"
        for row in rows
    ]


def _by_layer(rows: Sequence[UnitRow]) -> list[str]:
    lines = [f"  {'layer':>5}  {'units':>6}  {'kept':>6}  {'least':>9}  {'most':>9}"]
    for layer in sorted({row.layer for row in rows}):
        inside = [row for row in rows if row.layer == layer]
        shares = [row.share for row in inside]
        lines.append(
            f"  {layer:>5}  {len(inside):>6,}  {sum(row.kept for row in inside):>6,}  "
            f"{_percent(min(shares)):>9}  {_percent(max(shares)):>9}"
        )
    return lines


def _percent(share: float) -> str:
    """A share of all units' worth; of thousands of units most are far below one per cent."""
    return f"{significant(100 * share)} %"
