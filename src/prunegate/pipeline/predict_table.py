"""Predictions of one model on a table: scored part by part, kept as they come, taken up again.

::

    ids and images or texts -> part of some thousand rows -> scores -> a file for the part
                                                                       all parts -> one file

A part that is there is not scored again, so work that was killed goes on where it stopped. Parts
belong to one model, one table and one way of asking, by digest. Where memory ends, a batch is
halved. The file is what ``gate --baseline-predictions`` and ``--candidate-predictions`` read.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from prunegate import __version__
from prunegate.data.predictions.metadata import column_names
from prunegate.data.predictions.open_table import open_table
from prunegate.errors import InputError, ModelError, TableError, UnsupportedError
from prunegate.io.atomic import write_whole
from prunegate.io.hashing import file_sha256
from prunegate.io.partial import PARTIAL
from prunegate.io.progress import Progress, silent
from prunegate.models.load import LoadedModel
from prunegate.models.open_model import open_model
from prunegate.pipeline.context import SCORED
from prunegate.policy.model_source import ModelSource
from prunegate.predict.classes import class_names
from prunegate.predict.classify import probabilities
from prunegate.predict.inputs import Inputs
from prunegate.predict.material import images_of
from prunegate.predict.texts import open_texts
from prunegate.predict.tokens import Tokens

PART = 4096
"""Rows that are scored before they are kept."""
FORMATS = (".parquet", ".csv")
"""What the name of a file of predictions ends with."""


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


def predict_table(asked: ScoringJob) -> int:
    """Score every row of a table; returns how many there are.

    Raises:
        InputError: the table or model cannot be used, or the file cannot be written.
    """
    if asked.out.suffix not in FORMATS:
        raise InputError(f"{asked.out}: give a name that ends with {' or '.join(FORMATS)}")
    reads = _reads(asked)
    model = open_model(asked.model, asked.said)
    _require_suitable(model, reads)
    class_names(model.config, asked.positive)  # a wrong name is told before rows are read
    ids, contents = table_rows(asked, reads)
    parts = asked.out.parent / f"{PARTIAL}{asked.out.name}-{_identity(asked, model)}"
    batch = asked.batch or (1 if model.storage.quantized.get("kind") == "dynamic" else SCORED)
    tables = []
    for start in range(0, len(ids), PART):
        asked.progress(f"score the {reads}", start, len(ids))
        place = parts / f"{start:012}.parquet"
        if not place.exists():
            some = _inputs(asked, model, reads, contents[start : start + PART])
            shares, batch = _scored(model, some, batch, asked.device)
            scores = _columns(asked, model, shares)
            part = pa.table({asked.id: ids[start : start + PART], **scores})
            write_whole(place, table_bytes(part, ".parquet"))
        tables.append(pq.read_table(place))
    write_whole(asked.out, table_bytes(pa.concat_tables(tables), asked.out.suffix))
    shutil.rmtree(parts, ignore_errors=True)
    asked.progress(f"score the {reads}", len(ids), len(ids))
    return len(ids)


def _reads(asked: ScoringJob) -> str:
    names = set(column_names(asked.table, (asked.id,)))
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


def _require_suitable(model: LoadedModel, reads: str) -> None:
    family = model.family
    if family.reads != reads or family.answers != "classes":
        raise UnsupportedError(
            f"{model.place}: {family.architecture} reads {family.reads} and answers with "
            f"{family.answers}; the table holds {reads}, and classifiers are predicted with"
        )


def table_rows(asked: ScoringJob, reads: str) -> tuple[pa.ChunkedArray, list[str]]:
    """Every row's id and content, in the order of the ids, so that parts are the same again."""
    name = asked.image if reads == "images" else asked.text
    table = open_table(asked.table, (asked.id, name), text_columns=(asked.id, name))
    with table.reading():
        found = table.frame.sort(asked.id, nulls_last=True).collect("pyarrow").to_native()
    ids = found[asked.id]
    doubled = len(ids) - pc.count_distinct(ids, mode="all").as_py()
    if ids.null_count or found[name].null_count or doubled:
        raise TableError(
            f"{asked.table}: {ids.null_count} rows without {asked.id}, {doubled} ids that occur "
            f"before, {found[name].null_count} rows without {name}; every row needs an id of its "
            "own and a content"
        )
    return ids, found[name].to_pylist()


def _inputs(asked: ScoringJob, model: LoadedModel, reads: str, contents: Sequence[str]) -> Inputs:
    if reads == "images":
        folder = asked.images or asked.table.parent
        return images_of([folder / name for name in contents], model)
    return open_texts(contents, Tokens.of(model.folder, model.config))[0]


def _scored(
    model: LoadedModel, inputs: Inputs, batch: int, device: str
) -> tuple[NDArray[np.float64], int]:
    """Scores of some rows, and the batch that memory sufficed for."""
    while True:
        try:
            shares = probabilities(
                model.module,
                inputs,
                batch_size=batch,
                device=device,
                activation=model.activation,
            )
        except (MemoryError, RuntimeError) as error:  # torch has no type of its own for the CPU's
            if batch == 1:
                first = str(error).partition("\n")[0]
                raise ModelError(
                    f"{model.place}: fails on one row at a time ({first}); is there memory enough, "
                    "and does the preprocessor or tokenizer belong to the model?"
                ) from error
            batch //= 2
        else:
            return shares, batch


def _columns(
    asked: ScoringJob, model: LoadedModel, shares: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    names = class_names(model.config, asked.positive)
    if len(names) == 1 and shares.shape[1] == 2:  # one output, which finds its class
        names = ("", *names)
    if len(names) != shares.shape[1]:
        raise ModelError(
            f"{model.place}: answers with {shares.shape[1]} numbers for {len(names)} classes; "
            "correct id2label, or give --classes"
        )
    if asked.positive is not None:
        return {asked.column: shares[:, names.index(asked.positive)]}
    return {f"p_{name}": shares[:, place] for place, name in enumerate(names) if name}


def table_bytes(table: pa.Table, suffix: str) -> bytes:
    """A table as the bytes of a file of that kind."""
    made = io.BytesIO()
    if suffix == ".csv":
        pyarrow.csv.write_csv(table, made)
    else:
        pq.write_table(table, made)
    return made.getvalue()


def _identity(asked: ScoringJob, model: LoadedModel) -> str:
    """Everything that decides the scores: another model, table or question has parts of its own."""
    decides: dict[str, Any] = {
        "version": __version__,
        "model": model.digest,
        "said": asked.said.model_dump(mode="json", exclude={"folder", "onnx"}),
        "table": file_sha256(asked.table),
        "images": str(asked.images),
        "asked": [asked.id, asked.image, asked.text, asked.positive, asked.column],
        "batch": asked.batch,
        "device": asked.device,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
