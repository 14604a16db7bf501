"""The image table: labelled rows from a CSV, Parquet or Arrow file, with image paths that are safe.

Every image has to lie inside the image folder, links followed. What a row means (enough rows, known
labels, disjoint splits) is judged by the contract, not here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from prunegate.data.columns import shown
from prunegate.data.labelled_rows import LabelledRows
from prunegate.data.tables import open_table
from prunegate.errors import TableError
from prunegate.policy.model import Policy
from prunegate.policy.naming import value_text

_SHOWN = 5


def read_rows(policy: Policy, folder: Path) -> LabelledRows:
    """Read the policy's labelled data table.

    Args:
        policy: Its ``data`` section names table, image folder and columns.
        folder: What the policy's paths are relative to (the policy file's folder).

    Raises:
        TableError: no table named, an unreadable one, or images that are missing or outside the
            image folder (all of them in one message).
    """
    if policy.data.table is None:
        raise TableError("the policy names no labelled data; add 'data: {table: FILE}'.")
    path = folder / policy.data.table
    images = folder / policy.data.images if policy.data.images else path.parent
    if not images.is_dir():
        raise TableError(f"{images}: no such image folder; correct 'data: images:'.")
    rows = _read(policy, path, images)
    _check_images(rows)
    return rows


def needed_columns(policy: Policy) -> tuple[str, ...]:
    """Return slicing keys, the group column and what the steps of ``compress`` filter by."""
    filters = [key for wanted in policy.rows_of_steps.values() for key in wanted.where]
    group = [policy.group] if policy.group else []
    return tuple(dict.fromkeys((*policy.keys, *group, *filters)))


def _read(policy: Policy, path: Path, images: Path) -> LabelledRows:
    names, keys = policy.data.columns, needed_columns(policy)
    as_text = (names.id, names.image, names.split, *keys)
    if names.label in as_text:
        raise TableError(f"column {shown(names.label)} cannot be the label and something else.")
    table = open_table(
        path, (*as_text, names.label), text_columns=as_text, numeric_columns=(names.label,)
    )
    with table.reading():
        order = (names.id, names.image)
        found = table.frame.sort(*order, nulls_last=True).collect().to_dict(as_series=False)
    return LabelledRows(
        name=table.name,
        folder=images,
        ids=tuple(found[names.id]),
        images=tuple(value or "" for value in found[names.image]),
        labels=tuple(found[names.label]),
        splits=_texts(found[names.split]),
        columns={key: _texts(found[key]) for key in keys},
    )


def _texts(values: Iterable[Any]) -> tuple[str | None, ...]:
    return tuple(None if value is None else value_text(value) for value in values)


def _check_images(rows: LabelledRows) -> None:
    root = Path(os.path.realpath(rows.folder))
    real = cache(os.path.realpath)
    wrong = []
    for identifier, image in zip(rows.ids, rows.images, strict=True):
        if reason := _image_mistake(rows.folder, root, image, real):
            wrong.append(f"  {shown(identifier)}: {shown(image)} {reason}")
    if wrong:
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise TableError(
            f"{rows.name}: {len(wrong)} image(s) cannot be used; paths are relative to "
            f"{rows.folder} and have to stay inside it:\n" + "\n".join(wrong[:_SHOWN]) + more
        )


def _image_mistake(folder: Path, root: Path, image: str, real: Callable[[Any], Any]) -> str:
    """Return what is wrong with one path; empty if nothing is."""
    if not image or "\x00" in image:
        return "is not a path"
    if PurePosixPath(image).is_absolute() or "\\" in image:
        return "is not a relative path with / between its parts"
    if ".." in PurePosixPath(image).parts:
        return "leaves the image folder"
    path = folder / image
    try:
        mode = path.lstat().st_mode
        # Parents repeat, so they are resolved once each; a link is resolved itself.
        place = Path(real(path) if stat.S_ISLNK(mode) else real(path.parent))
        if not place.is_relative_to(root):
            return "leads out of the image folder (a symbolic link)"
        regular = stat.S_ISREG(path.stat().st_mode if stat.S_ISLNK(mode) else mode)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if regular else "is not a regular file"
