"""``prunegate predict``: one model's scores on a table, for ``gate`` to join and judge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prunegate.cli.options import FOLDER, ConsoleOptions, device_option, progress_options
from prunegate.cli.threads import patient_threads
from prunegate.errors import InputError

if TYPE_CHECKING:
    from prunegate.policy.model_source import ModelSource


@click.command("predict", short_help="Score a table with one model; judge nothing.")
@click.argument("model", type=FOLDER)
@click.option("--data", "table", required=True, help="Table of ids and contents.")
@click.option(
    "-o",
    "--out",
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
@click.option("--classes", help="Classes in the order of the outputs, with commas between them.")
@click.option(
    "--activation",
    type=click.Choice(["softmax", "sigmoid", "none"]),
    help="What makes probabilities of the outputs [default: as the model says].",
)
@click.option(
    "--layout",
    type=click.Choice(["NCHW", "NHWC"]),
    help="Of an ONNX model's images [default: as the graph says].",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1, max=4096),
    help="Rows per forward pass; halved where memory ends [default: as run scores].",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@device_option
@progress_options
def command(  # noqa: PLR0913  # its options, by keyword
    *,
    model: Path,
    table: str,
    out: str,
    engine: str,
    classes: str | None,
    activation: Any,
    layout: Any,
    force: bool,
    said: ConsoleOptions,
    **asked: Any,
) -> int:
    """Score every row of a table with MODEL, a folder or an ONNX file.

    The table has ids, and paths of images or texts. The file has the id and the score of one class
    (--positive), or a column for each class. Work that was killed goes on where it stopped: give
    the same command. On Spark every executor process loads the model once, from the same path, and
    a killed job begins anew.

    \b
    Example:
      prunegate predict old --data t.csv --positive unsafe --column baseline -o old.parquet
      prunegate predict new.onnx --data t.csv --positive unsafe --column candidate -o new.parquet
      prunegate gate policy.yaml --labels t.csv --baseline-predictions old.parquet \\
        --candidate-predictions new.parquet
    """  # noqa: D301  # click's mark is the character itself
    patient_threads()
    from prunegate.io.atomic import require_new
    from prunegate.pipeline.early_refusals import refuse_place

    if engine == "local":
        require_new(Path(out), force=force)
    refuse_place(model)  # before libraries are loaded, which takes seconds
    source = _source(model, {"classes": classes, "activation": activation, "layout": layout})

    from prunegate.cli.console import progress
    from prunegate.pipeline.scoring_job import ScoringJob

    job = ScoringJob(model=model, said=source, table=Path(table), out=Path(out), **asked)
    with progress(said) as report:
        job = replace(job, progress=report)
        if engine == "local":
            from prunegate.pipeline.predict_table import predict_table

            rows = predict_table(job)
        else:
            from prunegate.pipeline.predict_on_spark import SparkScoring, predict_on_spark

            rows = predict_on_spark(SparkScoring(job=job, table=table, out=out, force=force))
    if not said.quiet:
        click.echo(f"{rows:,} rows: {out}")
    return 0


def _source(model: Path, options: dict[str, Any]) -> ModelSource:
    """What is said of the model beside its files.

    Raises:
        InputError: options that do not go together.
    """
    from pydantic import ValidationError

    from prunegate.policy.model_source import ModelSource

    kind = "onnx" if model.suffix == ".onnx" else "folder"
    given = options["classes"]
    words = {**options, "classes": tuple(given.split(",")) if given else None}
    told = {name: value for name, value in words.items() if value is not None}
    try:
        return ModelSource.model_validate({kind: str(model), **told})
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"{model}: {reason}") from error
