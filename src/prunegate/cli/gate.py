"""``prunegate gate``: judge a predictions table, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from prunegate.cli.gate_labels import labelled_part, labelling_options
from prunegate.cli.options import Output, output_options


@click.command("gate", short_help="Judge a predictions table.")
@click.argument("policy", type=click.Path(path_type=Path))
@click.option(
    "--predictions",
    required=True,
    multiple=True,
    help="CSV, Parquet or Arrow: a file or a glob; may be given several times.",
)
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What counts; spark reads CSV and Parquet wherever Spark can, folders too.",
)
@click.option(
    "--measurements",
    type=click.Path(path_type=Path),
    help="measurements.json of an earlier run, for rules on latency, size and cost.",
)
@labelling_options
@output_options
def command(  # noqa: PLR0913  # one argument per option
    *,
    policy: Path,
    predictions: tuple[str, ...],
    engine: str,
    measurements: Path | None,
    labels: Path | None,
    labelling: Path | None,
    output: Output,
) -> int:
    """Judge a predictions table against POLICY.

    The table has the columns id, label, baseline, candidate and the policy's slicing keys. No model
    is loaded.

    \b
    Example:
      prunegate gate policies/brand-safety-vit.yaml --predictions predictions.parquet
    """  # noqa: D301  # click's mark is the character itself
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
    with place as staging, _readable(predictions, engine) as table, ledger:
        given, listed = labelled_part(table, labels, labelling)
        origin = Origin(inputs=(*listed, *behind))
        ask = ask_of(opinion)
        decision = gate(source, given, measurements=figures, origin=origin, ledger=ledger, ask=ask)
        folder = publish(decision, staging, output.audit, key)
    show_decision(decision, folder, output)
    return decision.verdict.exit_code


@contextmanager
def _readable(predictions: tuple[str, ...], engine: str) -> Iterator[Any]:
    """The paths as the engine takes them, while it is there."""
    if engine == "duckdb":
        yield list(predictions)
        return
    from prunegate.data.predictions.spark_files import SparkFiles
    from prunegate.data.predictions.spark_session import spark_session

    with spark_session() as session:
        yield SparkFiles(session=session, paths=predictions)
