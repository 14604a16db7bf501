"""Predictions of one model on a table: scored part by part, kept as they come, taken up again.

::

    ids and images or texts -> part of some thousand rows -> scores -> a file for the part
                                                                       all parts -> one file

A part that is there is not scored again, so work that was killed goes on where it stopped. Parts
belong to one model, one table and one way of asking, by digest, and to pictures as they were, by
size and time; one that is damaged or holds other rows is made anew. The file is what ``gate
--baseline-predictions`` and ``--candidate-predictions`` read.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from prunegate._version import __version__
from prunegate.data.predictions.metadata import column_names
from prunegate.data.predictions.open_table import open_table
from prunegate.errors import InputError
from prunegate.io.atomic import write_whole
from prunegate.io.hashing import file_sha256
from prunegate.io.partial import PARTIAL
from prunegate.models.load import LoadedModel
from prunegate.pipeline.early_scoring import content_kind
from prunegate.pipeline.scoring_job import Scorer, ScoringJob, refuse_rows

PART = 4096
"""Rows that are scored before they are kept."""
FORMATS = (".parquet", ".csv")
"""What the name of a file of predictions ends with."""


def predict_table(asked: ScoringJob) -> int:
    """Score every row of a table; returns how many there are.

    Raises:
        InputError: the table or model cannot be used, or the file cannot be written.
    """
    if asked.out.suffix not in FORMATS:
        raise InputError(f"{asked.out}: give a name that ends with {' or '.join(FORMATS)}")
    reads = content_kind(
        column_names(asked.table, (asked.id,)), asked.table, image=asked.image, text=asked.text
    )
    scorer = Scorer(asked, reads)
    ids, contents = table_rows(asked, reads)
    parts = asked.out.parent / f"{PARTIAL}{asked.out.name}-{_identity(asked, scorer.model)}"
    tables = []
    for start in range(0, len(ids), PART):
        asked.progress(f"score the {reads}", start, len(ids))
        rows = slice(start, start + PART)
        place = parts / part_name(asked, reads, start, contents[rows])
        part = kept_part(place, (asked.id, *scorer.columns), ids[rows])
        if part is None:
            part = pa.table({asked.id: ids[rows], **scorer.scores(contents[rows])})
            write_whole(place, table_bytes(part, ".parquet"))
        tables.append(part)
    write_whole(asked.out, table_bytes(pa.concat_tables(tables), asked.out.suffix))
    shutil.rmtree(parts, ignore_errors=True)
    asked.progress(f"score the {reads}", len(ids), len(ids))
    return len(ids)


def part_name(asked: ScoringJob, reads: str, start: int, contents: Sequence[str]) -> str:
    """What the file of a part is called: another where its pictures are others."""
    seen: list[tuple[int, int] | None] = []
    if reads == "images":
        seen = [_as_found(picture_folder(asked) / name) for name in contents]
    digest = hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]
    return f"{start:012}-{digest}.parquet"


def kept_part(place: Path, columns: Sequence[str], ids: pa.ChunkedArray) -> pa.Table | None:
    """A part that was kept; None: there is none, or it is not whole, or of other rows.

    Args:
        place: of its file.
        columns: that it has, ids first.
        ids: of its rows.
    """
    try:
        found = pq.read_table(place)
    except (OSError, pa.ArrowException):
        return None
    same = found.column_names == list(columns) and found[columns[0]].to_pylist() == ids.to_pylist()
    return found if same else None


def picture_folder(asked: ScoringJob) -> Path:
    """What image paths start from."""
    return asked.images or asked.table.parent


def _as_found(path: Path) -> tuple[int, int] | None:
    """A file's size and the time of its last change; None: it cannot be looked at."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # ValueError: a name with a null character
        return None
    return found.st_size, found.st_mtime_ns


def table_rows(asked: ScoringJob, reads: str) -> tuple[pa.ChunkedArray, list[str]]:
    """Every row's id and content, in the order of the ids, so that parts are the same again."""
    name = asked.image if reads == "images" else asked.text
    table = open_table(asked.table, (asked.id, name), text_columns=(asked.id, name))
    with table.reading():
        found = table.frame.sort(asked.id, nulls_last=True).collect("pyarrow").to_native()
    ids = found[asked.id]
    doubled = len(ids) - pc.count_distinct(ids, mode="all").as_py()
    refuse_rows(asked, ids.null_count, doubled, found[name].null_count, name)
    return ids, found[name].to_pylist()


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
        "numbers": asked.numbers,
        "batch": asked.batch,
        "device": asked.device,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
