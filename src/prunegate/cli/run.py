"""``prunegate run``: the whole way on the user's own model and data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from prunegate.cli.ci import write_ci_files
from prunegate.cli.options import making_options, policy_argument
from prunegate.cli.threads import patient_threads
from prunegate.cli.verdict_options import Output, VerdictCommand, fail_on_option, output_options


@click.command(
    "run", cls=VerdictCommand, short_help="Prune, judge, cost and report: the whole way."
)
@policy_argument
@making_options
@fail_on_option
@output_options
def command(policy: Path, fail_on: str, output: Output, pickles: bool, **settings: Any) -> int:
    """Make a candidate as POLICY says and judge it against its baseline.

    The policy's model, data and compress sections say what to prune, with which rows, and how; with
    'model: {candidate: ...}' a candidate made elsewhere is judged, a folder or an ONNX file. The
    data contract is checked before any model is loaded; where nothing is wrong with the data but
    that slices have too few rows, nothing is made and the exit code is 4. The output folder also
    gets the candidate, the predictions of both models and the measurements. Interrupted work is
    taken up again by the same command (its state is in .checkpoints beside the output folder).

    \b
    Example:
      prunegate run policies/my-classifier.yaml --seed 1
    """  # noqa: D301  # click's mark is the character itself
    patient_threads()
    from prunegate.pipeline.early_refusals import refuse_models, refuse_recipe
    from prunegate.policy.load import read_policy

    key = output.signing_key()  # a wrong one is known at once
    source = read_policy(policy)
    # So is a model that cannot be used or cut as asked: libraries take seconds to load.
    refuse_models(source, pickles=pickles)
    refuse_recipe(source)

    from prunegate.audit.ledger import Ledger
    from prunegate.cli.console import ending, progress, show_decision
    from prunegate.gate import publish
    from prunegate.outputs.staging import staged
    from prunegate.pipeline.context import Settings
    from prunegate.pipeline.run import run

    place = staged(output.out, output.reports / source.policy.name, force=output.force)
    with place as staging, Ledger(output.audit) as ledger:
        with progress(output) as report:
            chosen = Settings(
                **settings,
                pickles=pickles,
                checkpoints=staging.checkpoints,
                ledger=ledger,
                progress=report,
            )
            decision = run(source, staging.folder, chosen)
        write_ci_files(decision.record, staging.folder, output.ci, output.policy)
        folder = publish(decision, staging, output.audit, key)
    show_decision(decision, folder, output)
    return ending(decision.verdict, fail_on)
