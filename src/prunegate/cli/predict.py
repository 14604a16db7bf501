"""``prunegate predict``: one model's scores on a table, for ``gate`` to join and judge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.model_options import ModelWords, model_options
from prunegate.cli.options import (
    FOLDER,
    ConsoleOptions,
    device_option,
    pickle_option,
    progress_options,
    tell_of_pickles,
)
from prunegate.cli.threads import patient_threads
from prunegate.cli.written_paths import READ_TABLES, PathsApart, WrittenPath
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.pipeline.scoring_job import ScoringJob


_HEADERS = (".csv", ".parquet")
"""Tables whose columns are read here before Spark is started."""


@click.command("predict", cls=PathsApart, short_help="Score a table with one model; judge nothing.")
@click.argument("model", type=FOLDER)
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
@click.option("--images", type=FOLDER, help="Folder of the images [default: the table's].")
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
@click.option(
    "--runtime-from",
    type=FOLDER,
    help="browser: folder of the npm package onnxruntime-web [default: npm fetches it].",
)
@click.option(
    "--browser",
    help="browser: Chromium, a program in PATH or a path [default: as it is installed].",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@device_option
@pickle_option
@progress_options
def command(  # noqa: PLR0913  # its options, by keyword
    *,
    model: Path,
    table: str,
    out: str,
    engine: str,
    words: ModelWords,
    runtime: str,
    runtime_from: Path | None,
    browser: str | None,
    force: bool,
    said: ConsoleOptions,
    **asked: Any,
) -> int:
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
    from prunegate.edge import EDGE_FILE
    from prunegate.io.atomic import require_new
    from prunegate.pipeline.early_scoring import refuse_taken_folder

    page = runtime == "browser" and (model / EDGE_FILE).is_file()
    _require_runtime(runtime, engine, given=runtime_from is not None or browser is not None)
    if page and words.given:
        raise InputError(f"{model}: the page says its classes and layout; leave out their options")
    # All of it before libraries, Java or Chromium are started, which takes seconds.
    if engine == "local":
        require_new(Path(out), force=force)
    else:
        refuse_taken_folder(out, force=force)
    if runtime == "browser":
        _refuse_in_browser(Path(out), asked)
    if not page:
        _refuse_model(model, asked, regressors=runtime == "python")
    if engine == "local" or (Path(table).is_file() and Path(table).suffix in _HEADERS):
        _refuse_early(model, Path(table), words, asked, page=page)

    from prunegate.pipeline.scoring_job import ScoringJob

    job = ScoringJob(
        model=model, said=words.source(model), table=Path(table), out=Path(out), **asked
    )
    if runtime == "browser":
        return _in_browser(job, said, runtime_from, browser, force=force)
    rows = _here(job, said) if engine == "local" else _on_spark(job, said, table, out, force=force)
    if not said.quiet:
        click.echo(f"{rows:,} rows: {out}")
    return 0


def _here(job: ScoringJob, said: ConsoleOptions) -> int:
    from prunegate.cli.console import progress
    from prunegate.pipeline.predict_table import predict_table

    with progress(said) as report:
        return predict_table(replace(job, progress=report))


def _on_spark(job: ScoringJob, said: ConsoleOptions, table: str, out: str, *, force: bool) -> int:
    from prunegate.cli.console import progress
    from prunegate.pipeline.predict_on_spark import SparkScoring, predict_on_spark

    with progress(said) as report:
        job = replace(job, progress=report)
        return predict_on_spark(SparkScoring(job=job, table=table, out=out, force=force))


def _refuse_model(model: Path, asked: dict[str, Any], *, regressors: bool) -> None:
    """Refuse a model before libraries are loaded, which takes seconds."""
    from prunegate.pipeline.early_refusals import refuse_place

    refuse_place(model, regressors=regressors, pickles=asked["pickles"])
    tell_of_pickles([model], allowed=asked["pickles"])


def _refuse_early(
    model: Path, table: Path, words: ModelWords, asked: dict[str, Any], *, page: bool
) -> None:
    """Refuse what config.json, or a page's description, and the table's columns say is no use."""
    from prunegate.data.predictions.metadata import column_names
    from prunegate.pipeline.early_scoring import WantedScores, refuse_page, refuse_scoring

    wanted = WantedScores(
        place=model,
        table=table,
        **{name: asked[name] for name in ("image", "text", "positive", "numbers")},
    )
    columns = column_names(table, (asked["id"],))
    if page:
        refuse_page(wanted, columns)
    else:
        refuse_scoring(wanted, words.source(model), columns)


def _refuse_in_browser(out: Path, asked: dict[str, Any]) -> None:
    """Refuse what no browser does."""
    if asked["batch"] is not None or asked["device"] != "cpu":
        raise InputError("a browser scores row by row on the CPU; leave out --batch and --device")
    if asked["numbers"]:
        raise InputError("a page shows chances of classes; leave out --numbers or --runtime")
    if out.suffix not in (".parquet", ".csv"):
        raise InputError(f"{out}: give a name that ends with .parquet or .csv")


def _require_runtime(runtime: str, engine: str, *, given: bool) -> None:
    """Refuse options that do not go together."""
    if runtime == "browser" and engine != "local":
        raise InputError("a browser runs on this machine; leave out --engine or --runtime")
    if runtime != "browser" and given:
        raise InputError("--runtime-from and --browser belong to --runtime browser; add it")


def _in_browser(
    job: ScoringJob,
    said: ConsoleOptions,
    runtime_from: Path | None,
    browser: str | None,
    *,
    force: bool,
) -> int:
    from prunegate.cli.console import progress
    from prunegate.io.atomic import require_new
    from prunegate.pipeline.predict_browser import TIMES, predict_in_browser

    require_new(job.out.with_suffix(TIMES), force=force)
    with progress(said) as report:
        found = predict_in_browser(
            replace(job, progress=report), runtime_from=runtime_from, browser=browser
        )
    if not said.quiet:
        click.echo(f"{found.rows:,} rows: {job.out}")
        click.echo(
            f"{found.runtime} in {found.browser}: the model {found.run_p50_ms:g} ms a row (median; "
            f"p95 {found.run_p95_ms:g}), preparing {found.prepare_p50_ms:g} ms"
        )
    return 0
