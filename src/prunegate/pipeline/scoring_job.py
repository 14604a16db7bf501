"""A scoring job: one model, some contents, and the columns of scores that follow.

What ``predict`` does with a handful of rows, whoever hands them over: a table part by part on one
machine (``predict_table.py``), or Spark's executors (``predict_on_spark.py``). Where memory ends, a
batch is halved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prunegate.errors import InputError, ModelError, TableError, UnsupportedError
from prunegate.io.progress import Progress, silent
from prunegate.models.load import LoadedModel
from prunegate.models.open_model import open_model
from prunegate.policy.model_source import ModelSource
from prunegate.predict.classes import class_names
from prunegate.predict.classify import SCORED, probabilities
from prunegate.predict.inputs import Inputs
from prunegate.predict.material import images_of
from prunegate.predict.score import scales_by_batch, within_memory
from prunegate.predict.texts import open_texts
from prunegate.predict.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class ScoringJob:
    """What is to be predicted, and where the answers go."""

    model: Path
    """A folder or an ONNX file."""
    said: ModelSource
    """What is said of the model beside its files."""
    table: Path
    """CSV, JSON lines, Parquet or Arrow with ids, and image paths or texts."""
    out: Path
    """A file to write: .parquet or .csv."""
    images: Path | None = None
    """What image paths start from; None: the table's folder."""
    id: str = "id"
    image: str = "image"
    text: str = "text"
    positive: str | None = None
    """The class whose score is written; None: a column for each class."""
    column: str = "score"
    """The column of that score."""
    batch: int | None = None
    """Rows per forward pass; None: as ``run`` scores."""
    device: str = "cpu"
    progress: Progress = silent


def content_kind(names: Sequence[str], asked: ScoringJob) -> str:
    """What the models are given: images or texts, by the columns that a table has.

    Raises:
        TableError: it has both columns, or neither.
    """
    there = [
        what for what, name in (("images", asked.image), ("texts", asked.text)) if name in names
    ]
    if len(there) != 1:
        raise TableError(
            f"{asked.table}: has {'both' if there else 'neither'} column {asked.image!r} "
            f"{'and' if there else 'nor'} {asked.text!r}; name the one that the model is "
            "given with --image or --text"
        )
    return there[0]


class Scorer:
    """A model that is loaded and fits, and the rows that it is given at a time."""

    def __init__(self, asked: ScoringJob, reads: str) -> None:
        """Load the model.

        Raises:
            ModelError: it cannot be used, or has not the class that is asked for.
            UnsupportedError: it is no classifier of what the table holds.
        """
        self.model = open_model(asked.model, asked.said)
        _require_classifier(self.model, reads)
        class_names(self.model.config, asked.positive)  # a wrong name is told before rows are read
        self._asked = asked
        require_columns(asked, self.columns)
        self._reads = reads
        self._batch = asked.batch or (1 if scales_by_batch(self.model) else SCORED)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of scores."""
        names = class_names(self.model.config, self._asked.positive)
        one = self._asked.positive is not None
        return (self._asked.column,) if one else tuple(f"p_{name}" for name in names)

    def scores(self, contents: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """The scores of some contents, by column.

        Args:
            contents: paths of images below the image folder, or texts; at least one.

        Raises:
            TableError: one that cannot be read.
            ModelError: the model fails on a single row, or answers something else.
        """
        inputs = self._inputs(contents)

        def scored(size: int) -> NDArray[np.float64]:
            self._batch = size  # further rows begin with what memory sufficed for
            return probabilities(
                self.model.module,
                inputs,
                batch_size=size,
                device=self._asked.device,
                activation=self.model.activation,
            )

        try:
            shares = within_memory(scored, self._batch)
        except (MemoryError, RuntimeError) as error:
            first = str(error).partition("\n")[0]
            raise ModelError(
                f"{self.model.place}: fails on one row at a time ({first}); is there memory "
                "enough, and does the preprocessor or tokenizer belong to the model?"
            ) from error
        return self._named(shares)

    def _inputs(self, contents: Sequence[str]) -> Inputs:
        if self._reads == "images":
            folder = self._asked.images or self._asked.table.parent
            return images_of([folder / name for name in contents], self.model)
        return open_texts(contents, Tokens.of(self.model.folder, self.model.config))[0]

    def _named(self, shares: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        names = class_names(self.model.config, self._asked.positive)
        if len(names) == 1 and shares.shape[1] == 2:  # one output, which finds its class
            names = ("", *names)
        if len(names) != shares.shape[1]:
            raise ModelError(
                f"{self.model.place}: answers with {shares.shape[1]} numbers for {len(names)} "
                "classes; correct id2label, or give --classes"
            )
        if self._asked.positive is not None:
            return {self._asked.column: shares[:, names.index(self._asked.positive)]}
        return {f"p_{name}": shares[:, place] for place, name in enumerate(names) if name}


def require_columns(asked: ScoringJob, scores: Iterable[str]) -> None:
    """Insist that ids and scores are columns of their own.

    Args:
        asked: the job, which names the ids.
        scores: the names of the columns of scores.

    Raises:
        InputError: a name is empty or no text, or two are the same.
    """
    names = (asked.id, *scores)
    if wrong := [name for name in names if not _is_name(name)]:
        raise InputError(
            f"a column cannot be called {wrong[0]!r}; give it a name: --id for the ids, --column "
            "for the scores, --classes for the classes"
        )
    if len(set(names)) < len(names):
        raise InputError(
            f"ids and scores would both be called {asked.id!r}, and one of them be lost; name the "
            "scores otherwise (--column), or give the table another column of ids (--id)"
        )


def _is_name(name: str) -> bool:
    """Whether a file can hold it."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _require_classifier(model: LoadedModel, reads: str) -> None:
    family = model.family
    if family.reads != reads or family.answers != "classes":
        raise UnsupportedError(
            f"{model.place}: {family.architecture} reads {family.reads} and answers with "
            f"{family.answers}; the table holds {reads}, and classifiers are predicted with"
        )


def refuse_rows(asked: ScoringJob, ids: int, doubled: int, contents: int, column: str) -> None:
    """Refuse a table with rows that cannot be scored, or not be told apart.

    Args:
        asked: the job.
        ids: rows without an id.
        doubled: rows whose id occurs before.
        contents: rows without a content.
        column: of the contents.

    Raises:
        TableError: there are such rows.
    """
    if ids or doubled or contents:
        raise TableError(
            f"{asked.table}: {ids} rows without {asked.id}, {doubled} ids that occur before, "
            f"{contents} rows without {column}; every row needs an id of its own and a content"
        )
