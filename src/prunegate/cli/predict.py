"""``prunegate predict``: one model's scores on a table, for ``gate`` to join and judge."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.model_options import ModelWords, model_options
from prunegate.cli.options import (
    PATH,
    ConsoleOptions,
    device_option,
    force_option,
    pickle_option,
    progress_options,
    runtime_option,
    tell_of_pickles,
)
from prunegate.cli.threads import patient_threads
from prunegate.cli.written_paths import READ_TABLES, PathsApart, WrittenPath
from prunegate.errors import InputError
from prunegate.text.numbers import as_written

if TYPE_CHECKING:
    from prunegate.io.progress import Progress
    from prunegate.pipeline.scoring_job import ScoringJob


_HEADERS = (".csv", ".parquet")
"""Tables whose columns are read here before Spark is started."""


@dataclass(frozen=True, kw_only=True)
class _Request:
    """What the command was asked: one field for each option."""

    model: Path
    words: ModelWords
    table: str
    out: str
    force: bool
    engine: str
    runtime: str
    runtime_from: Path | None
    browser: str | None
    images: Path | None
    id: str
    image: str
    text: str
    positive: str | None
    column: str
    numbers: bool
    batch: int | None
    device: str
    pickles: bool

    @property
    def way(self) -> str:
        """What scores: a model on this machine or on Spark, or a page in a browser."""
        return "browser" if self.runtime == "browser" else self.engine

    @property
    def is_page(self) -> bool:
        """Whether MODEL is the folder of a page, which is scored as it stands."""
        from prunegate.edge import EDGE_FILE

        return self.way == "browser" and (self.model / EDGE_FILE).is_file()

    @property
    def has_header(self) -> bool:
        """Whether the table's columns can be read on this machine."""
        place = Path(self.table)
        return self.engine == "local" or (place.is_file() and place.suffix in _HEADERS)

    def job(self, progress: Progress) -> ScoringJob:
        """The work that is asked for; loads torch."""
        from prunegate.pipeline.scoring_job import ScoringJob

        return ScoringJob(
            model=self.model,
            said=self.words.source(self.model),
            table=Path(self.table),
            out=Path(self.out),
            progress=progress,
            images=self.images,
            id=self.id,
            image=self.image,
            text=self.text,
            positive=self.positive,
            column=self.column,
            numbers=self.numbers,
            batch=self.batch,
            device=self.device,
            pickles=self.pickles,
        )


@click.command("predict", cls=PathsApart, short_help="Score a table with one model; judge nothing.")
@click.argument("model", type=PATH)
@click.option("--data", "table", type=READ_TABLES, required=True, help="Table of ids and contents.")
@click.option(
    "-o",
    "--out",
    type=WrittenPath(whole=True),
    required=True,
    help="File to write: .parquet or .csv; with Spark a folder of Parquet files.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Where rows are scored; spark reads CSV and Parquet wherever Spark can, folders too.",
)
@click.option("--images", type=PATH, help="Folder of the images [default: the table's].")
@click.option("--id", default="id", show_default=True, help="Column of the ids.")
@click.option("--image", default="image", show_default=True, help="Column of image paths.")
@click.option("--text", default="text", show_default=True, help="Column of texts.")
@click.option("--positive", help="Class whose score is written [default: p_CLASS for each class].")
@click.option("--column", default="score", show_default=True, help="Column of that score.")
@click.option(
    "--numbers",
    is_flag=True,
    help="The outputs are scores as they stand, no chances of classes [default: of models whose "
    "problem_type is regression].",
)
@model_options
@click.option(
    "--batch",
    type=click.IntRange(min=1, max=4096),
    help="Rows per forward pass; halved where memory ends [default: as run scores].",
)
@click.option(
    "--runtime",
    type=click.Choice(["python", "browser"]),
    default="python",
    show_default=True,
    help="What scores: this program, or the page of 'prunegate edge' in headless Chromium.",
)
@runtime_option
@click.option(
    "--browser",
    help="browser: Chromium, a program in PATH or a path [default: as it is installed].",
)
@force_option
@device_option
@pickle_option
@progress_options
def command(*, said: ConsoleOptions, **options: Any) -> int:
    """Score every row of a table with MODEL, a folder or an ONNX file.

    The table has ids, and paths of images or texts. The file has the id and the score of one class
    (--positive), or a column for each class; of a regressor the number that it answers with. Work
    that was killed goes on where it stopped: give the same command. On Spark every executor process
    loads the model once, from the same path, and a killed job begins anew.

    With --runtime browser, MODEL is a candidate or the folder of its page
    ('prunegate edge'), and every row is scored in Chromium as people's pictures will be; the time
    that takes is written beside the scores (OUT.browser.json).

    \b
    Example:
      prunegate predict old --data t.csv --positive unsafe --column baseline -o old.parquet
      prunegate predict new.onnx --data t.csv --positive unsafe --column candidate -o new.parquet
      prunegate gate policy.yaml --labels t.csv --baseline-predictions old.parquet \\
        --candidate-predictions new.parquet
      prunegate predict page --runtime browser --data t.csv --positive unsafe -o new.parquet
    """  # noqa: D301  # click's mark is the character itself
    patient_threads()
    from prunegate.cli.console import progress

    asked = _Request(**options)
    _refuse(asked)
    with progress(said) as report:
        told = _WAYS[asked.way](asked, asked.job(report))
    if not said.quiet:
        for line in told:
            click.echo(line)
    return 0


def _refuse(asked: _Request) -> None:
    """Refuse what can be told before libraries, Java or Chromium are started, which takes seconds.

    Raises:
        InputError: options that do not go together, or a place to write that is taken.
        ModelError: a model that cannot be used, or has not the class that is asked for.
        TableError: a table that cannot be read, or without a column that models are given.
        UnsupportedError: a model that does not read such rows.
    """
    _refuse_options(asked)
    _refuse_taken(asked)
    if asked.way == "browser":
        _refuse_in_browser(asked)
    if not asked.is_page:
        from prunegate.pipeline.early_refusals import refuse_place

        refuse_place(asked.model, regressors=asked.runtime == "python", pickles=asked.pickles)
        tell_of_pickles([asked.model], allowed=asked.pickles)
    if asked.has_header:
        _refuse_contents(asked)


def _refuse_options(asked: _Request) -> None:
    """Refuse options that do not go together."""
    if asked.runtime == "browser" and asked.engine != "local":
        raise InputError("a browser runs on this machine; leave out --engine or --runtime")
    given = asked.runtime_from is not None or asked.browser is not None
    if asked.runtime != "browser" and given:
        raise InputError("--runtime-from and --browser belong to --runtime browser; add it")
    if asked.is_page and asked.words.given:
        raise InputError(
            f"{asked.model}: the page says its classes and layout; leave out their options"
        )


def _refuse_taken(asked: _Request) -> None:
    """Refuse a place to write where something is already."""
    from prunegate.io.atomic import require_new
    from prunegate.pipeline.early_scoring import refuse_taken_folder

    if asked.engine == "local":
        require_new(Path(asked.out), force=asked.force)
    else:
        refuse_taken_folder(asked.out, force=asked.force)


def _refuse_in_browser(asked: _Request) -> None:
    """Refuse what no browser does."""
    if asked.batch is not None or asked.device != "cpu":
        raise InputError("a browser scores row by row on the CPU; leave out --batch and --device")
    if asked.numbers:
        raise InputError("a page shows chances of classes; leave out --numbers or --runtime")
    if Path(asked.out).suffix not in (".parquet", ".csv"):
        raise InputError(f"{asked.out}: give a name that ends with .parquet or .csv")


def _refuse_contents(asked: _Request) -> None:
    """Refuse what config.json, or a page's description, and the table's columns say is no use."""
    from prunegate.data.predictions.metadata import column_names
    from prunegate.pipeline.early_scoring import WantedScores, refuse_page, refuse_scoring

    table = Path(asked.table)
    wanted = WantedScores(
        place=asked.model,
        table=table,
        image=asked.image,
        text=asked.text,
        positive=asked.positive,
        numbers=asked.numbers,
    )
    columns = column_names(table, (asked.id,))
    if asked.is_page:
        refuse_page(wanted, columns)
    else:
        refuse_scoring(wanted, asked.words.source(asked.model), columns)


def _here(asked: _Request, job: ScoringJob) -> list[str]:
    from prunegate.pipeline.predict_table import predict_table

    return [_written(predict_table(job), asked)]


def _on_spark(asked: _Request, job: ScoringJob) -> list[str]:
    from prunegate.pipeline.predict_on_spark import SparkScoring, predict_on_spark

    scoring = SparkScoring(job=job, table=asked.table, out=asked.out, force=asked.force)
    return [_written(predict_on_spark(scoring), asked)]


def _in_browser(asked: _Request, job: ScoringJob) -> list[str]:
    from prunegate.io.atomic import require_new
    from prunegate.pipeline.predict_browser import TIMES, predict_in_browser

    require_new(job.out.with_suffix(TIMES), force=asked.force)
    found = predict_in_browser(job, runtime_from=asked.runtime_from, browser=asked.browser)
    shown = (found.run_p50_ms, found.run_p95_ms, found.prepare_p50_ms)
    run, late, prepare = map(as_written, shown)
    times = f"the model {run} ms a row (median; p95 {late}), preparing {prepare} ms"
    return [_written(found.rows, asked), f"{found.runtime} in {found.browser}: {times}"]


def _written(rows: int, asked: _Request) -> str:
    return f"{rows:,} rows: {asked.out}"


_WAYS = {"local": _here, "spark": _on_spark, "browser": _in_browser}
"""What scores the rows and says what came of it."""
