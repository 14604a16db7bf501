"""``prunegate gate``: judge a predictions table, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from prunegate.cli import tell_error
from prunegate.cli.options import FOLDER, Output, output_options
from prunegate.cli.prediction_options import Given, prediction_options
from prunegate.errors import InputError, PrunegateError
from prunegate.text.escape import escaped


@click.command("gate", short_help="Judge a predictions table.")
@click.argument("policies", metavar="POLICY...", type=FOLDER, nargs=-1, required=True)
@prediction_options
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What counts; spark reads CSV and Parquet wherever Spark can, folders too.",
)
@click.option(
    "--measurements",
    type=FOLDER,
    help="measurements.json of an earlier run, for rules on latency, size and cost.",
)
@output_options
def command(
    *,
    policies: tuple[Path, ...],
    given: Given,
    engine: str,
    measurements: Path | None,
    output: Output,
) -> int:
    """Judge a predictions table against POLICY.

    The table has the columns id, label, baseline, candidate and the policy's slicing keys. Labels
    and the answers of the two models may come in files of their own, which are joined on the id. No
    model is loaded. Several policies are judged one by one: --out holds a folder for each, and the
    exit code is the worst.

    \b
    Example:
      prunegate gate policies/brand-safety-vit.yaml --predictions predictions.parquet
      prunegate gate p.yaml --labels truth.parquet --baseline-predictions old.csv.gz \\
        --candidate-predictions new.jsonl
    """  # noqa: D301  # click's mark is the character itself
    if len(policies) == 1:
        return _one(policies[0], given, engine, measurements, output)
    return _several(policies, given, engine, measurements, output)


def _one(policy: Path, given: Given, engine: str, measurements: Path | None, output: Output) -> int:
    """Judge by one policy; the exit code."""
    from prunegate.audit.opinion.process import ask_of, at_hand

    opinion = at_hand()  # loads its engine while what follows is loaded and counted

    from prunegate.audit.assemble import Origin
    from prunegate.audit.input_digests import measurements_input
    from prunegate.audit.ledger import Ledger
    from prunegate.cli.console import show_decision
    from prunegate.cost.measurements_file import read_measurements
    from prunegate.gate import gate, publish
    from prunegate.outputs.staging import staged
    from prunegate.policy.load import read_policy

    key = output.signing_key()  # a wrong one is known at once
    source = read_policy(policy)
    figures = read_measurements(measurements) if measurements else None
    behind = (measurements_input(measurements),) if measurements else ()
    place = staged(output.out, output.reports / source.policy.name, force=output.force)
    ledger = Ledger(output.audit)
    with place as staging, given.readable(engine) as table, ledger:
        origin = Origin(inputs=behind)
        ask = ask_of(opinion)
        decision = gate(source, table, measurements=figures, origin=origin, ledger=ledger, ask=ask)
        folder = publish(decision, staging, output.audit, key)
    show_decision(decision, folder, output)
    return decision.verdict.exit_code


_WORST_FIRST = (1, 2, 3, 4, 0)
_WORDS = {0: "approve", 2: "not judged", 3: "reject", 4: "inconclusive"}


def _several(
    policies: Sequence[Path],
    given: Given,
    engine: str,
    measurements: Path | None,
    output: Output,
) -> int:
    """Judge by each policy, tell all outcomes in a few lines at the end, and return the worst code.

    A policy or table that cannot be judged keeps no other policy from being judged.

    Raises:
        InputError: two policies have one name, and so one folder.
    """
    codes = {}
    names = _names(policies)
    for policy in policies:
        out = output.out / names[policy] if output.out else None
        try:
            codes[policy] = _one(policy, given, engine, measurements, replace(output, out=out))
        except PrunegateError as error:
            tell_error(error)
            codes[policy] = error.exit_code
    for policy, code in codes.items():
        click.echo(f"{_WORDS.get(code, code):<13} {escaped(str(policy))}", err=output.as_json)
    return min(codes.values(), key=_WORST_FIRST.index)


def _names(policies: Sequence[Path]) -> dict[Path, str]:
    """The name of each policy, as it says; of an unreadable one, its file's."""
    from prunegate.policy.load import read_policy

    found: dict[Path, str] = {}
    for policy in policies:
        try:
            name = read_policy(policy).policy.name
        except InputError:
            name = policy.stem
        if name in found.values():
            raise InputError(
                f"{escaped(str(policy))}: a policy of the name {name} is given already; each "
                "writes a folder of its name"
            )
        found[policy] = name
    return found
