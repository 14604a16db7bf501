"""``prunegate audit schema``: the JSON Schema of a record."""

from __future__ import annotations

import json

import click


@click.command("schema", short_help="Print the record's JSON Schema.")
def command() -> int:
    """Print the JSON Schema (2020-12) of a decision record, record.json.

    It says what a record may contain; 'prunegate verify' says whether its verdict follows from it.

    \b
    Example:
      prunegate audit schema > record.schema.json
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.record_schema import record_schema

    click.echo(json.dumps(record_schema(), indent=2, ensure_ascii=False))
    return 0
