"""``prunegate compress``: make the candidate that a policy describes, and judge nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.options import (
    ConsoleOptions,
    device_option,
    pickle_option,
    policy_argument,
    progress_options,
    refuse_filled,
    seed_option,
    tell_of_pickles,
)
from prunegate.cli.threads import patient_threads
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.errors import InputError
from prunegate.text.escape import escaped
from prunegate.text.numbers import count, plain, share, signed

if TYPE_CHECKING:
    from prunegate.models.load import LoadedModel
    from prunegate.policy.load import PolicyFile


@click.command("compress", cls=PathsApart, short_help="Make the candidate alone; judge nothing.")
@policy_argument
@click.option(
    "-o", "--out", type=WRITTEN, required=True, help="Folder of the candidate, new or empty."
)
@seed_option
@device_option
@pickle_option
@progress_options
def command(
    *, policy: Path, out: Path, pickles: bool, said: ConsoleOptions, **settings: Any
) -> int:
    """Carry out the compress section of POLICY and save the candidate.

    The data contract is checked before any model is loaded. The folder holds the model, what was
    done to it (surgery.json), the preprocessor or tokenizer files and a model card. In Python,
    prunegate.load_candidate(folder) gives a torch module. Interrupted work is taken up again by the
    same command (its state is in .checkpoints beside the folder).

    \b
    Example:
      prunegate compress policies/my-classifier.yaml -o candidate --seed 1
    """  # noqa: D301  # click's mark is the character itself
    patient_threads()
    from prunegate.cli.console import progress
    from prunegate.outputs.staging import CHECKPOINTS
    from prunegate.policy.load import read_policy

    source = read_policy(policy)
    _refuse(source, out, pickles=pickles)

    from prunegate.pipeline.context import Settings, set_up  # torch, once all that is right

    with progress(said) as report:
        chosen = Settings(
            **settings,
            pickles=pickles,
            command="compress",
            checkpoints=out.parent / CHECKPOINTS,
            progress=report,
        )
        bench = set_up(source, chosen)
        candidate, _ = bench.make(source.policy.compress, out)
    tell_of_pickles(source.weight_places(), allowed=pickles)
    if not said.quiet:
        for line in _told(bench.baseline, candidate):
            click.echo(line)
        click.echo(f"candidate: {escaped(str(out))}")
    return 0


def _refuse(source: PolicyFile, out: Path, *, pickles: bool) -> None:
    """Refuse what can be told before libraries are loaded.

    Raises:
        InputError: nothing is to be done, there is something in OUT, or the models do not fit.
    """
    from prunegate.pipeline.early_refusals import refuse_models, refuse_recipe

    if not source.policy.compress:
        raise InputError(
            f"{source.path}: there is no 'compress' section; add the steps to carry out"
        )
    refuse_filled(out)
    refuse_models(source, pickles=pickles)
    refuse_recipe(source)


def _told(baseline: LoadedModel, candidate: LoadedModel) -> list[str]:
    lines = [
        _change("parameters", baseline.parameters, candidate.parameters),
        _change("bytes", baseline.model_bytes, candidate.model_bytes),
    ]
    lines += [
        _change(kind, baseline.kept.total(kind), candidate.kept.total(kind))
        for kind in candidate.kept.kinds
        if baseline.kept.total(kind) != candidate.kept.total(kind)
    ]
    zeros = candidate.surgery.zeros if candidate.surgery else None
    if zeros is not None:
        part = plain(share(zeros / candidate.parameters))
        lines.append(
            f"  zeros: {count(zeros)} of the parameters ({part}); they save no bytes, and no time "
            "unless a measurement says so"
        )
    return lines


def _change(name: str, before: int, after: int) -> str:
    return (
        f"  {name}: {count(before)} -> {count(after)} ({signed(100 * (after - before) / before)} %)"
    )
