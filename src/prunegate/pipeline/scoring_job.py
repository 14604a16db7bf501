"""A scoring job: one model, some contents, and the columns of scores that follow.

What ``predict`` does with a handful of rows, whoever hands them over: a table part by part on one
machine (``predict_table.py``), or Spark's executors (``predict_on_spark.py``). Where memory ends, a
batch is halved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.errors import InputError, ModelError, TableError
from prunegate.io.progress import Progress, silent
from prunegate.models.load import LoadedModel
from prunegate.models.open_model import open_model, require_classes
from prunegate.models.refusals import is_regressor
from prunegate.pipeline.early_scoring import (
    named_classes,
    output_place,
    refuse_other_rows,
    regressor_outputs,
)
from prunegate.policy.model_source import ModelSource
from prunegate.predict.classify import SCORED, numbers, probabilities
from prunegate.predict.inputs import Inputs
from prunegate.predict.material import images_of
from prunegate.predict.score import scales_by_batch, within_memory
from prunegate.predict.texts import open_texts
from prunegate.predict.tokens import TOKENIZER_FILE, Tokens


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
    """The class whose score is written, or the output of a regressor; None: a column for each
    class."""
    column: str = "score"
    """The column of that score."""
    numbers: bool = False
    """Whether the answers are scores as they stand, also where config.json does not say so."""
    batch: int | None = None
    """Rows per forward pass; None: as ``run`` scores."""
    device: str = "cpu"
    pickles: bool = False
    """Whether weights may be read from one, where there are no safetensors."""
    progress: Progress = silent


class Scorer:
    """A model that is loaded and fits, and the rows that it is given at a time."""

    def __init__(self, asked: ScoringJob, reads: str) -> None:
        """Load the model.

        Raises:
            ModelError: it cannot be used, or has not the class that is asked for.
            UnsupportedError: it is no classifier or regressor of what the table holds.
        """
        self.model = open_model(asked.model, asked.said, classes=False, pickles=asked.pickles)
        _require_classifier(self.model, reads)
        self._asked = asked
        self._numbers = asked.numbers or is_regressor(self.model.config)
        if self._numbers:
            self._place = output_place(
                self.model.place, self.model.config, asked.positive
            )  # told before rows are read, as below
        else:
            require_classes(self.model)
            named_classes(self.model.place, self.model.config, asked.positive)
        require_columns(asked, self.columns)
        self._tokens = _tokens_of(self.model) if reads == "texts" else None
        self._batch = asked.batch or (1 if scales_by_batch(self.model) else SCORED)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of scores."""
        if self._numbers:
            return (self._asked.column,)
        names = named_classes(self.model.place, self.model.config, self._asked.positive)
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
            how: Any = {"batch_size": size, "device": self._asked.device}
            if self._numbers:
                return numbers(self.model.module, inputs, **how)
            how["activation"] = self.model.activation
            return probabilities(self.model.module, inputs, **how)

        try:  # in other batches some models answer otherwise
            fixed = scales_by_batch(self.model)
            found = scored(self._batch) if fixed else within_memory(scored, self._batch)
        except (MemoryError, RuntimeError) as error:
            raise self._failed(str(error).partition("\n")[0]) from error
        if not self._numbers:
            return self._named(found, inputs)
        self._require_outputs(found.shape[1], len(regressor_outputs(self.model.config)))
        return {self._asked.column: found[:, self._place]}

    def _failed(self, why: str) -> ModelError:
        if self._batch > 1:
            return ModelError(
                f"{self.model.place}: fails on {self._batch} rows at a time ({why}), and answers "
                "a little otherwise in other batches, as dynamic int8 does; give a smaller --batch"
            )
        return ModelError(
            f"{self.model.place}: fails on one row at a time ({why}); is there memory enough, and "
            "does the preprocessor or tokenizer belong to the model?"
        )

    def _inputs(self, contents: Sequence[str]) -> Inputs:
        if self._tokens is not None:
            return open_texts(contents, self._tokens)[0]
        folder = self._asked.images or self._asked.table.parent
        return images_of([folder / name for name in contents], self.model)

    def _named(self, shares: NDArray[np.float64], inputs: Inputs) -> dict[str, NDArray[np.float64]]:
        names = named_classes(self.model.place, self.model.config, self._asked.positive)
        if len(names) == 1 and shares.shape[1] == 2:  # one output, which finds its class
            one = numbers(self.model.module, inputs.subset(np.zeros(1, dtype=np.int64)))
            self._require_outputs(one.shape[1], 1)
            names = ("", *names)
        self._require_outputs(shares.shape[1], len(names))
        if self._asked.positive is not None:
            return {self._asked.column: shares[:, names.index(self._asked.positive)]}
        return {f"p_{name}": shares[:, place] for place, name in enumerate(names) if name}

    def _require_outputs(self, there: int, named: int) -> None:
        if there != named:
            raise ModelError(
                f"{self.model.place}: answers with {there} numbers for {named} "
                f"{'outputs' if self._numbers else 'classes'}; correct id2label, or give --classes"
            )


def _tokens_of(model: LoadedModel) -> Tokens:
    """The tokenizer that the model's digest covers, read once for all rows.

    Raises:
        ModelError: there is none that can be read, or another than when the model was loaded.
    """
    tokens = Tokens.of(model.folder, model.config)
    if tokens.sha256 != model.files.get(TOKENIZER_FILE):
        raise ModelError(
            f"{model.folder / TOKENIZER_FILE}: changed while the model was loaded; try again"
        )
    return tokens


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
    refuse_other_rows(
        model.place,
        family.architecture,
        reads,
        reads_of=family.reads,
        answers=family.answers,
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
