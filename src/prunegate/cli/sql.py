"""``prunegate sql``: the query that makes joint counts where the predictions already lie."""

from __future__ import annotations

from pathlib import Path

import click

from prunegate.cli.options import force_option, policy_argument
from prunegate.cli.written_paths import WRITTEN, PathsApart


@click.command(
    "sql", cls=PathsApart, short_help="Print the query that counts predictions in a warehouse."
)
@policy_argument
@click.option("--table", required=True, help="The predictions table, as the warehouse names it.")
@click.option("--dialect", required=True, metavar="DIALECT", help="Whose SQL: see below.")
@click.option("-o", "--out", type=WRITTEN, help="Write it to a file.")
@force_option
def command(*, policy: Path, table: str, dialect: str, out: Path | None, force: bool) -> int:
    """Print the one query that makes the joint counts of POLICY.

    Run it where the predictions lie, save its lines as CSV or Parquet, and judge them with
    prunegate gate POLICY --counts FILE. Rows that cannot be read have lines of their own, which
    gate refuses. Dialects: bigquery, clickhouse, databricks, duckdb, postgres, redshift,
    snowflake, spark, sqlite, trino, tsql.

    \b
    Example:
      prunegate sql policies/brand-safety-vit.yaml --table ads.predictions --dialect bigquery
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.counting.warehouse_query import DIALECTS, counts_query
    from prunegate.errors import InputError
    from prunegate.io.atomic import require_new, write_whole
    from prunegate.policy.load import load_policy

    if dialect not in DIALECTS:
        raise InputError(f"--dialect {dialect!r} is none of {', '.join(DIALECTS)}")
    text = counts_query(load_policy(policy), table, dialect)
    if out is None:
        click.echo(text)
        return 0
    require_new(out, force=force)
    write_whole(out, f"{text}\n".encode())
    click.echo(f"written: {out}", err=True)
    return 0
