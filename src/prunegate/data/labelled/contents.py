"""Contents: the picture or the text of single rows, for somebody to look at.

They come from the predictions table where it has them, else from the labelled table that the policy
names, else from a folder of pictures that are called as their rows are. Only the rows that are
asked for leave the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw

from prunegate.data.labelled.rows import LabelledRows
from prunegate.data.labelled.table import check_images
from prunegate.data.predictions.open_table import open_table
from prunegate.errors import MissingColumnsError, TableError
from prunegate.policy.schema import Policy

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""How pictures that are called as their rows are may end."""


@dataclass(frozen=True, kw_only=True)
class RowContents:
    """What rows hold, by id; of the two, one at most is there."""

    pictures: Mapping[str, Path]
    texts: Mapping[str, str]


def row_contents(
    policy: Policy, folder: Path, source: Any, ids: Sequence[str], images: Path | None
) -> RowContents:
    """What rows hold, where that is known.

    Args:
        policy: its ``data`` section names columns, table and image folder.
        folder: what its paths are relative to.
        source: paths of the predictions.
        ids: of the rows.
        images: a folder of pictures; None: the policy's, and none where it names none.

    Raises:
        TableError: pictures that are missing, or lie outside their folder.
    """
    names, known = policy.data.columns, policy.data
    table = folder / known.table if known.table else None
    root = images
    if root is None and (known.images or table is not None):
        root = folder / known.images if known.images else (table or folder).parent
    sources = [source, *([[table]] if table is not None and table.is_file() else [])]
    for place in sources:
        paths = {} if root is None else _column(place, names.id, names.image, ids)
        if root is not None and paths:
            return _pictures(root, paths)
    for place in sources:
        texts = _column(place, names.id, names.text, ids)
        if texts:
            return RowContents(pictures={}, texts=texts)
    if images is None:
        return RowContents(pictures={}, texts={})
    return _pictures(images, _called_as_rows(images, ids))


def _column(source: Any, key: str, name: str, ids: Sequence[str]) -> dict[str, str]:
    """A column's values by id; empty where the source has no such column."""
    try:
        table = open_table(source, (key, name), text_columns=(key, name))
    except MissingColumnsError:
        return {}
    with table.reading():
        rows = table.frame.filter(nw.col(key).is_in(list(ids))).select(key, name).collect().rows()
    return {str(key): str(value) for key, value in rows if value is not None}


def _called_as_rows(folder: Path, ids: Sequence[str]) -> dict[str, str]:
    """Files of a folder whose name, with or without an ending, is a row's id."""
    if not folder.is_dir():
        raise TableError(f"{folder}: no such folder of pictures; correct --images")
    there = {path.name for path in folder.iterdir()}
    found = {}
    for key in ids:
        names = (key, *(f"{key}{suffix}" for suffix in SUFFIXES))
        found[key] = next((name for name in names if name in there), key)
    return found


def _pictures(folder: Path, paths: Mapping[str, str]) -> RowContents:
    """The files, every one inside the folder."""
    nothing = tuple(None for _ in paths)
    rows = LabelledRows(
        name="pictures of the rows to label",
        folder=folder,
        ids=tuple(paths),
        labels=nothing,
        splits=nothing,
        columns={},
        images=tuple(paths.values()),
    )
    check_images(rows)
    return RowContents(pictures=dict(zip(paths, rows.paths, strict=True)), texts={})
