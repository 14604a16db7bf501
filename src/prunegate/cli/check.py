"""``prunegate check``: the data contract alone, before anybody waits for a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunegate.cli.options import json_option, policy_argument, quiet_option
from prunegate.cli.prediction_options import Given, prediction_options
from prunegate.cli.printed_json import echo_json

if TYPE_CHECKING:
    from prunegate.data.contract.contract import ContractReport
    from prunegate.policy.load import PolicyFile


@click.command("check", short_help="Check labelled data or predictions against the contract.")
@policy_argument
@prediction_options
@json_option("Print every clause as JSON.")
@quiet_option("Print nothing but mistakes.")
def command(policy: Path, given: Given, as_json: bool, quiet: bool) -> int:
    """Check the data of POLICY: slices, counts, labels, ids, splits that share nothing, the mix.

    Without --predictions it is the labelled data that the policy names; with it, the predictions
    that 'prunegate gate' would judge, and rules that it could never judge on them are named. What
    'data: expect:' asks of the rows is judged by Great Expectations. Exit code 0 if the contract
    holds, 4 if nothing is wrong but that slices have too few rows for the policy or for the method
    of a rule, 2 if it does not hold. No model is loaded.

    \b
    Example:
      prunegate check policies/my-classifier.yaml
      prunegate check policies/my-classifier.yaml --predictions predictions.parquet
    """  # noqa: D301  # click's mark is the character itself
    from prunegate.audit.canonical import plain_json
    from prunegate.policy.load import read_policy
    from prunegate.text.escape import visible

    source = read_policy(policy)
    report, rows = _checked(source, given)
    if as_json:
        echo_json(plain_json(report))
    silent = as_json or quiet
    if report.lacks_evidence and not as_json:
        click.echo("Too little evidence: a verdict on these slices would be inconclusive.")
        click.echo("\n".join(f"  {visible(line.strip())}" for line in report.broken))
    if report.holds and not silent:
        for clause in report.clauses:
            click.echo(f"  ok  {visible(clause.words)}: {clause.observed} ({clause.expected})")
    for warning in () if silent else report.warnings:
        click.echo(f"  warning: {visible(warning)}")
    if report.lacks_evidence:
        return 4
    report.require()
    if not silent:
        click.echo(f"The data contract holds: {len(report.clauses)} clauses, {rows:,} rows.")
    return 0


def _checked(source: PolicyFile, given: Given) -> tuple[ContractReport, int]:
    """What the contract says of the predictions where some are given, else of labelled data."""
    if not any(vars(given).values()):
        from prunegate.data.labelled.checked_rows import check_rows
        from prunegate.data.labelled.near_duplicates import near_duplicate_warning

        checked = check_rows(source.policy, source.folder)
        near = near_duplicate_warning(checked.rows)
        warnings = (*checked.report.warnings, *((near,) if near else ()))
        return replace(checked.report, warnings=warnings), len(checked.rows)
    from prunegate.counting.contract_of_counts import contract_of_counts
    from prunegate.counting.expected_predictions import judge_predictions_expected
    from prunegate.counting.label_hints import label_hint
    from prunegate.counting.read_source import read_source
    from prunegate.data.contract.contract import with_expectations
    from prunegate.verdict.unjudged import unjudged_counts

    policy = source.policy
    with given.readable("duckdb") as table:
        read = read_source(policy, table)
        whole = read.has_rows and read.part is None
        hint = label_hint(policy, read.table) if whole else None
        judged = judge_predictions_expected(policy, table) if policy.data.expect else None
    counted = read.counted
    told = (*counted.warnings, *((hint,) if hint else ()))
    never = unjudged_counts(policy, counted.slices)
    report = contract_of_counts(policy, counted.slices, told, never)
    if judged is not None:
        report = with_expectations(report, judged)
    return report, counted.rows
