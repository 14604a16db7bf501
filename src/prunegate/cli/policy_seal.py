"""``prunegate policy seal``: say which bar will hold on which gate set, before any score exists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prunegate.cli.options import PATH, audit_option_of, json_option, policy_argument
from prunegate.cli.printed_json import echo_json
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.counting.gate_set import GateSet
    from prunegate.policy.load import PolicyFile


@click.command(
    "seal",
    short_help="Seal the bar of a gate set before any score exists.",
    epilog="Example: prunegate policy seal policy.yaml --data labelled.parquet",
)
@policy_argument
@click.option(
    "--predictions",
    multiple=True,
    help="The gate set as gate will read it: a file or a glob, may be given several times; no "
    "score in it is looked at.",
)
@click.option(
    "--data",
    type=PATH,
    help="The labelled table as run will read it [default: the policy's data table].",
)
@audit_option_of("Folder of the audit trail; the entry is put under pending/ there.")
@click.option(
    "--key",
    type=PATH,
    help="Private key that signs the entry [default: the environment's PRUNEGATE_KEY].",
)
@json_option("Print the entry's facts as JSON.")
def command(
    *,
    policy: Path,
    predictions: tuple[str, ...],
    data: Path | None,
    audit: Path,
    key: Path | None,
    as_json: bool,
) -> int:
    """Put POLICY's rules and the digest of a gate set into the audit trail.

    A later verdict says whether it was held to these rules, and whether they were sealed before its
    predictions were made.
    """
    from prunegate.audit.bar_seal import seal_bar
    from prunegate.audit.canonical import plain_json
    from prunegate.audit.signing.keys import private_key_from
    from prunegate.policy.load import read_policy

    signer = private_key_from(key)
    source = read_policy(policy)
    sealed = seal_bar(source, _gate_set(source, predictions, data), audit, signer)
    if as_json:
        echo_json(plain_json(sealed))
        return 0
    rows = sealed.gate_set.rows
    click.echo(f"sealed at {sealed.created}: {source.policy.name} on {rows:,} rows")
    click.echo(f"  rules     {sealed.rules}\n  gate set  {sealed.gate_set.name}")
    click.echo(f"  entry     {audit / 'pending' / sealed.entry}")
    click.echo("next: keep it with the audit trail, and have it sealed: prunegate audit seal")
    return 0


def _gate_set(source: PolicyFile, predictions: tuple[str, ...], data: Path | None) -> GateSet:
    from prunegate.audit.bar_seal import labelled_gate_set
    from prunegate.counting.gate_set import read_gate_set

    if predictions and data:
        raise InputError("give --predictions or --data, not both: a bar is for one gate set")
    if predictions:
        return read_gate_set(source.policy, list(predictions))
    named = source.policy.data.table
    if data is None and named is None:
        raise InputError(
            "the policy names no labelled table; say which gate set the bar is for: --data TABLE "
            "or --predictions FILE"
        )
    return labelled_gate_set(source.policy, data or source.folder / str(named))
