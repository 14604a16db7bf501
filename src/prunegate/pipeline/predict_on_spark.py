"""Predictions of one model on Spark: rows dealt out evenly, one model loaded per executor process.

::

    ids and images or texts -> as many parts as Spark shuffles into -> mapInPandas -> Parquet

Every process of an executor loads the model once and keeps it for its further parts (as long as
Spark reuses its Python workers, which is its default), and makes sure that it is the one that the
driver saw, by digest. The model and the images lie where every executor finds them, under the same
path, and its Python has prunegate. Scores are those of one machine, but for the rounding of other
batches. Nothing is taken up again here: Spark repeats the parts that fail, and a killed job begins
anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.spark import spark_cause, spark_errors
from prunegate.data.predictions.spark_files import SparkFiles, columns_of, sql_name
from prunegate.data.predictions.spark_session import spark_session
from prunegate.errors import InputError, ModelError
from prunegate.io.partial import partial_folder
from prunegate.io.progress import silent
from prunegate.pipeline.early_scoring import content_kind, refuse_taken_folder
from prunegate.pipeline.scoring_job import Scorer, ScoringJob, refuse_rows

if TYPE_CHECKING:
    import pandas as pd

_DEALT_INTO = "spark.sql.shuffle.partitions"
"""Spark's setting for into how many parts rows are dealt out."""


@dataclass(frozen=True, kw_only=True)
class SparkScoring:
    """What is to be predicted on Spark."""

    job: ScoringJob
    """Its paths are read by every executor."""
    table: str
    """As Spark spells it: a file, a glob or a folder, with or without a scheme."""
    out: str
    """A folder of Parquet files, new; with or without a scheme."""
    force: bool = False
    """Replace what is there."""


def predict_on_spark(asked: SparkScoring) -> int:
    """Score every row of a table; returns how many there are.

    Raises:
        InputError: Spark is not there, the table or model cannot be used, or the place is taken.
    """
    refuse_taken_folder(asked.out, force=asked.force)
    with spark_session() as session:
        source = SparkFiles(session=session, paths=(_spelled_out(asked.table),))
        job = replace(asked.job, model=asked.job.model.absolute(), images=_image_folder(asked))
        with spark_errors(source.name):
            reads = content_kind(
                columns_of(source, (job.id,)), job.table, image=job.image, text=job.text
            )
        scorer = Scorer(job, reads)
        refuse_alike(job, scorer.columns)
        name = job.image if reads == "images" else job.text
        table = open_table(source, (job.id, name), text_columns=(job.id, name))
        frame = table.frame.to_native()
        rows = _counted(frame, job, name, source.name)
        job.progress(f"score the {reads} on Spark", 0, 1)
        scored = frame.repartition(
            int(session.conf.get(_DEALT_INTO)), sql_name(job.id)
        ).mapInPandas(
            partial(score_parts, replace(job, progress=silent), reads, name, scorer.model.digest),
            _schema(job, scorer),
        )
        _written(scored, asked)
        job.progress(f"score the {reads} on Spark", 1, 1)
    return rows


def refuse_alike(job: ScoringJob, scores: Sequence[str]) -> None:
    """Refuse columns that are one to Spark, before anything is scored.

    Raises:
        InputError: names differ in nothing but upper and lower case.
    """
    seen: dict[str, str] = {}
    for name in (job.id, *scores):
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise InputError(
                f"the columns {other!r} and {name!r} are one to Spark, which looks at no case; "
                "name them otherwise: --classes for the classes, --column for one score, --id for "
                "the ids, or score on one machine"
            )


def score_parts(
    job: ScoringJob, reads: str, column: str, digest: str, parts: Iterable[pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    """Score the rows that Spark hands to one process.

    Args:
        job: what is asked.
        reads: what the contents are.
        column: of the contents.
        digest: of the model as the driver found it.
        parts: some rows each.

    Raises:
        ModelError: the model is another one here.
        TableError: a content that cannot be read.
    """
    scorer = _scorer(job, reads)
    if scorer.model.digest != digest:
        raise ModelError(
            f"{job.model}: is another model on an executor than on the driver; put the same files "
            "under the same path on every machine"
        )
    for part in parts:
        if len(part):
            yield part[[job.id]].assign(**scorer.scores(part[column].tolist()))


_LOADED: dict[str, Scorer] = {}
"""The scorer of this process, by what was asked: one at a time."""


def _scorer(job: ScoringJob, reads: str) -> Scorer:
    """The model, loaded once a process."""
    asked = f"{reads} {job}"
    if asked not in _LOADED:
        import torch

        torch.set_num_threads(1)  # Spark runs as many processes on a machine as it has cores
        _LOADED.clear()
        _LOADED[asked] = Scorer(job, reads)
    return _LOADED[asked]


def _image_folder(asked: SparkScoring) -> Path | None:
    """What image paths start from: the policy of one machine, where the table is a local file."""
    if asked.job.images is not None or _elsewhere(asked.table):
        return asked.job.images
    place = Path(asked.table)
    return (place if place.is_dir() else place.parent).absolute()


def _counted(frame: Any, job: ScoringJob, content: str, table: str) -> int:
    """How many rows there are, after one look at all ids and contents."""
    key, cell = sql_name(job.id), sql_name(content)
    with spark_errors(table):
        rows, ids, distinct, contents = frame.selectExpr(
            "count(*)", f"count({key})", f"count(DISTINCT {key})", f"count({cell})"
        ).head()
    refuse_rows(job, rows - ids, ids - distinct, rows - contents, content)
    return int(rows)


def _schema(job: ScoringJob, scorer: Scorer) -> Any:
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

    scores = [StructField(name, DoubleType()) for name in scorer.columns]
    return StructType([StructField(job.id, StringType()), *scores])


def _written(scored: Any, asked: SparkScoring) -> None:
    """Write the scores; on this machine they appear whole or not at all."""
    with _failures_told(asked):
        if _elsewhere(asked.out):
            scored.write.mode("overwrite" if asked.force else "errorifexists").parquet(asked.out)
            return
        out = Path(asked.out).absolute()
        out.parent.mkdir(parents=True, exist_ok=True)
        with partial_folder(out.parent) as making:
            scored.write.parquet(str(making / "scores"))
            _replace(making / "scores", out, making / "before")


def _replace(made: Path, out: Path, aside: Path) -> None:
    """Put a folder at its place; what was there goes with the folder that it was made in."""
    if os.path.lexists(out):
        out.rename(aside)
    made.rename(out)


@contextmanager
def _failures_told(asked: SparkScoring) -> Iterator[None]:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise InputError(
            f"{asked.table}: not scored, nothing is kept ({spark_cause(error)}); correct the rows, "
            "or put model and images where every executor reads them"
        ) from error
    except OSError as error:
        raise InputError(f"{asked.out}: cannot be written ({error.strerror})") from error


def _spelled_out(path: str) -> str:
    """A path that means the same wherever Java was started."""
    return path if _elsewhere(path) else str(Path(path).absolute())


def _elsewhere(path: str) -> bool:
    """Whether a path names a file system, so that it is not this machine's to look at."""
    return "://" in path or path.startswith("file:")
