"""``prunegate discover``: undeclared slices that lost most; advice, never a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.options import json_option, policy_argument, quiet_option, seed_option_of
from prunegate.cli.printed_json import echo_json
from prunegate.cli.written_paths import READ_TABLES, PathsApart

if TYPE_CHECKING:
    from prunegate.discovery.discovered import Discovery


@click.command("discover", cls=PathsApart, short_help="Look for undeclared slices that lost most.")
@policy_argument
@click.option(
    "--predictions",
    type=READ_TABLES,
    required=True,
    multiple=True,
    help="CSV, Parquet or Arrow: a file or a glob; may be given several times.",
)
@click.option("--columns", required=True, help="Columns to slice by, with commas between.")
@click.option(
    "--depth",
    type=click.IntRange(min=1, max=3),
    default=3,
    show_default=True,
    help="Most columns in one slice.",
)
@click.option(
    "--support",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Fewest rows of a slice.",
)
@click.option(
    "--top",
    type=click.IntRange(min=1, max=1000),
    default=10,
    show_default=True,
    help="Most slices shown.",
)
@click.option(
    "--flips",
    type=click.IntRange(min=99, max=99_999),
    default=999,
    show_default=True,
    help="Sign flips that the worst slice is held against.",
)
@seed_option_of("the sign flips")
@json_option("Print what was found as JSON.")
@quiet_option("Only the table, without what to declare.")
def command(
    policy: Path,
    predictions: tuple[str, ...],
    columns: str,
    as_json: bool,
    quiet: bool,
    **request: Any,
) -> int:
    """Look for slices that POLICY does not declare and that lost most.

    Every value of the columns and every cross of them with enough rows is looked at. Finding
    something changes no verdict: declare it, and the next gate judges it. Exit code 0 whatever was
    found.

    \b
    Example:
      prunegate discover policies/brand-safety-vit.yaml \\
          --predictions predictions.parquet --columns content_type,region,season
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.canonical import plain_json
    from prunegate.discovery.discover import DiscoveryRequest, discover
    from prunegate.discovery.open_table import named_columns, open_for_discovery
    from prunegate.policy.load import load_policy

    loaded = load_policy(policy)
    wanted = named_columns(loaded, columns.split(","))
    table = open_for_discovery(loaded, list(predictions), wanted)
    found = discover(loaded, table, DiscoveryRequest(columns=wanted, **request))
    if as_json:
        echo_json(plain_json(found))
        return 0
    click.echo("\n".join(_lines(found)))
    if not quiet:
        click.echo("\n".join(_advice(found)))
    return 0


def _lines(found: Discovery) -> list[str]:
    from prunegate.report.discoveries import counted, discoveries_table

    rows = discoveries_table(found)
    if not rows:
        return [counted(found), "No undeclared slice lost clearly more than what is known already."]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [counted(found), "", *lines]


def _advice(found: Discovery) -> list[str]:
    """What to add to the policy for each slice that stands out."""
    from prunegate.text.escape import named

    out = [slice_ for slice_ in found.slices if slice_.stands_out]
    if not out:
        return ["", "None of it is beyond chance among so many slices; nothing to declare."]
    lines = ["", "* beyond chance among all slices looked at. Advice: it changes no verdict."]
    for one in out:
        if one.snippet is None:
            lines += ["", f"{named(one.name)}: a policy cannot name it; fill the missing values."]
        else:
            lines += [
                "",
                f"To declare {named(one.name)} for the next gate, add:",
                one.snippet.rstrip(),
            ]
    return lines
