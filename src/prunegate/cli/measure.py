"""``prunegate measure``: what two models cost to run, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.model_options import SidedWords, sided_options
from prunegate.cli.options import (
    PATH,
    ConsoleOptions,
    force_option,
    json_option,
    pickle_option,
    progress_options,
    seed_option,
    tell_of_pickles,
)
from prunegate.cli.threads import patient_threads
from prunegate.cli.written_paths import WRITTEN, PathsApart
from prunegate.text.escape import ascii_json, escaped

if TYPE_CHECKING:
    from prunegate.cost.measurement import Measurements

LARGEST = 4096
"""Samples a call, at most."""


class Batches(click.ParamType[tuple[int, ...]]):
    """Batch sizes: whole numbers with commas between them, each once."""

    name = "sizes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The sizes in the order given."""
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not all(part.isascii() and part.isdigit() for part in parts):
            self.fail(f"{value!r}: expected whole numbers such as 1 or 1,8", param, ctx)
        sizes = tuple(int(part) for part in parts)
        if not all(1 <= size <= LARGEST for size in sizes) or len(set(sizes)) < len(sizes):
            self.fail(f"{value!r}: give sizes from 1 to {LARGEST}, each once", param, ctx)
        return sizes


@click.command(
    "measure", cls=PathsApart, short_help="Time two models against each other; judge nothing."
)
@click.argument("baseline", type=PATH)
@click.argument("candidate", type=PATH)
@click.option(
    "--batch",
    "batches",
    type=Batches(),
    default="1",
    show_default=True,
    help="Inputs a call; with several sizes (1,8), rules read the first.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1, max=1024),
    default=1,
    show_default=True,
    help="Threads of the engine.",
)
@click.option(
    "--seconds",
    type=float,
    default=20.0,
    show_default=True,
    help="About how long to time each batch size.",
)
@click.option(
    "--tokens",
    type=click.IntRange(min=1, max=1 << 20),
    help="Length of the texts [default: 128, or as many as the model takes].",
)
@click.option(
    "--new-tokens",
    type=click.IntRange(min=2, max=1 << 17),
    help="Language models: also time the first token, and each further one of so many.",
)
@click.option(
    "--cross-engine",
    is_flag=True,
    help="Time each model in its own engine; the result is labelled with both.",
)
@sided_options
@click.option("-o", "--out", type=WRITTEN, help="File for 'prunegate gate --measurements'.")
@force_option
@json_option("Print the file's content on stdout.")
@seed_option
@pickle_option
@progress_options
def command(  # noqa: PLR0913  # one argument per option
    *,
    baseline: Path,
    candidate: Path,
    words: SidedWords,
    out: Path | None,
    force: bool,
    as_json: bool,
    said: ConsoleOptions,
    **how: Any,
) -> int:
    """Time the CANDIDATE against the BASELINE, in turns, in one engine, on the CPU.

    Each is a folder (of transformers, of prunegate, with one ONNX file) or an ONNX file.

    Inputs are random; no data are needed. An ONNX candidate is timed against the baseline exported
    to ONNX. The baseline is also timed against itself: where that ratio leaves 1 by more than 5 %,
    the machine was too busy, the times are no evidence, and the exit code is 4 (the file is written
    all the same, and marked).

    \b
    Example:
      prunegate measure baseline candidate --batch 1,8 -o measurements.json
      prunegate gate policy.yaml --predictions table.csv --measurements measurements.json
    """  # noqa: D301  # click's mark is the character itself
    patient_threads()
    places = (baseline, candidate)
    _refuse(places, pickles=how["pickles"])
    sources = words.sources(*places)

    from prunegate.cli.console import progress
    from prunegate.cost.measurements_file import measurements_text
    from prunegate.io.atomic import require_new, write_whole
    from prunegate.pipeline.measure_folders import Experiment, measure_folders

    if out is not None:
        require_new(out, force=force)
    with progress(said) as report:
        taken = measure_folders(*places, Experiment(progress=report, **how), sources)
    text = measurements_text(taken)
    if out is not None:
        write_whole(out, text.encode())
    if as_json:
        click.echo(ascii_json(text), nl=False)
    for line in _told(taken, out, brief=said.quiet):
        click.echo(line, err=as_json)
    return 0 if _is_quiet(taken) else 4


def _refuse(places: Sequence[Path], *, pickles: bool) -> None:
    """Refuse models that cannot be used before libraries are loaded, which takes seconds."""
    from prunegate.pipeline.early_refusals import refuse_place

    for place in places:
        refuse_place(place, regressors=True, pickles=pickles)
    tell_of_pickles(places, allowed=pickles)


def _told(taken: Measurements, out: Path | None, *, brief: bool) -> list[str]:
    from prunegate.cli.measure_words import measurement_lines

    written = [] if out is None else [f"measurements: {escaped(str(out))}"]
    return [*measurement_lines(taken, brief=brief), *written]


def _is_quiet(taken: Measurements) -> bool:
    """Whether the machine was quiet enough for all the figures to be evidence."""
    from prunegate.cost.measurement import is_evidence

    written = taken.generation is None or taken.generation.quiet
    return written and all(map(is_evidence, (taken, *taken.others)))
