"""``prunegate check``: the data contract alone, before anybody waits for a model."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("check", short_help="Check the labelled data against the data contract.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print every clause as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but mistakes.")
def command(policy: Path, as_json: bool, quiet: bool) -> int:
    """Check the labelled data of POLICY: slices, counts, labels, ids, splits that share nothing.

    Exit code 0 if the contract holds, 2 if it does not. No model is loaded.

    \b
    Example:
      prunegate check policies/my-classifier.yaml
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.canonical import plain_json
    from prunegate.data.labelled.checked_rows import check_rows
    from prunegate.policy.load import read_policy
    from prunegate.text.escape import visible

    source = read_policy(policy)
    checked = check_rows(source.policy, source.folder)
    report = checked.report
    if as_json:
        click.echo(json.dumps(plain_json(report), indent=2))
    report.require()
    if not as_json and not quiet:
        for clause in report.clauses:
            click.echo(f"  ok  {visible(clause.words)}: {clause.observed} ({clause.expected})")
        for warning in report.warnings:
            click.echo(f"  warning: {visible(warning)}")
        click.echo(
            f"The data contract holds: {len(report.clauses)} clauses, {len(checked.rows):,} rows."
        )
    return 0
