"""``prunegate cost``: what both models cost month by month, and when the work is paid for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunegate.cli.options import PATH, force_option, json_option, policy_argument, quiet_option
from prunegate.cli.printed_json import echo_json
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.cost.measurement import Measurements
    from prunegate.cost.projection import Projection
    from prunegate.policy.cost import Cost
    from prunegate.policy.schema import Policy


@click.command("cost", cls=PathsApart, short_help="Project what both models cost, month by month.")
@policy_argument
@click.option(
    "--measurements",
    type=PATH,
    help="measurements.json, where the cost leans on it: instances, or a price to be scaled.",
)
@click.option(
    "--explain", metavar="MONTH", help="The bill of one month, line by line: 2027-03, or 4."
)
@click.option("--csv", "table", type=WRITTEN, help="Write the monthly table as CSV.")
@click.option("--chart", type=WRITTEN, help="Write the chart as SVG.")
@force_option
@json_option("Print the projection as JSON.")
@quiet_option("Only the table.")
@click.option("--no-color", is_flag=True, help="Plain text; there is no other here.")
def command(  # noqa: PLR0913  # one argument per option
    *,
    policy: Path,
    measurements: Path | None,
    explain: str | None,
    table: Path | None,
    chart: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
    no_color: bool,
) -> int:
    """Project what both models cost at the volumes of POLICY's cost section.

    No predictions are needed: prices that are quoted project by themselves. Exit code 0 whatever
    is saved; a rule on cost_per_1k, monthly_cost, saving or break_even_month makes it a condition.

    \b
    Example:
      prunegate cost policies/brand-safety-vit.yaml --csv cost.csv --chart cost.svg
      prunegate cost policies/brand-safety-vit.yaml --explain 4
    """  # noqa: D301  # click's mark is the character itself
    del no_color
    from prunegate.audit.canonical import plain_json
    from prunegate.cli.cost_table import cost_lines
    from prunegate.io.atomic import require_new, write_each
    from prunegate.policy.load import load_policy

    loaded = load_policy(policy)
    if explain is not None:
        _explain(loaded, measurements, explain, as_json=as_json, files=bool(table or chart))
        return 0
    projection = _project(loaded, measurements)
    contents = _contents(projection, table, chart)
    for path in contents:
        require_new(path, force=force)
    write_each(contents)
    if as_json:
        document = {"format": FORMAT, "policy": loaded.name, **plain_json(projection)}
        echo_json(document)
    else:
        click.echo("\n".join(cost_lines(projection, brief=quiet)))
    if not quiet:
        for path in contents:
            click.echo(f"written: {path}", err=True)
    return 0


FORMAT = "urn:prunegate:cost:v1"
MONTH_FORMAT = "urn:prunegate:cost-month:v1"


def _explain(
    policy: Policy, measurements: Path | None, asked: str, *, as_json: bool, files: bool
) -> None:
    from datetime import UTC, datetime

    from prunegate.cli.cost_explain import bill_lines, month_bill, month_number

    if files:
        raise InputError("--explain prints one month; leave --csv and --chart out")
    cost = _section(policy)
    today = datetime.now(UTC).date()
    found = month_bill(cost, _read(measurements), month_number(asked, today), today)
    if as_json:
        echo_json({"format": MONTH_FORMAT, "policy": policy.name, **found})
    else:
        click.echo("\n".join(bill_lines(found)))


def _read(measurements: Path | None) -> Measurements | None:
    from prunegate.cost.measurements_file import read_measurements

    return read_measurements(measurements) if measurements else None


def _project(policy: Policy, measurements: Path | None) -> Projection:
    from prunegate.cost.projection import project

    return project(_section(policy), _read(measurements))


def _section(policy: Policy) -> Cost:
    if policy.cost is None:
        raise InputError(
            f"{policy.name} has no 'cost' section; add cost: {{billing: {{per_inference: "
            "{baseline: 0.0042, candidate: 0.0029}}, volumes: {now: 180000, target: 800000, "
            "months: 18}}"
        )
    return policy.cost


def _contents(projection: Projection, table: Path | None, chart: Path | None) -> dict[Path, bytes]:
    """What is to be written, all of it made before anything is."""
    if (table and not projection.months) or (chart and len(projection.months) < 2):
        raise InputError(
            "--csv shows months and --chart at least two, and this policy projects fewer; give its "
            "'cost' section volumes"
        )
    contents = {}
    if table:
        from prunegate.outputs.findings_csv import render_cost_csv

        contents[table] = render_cost_csv(projection).encode()
    if chart:
        from prunegate.report.cost_chart import cost_chart
        from prunegate.report.svg import drawn_chart

        contents[chart] = _alone(str(drawn_chart(cost_chart(projection)))).encode()
    return contents


def _alone(svg: str) -> str:
    """A chart as a file of its own, which has no page to take its letters from."""
    return svg.replace("<svg ", '<svg font-family="sans-serif" ', 1) + "\n"
