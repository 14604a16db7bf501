"""The labelled table: labelled rows from a CSV, Parquet or Arrow file.

What a row is about is decided before any model is loaded, by the task and the table's columns: a
language task reads prompts and references; any other task reads texts or images, whichever column
the table has. What a row means (enough rows, known labels, disjoint splits) is judged by the
contract, not here.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from prunegate.data.labelled.label_sets import BESIDE, UNKNOWN, label_set_columns, read_label_sets
from prunegate.data.labelled.rows import LabelledRows, Reads
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.metadata import column_names
from prunegate.data.predictions.open_table import open_wanted
from prunegate.data.predictions.wanted import WantedColumns
from prunegate.errors import TableError
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import target_splits

_SHOWN = 5


def check_images(rows: LabelledRows) -> None:
    """Insist that every image is a regular file inside the image folder.

    Raises:
        TableError: naming the first five that are not, and their number.
    """
    root = Path(os.path.realpath(rows.folder))
    real = cache(os.path.realpath)
    wrong = []
    for identifier, image in zip(rows.ids, rows.images, strict=True):
        if reason := _mistake(rows.folder, root, image, real):
            wrong.append(f"  {shown(identifier)}: {shown(image)} {reason}")
    if wrong:
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise TableError(
            f"{rows.name}: {len(wrong)} image(s) cannot be used; paths are relative to "
            f"{rows.folder} and have to stay inside it:\n" + "\n".join(wrong[:_SHOWN]) + more
        )


def _mistake(folder: Path, root: Path, image: str, real: Callable[[Any], Any]) -> str:
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


def read_rows(policy: Policy, folder: Path) -> LabelledRows:
    """Read the policy's labelled data table.

    Args:
        policy: Its ``data`` section names table, image folder and columns.
        folder: What the policy's paths are relative to (the policy file's folder).

    Raises:
        TableError: no table named, an unreadable one, one that holds both images and texts and
            does not say which are meant, or images that are missing or outside the image folder
            (all of them in one message), or several labels a row that cannot be read.
    """
    if policy.data.table is None:
        raise TableError("the policy names no labelled data; add 'data: {table: FILE}'.")
    path = folder / policy.data.table
    images = folder / policy.data.images if policy.data.images else path.parent
    if policy.data.images and not images.is_dir():
        raise TableError(f"{images}: no such image folder; correct 'data: images:'.")
    rows = _read(policy, path, images, _reads(policy, path))
    if rows.reads == "images":
        check_images(rows)
    return rows


def columns_to_read(policy: Policy) -> tuple[str, ...]:
    """Return slicing keys, group and weight column and what the steps of ``compress`` filter by."""
    filters = [key for wanted in policy.rows_of_steps.values() for key in wanted.where]
    beside = [name for name in (policy.group, policy.weight) if name]
    return tuple(dict.fromkeys((*policy.keys, *beside, *filters)))


def content_columns(policy: Policy, reads: Reads) -> dict[str, str]:
    """The columns that hold what the models are given: fields of ``LabelledRows`` to names."""
    names = policy.data.columns
    return {
        "images": {"images": names.image},
        "texts": {"texts": names.text},
        "documents": {"prompts": names.prompt, "references": names.reference},
    }[reads]


def _reads(policy: Policy, path: Path) -> Reads:
    """What the rows are about.

    Raises:
        TableError: the table has an image and a text column, or neither, and the policy does not
            settle it by naming one of them.
    """
    if policy.task.traits.documents:
        return "documents"
    names, spelt = policy.data.columns, policy.data.columns.model_fields_set
    if policy.data.images or ("image" in spelt and "text" not in spelt):
        return "images"
    if "text" in spelt and "image" not in spelt:
        return "texts"
    wanted = (names.id, names.split)
    there = {unicodedata.normalize("NFC", name) for name in column_names(path, wanted)}
    image, text = (unicodedata.normalize("NFC", n) in there for n in (names.image, names.text))
    if image != text:
        return "images" if image else "texts"
    either = ("both", "and") if image else ("neither", "nor")
    raise TableError(
        f"{path}: has {either[0]} column {shown(names.image)} {either[1]} {shown(names.text)}; the "
        "models are given images or texts: name the one column under 'data: columns:', as 'image:' "
        "or 'text:'."
    )


def _read(policy: Policy, path: Path, images: Path, reads: Reads) -> LabelledRows:
    names, keys = policy.data.columns, columns_to_read(policy)
    content, sets = content_columns(policy, reads), label_set_columns(policy)
    labels = tuple(sets) or (names.label,) if _need_labels(policy) else ()
    as_text = (names.id, *content.values(), names.split, *keys)
    if both := sorted({*labels, names.label} & set(as_text)):
        raise TableError(f"column {shown(both[0])} cannot be the label and something else.")
    wanted = WantedColumns(
        names=tuple(dict.fromkeys((*as_text, *labels))),
        text=frozenset((*as_text, *({BESIDE, UNKNOWN} & sets.keys()))),
        numeric=frozenset(labels) - {BESIDE, UNKNOWN},
        answers=sets,
    )
    table = open_wanted(path, wanted)
    with table.reading():
        order = (names.id, *content.values())
        found = table.frame.sort(*order, nulls_last=True).collect().to_dict(as_series=False)
    ids = tuple(found[names.id])
    return LabelledRows(
        name=table.name,
        folder=images,
        ids=ids,
        labels=_labels(policy, found, ids, table.name) if labels else (None,) * len(ids),
        splits=_texts(found[names.split]),
        columns={key: _texts(found[key]) for key in keys},
        **{field: tuple(v or "" for v in found[column]) for field, column in content.items()},
    )


def _need_labels(policy: Policy) -> bool:
    """Whether rows have a label of their own that somebody reads."""
    if policy.task.traits.estimated:
        return bool(target_splits(policy))
    return not policy.task.traits.documents


def _labels(
    policy: Policy, found: Mapping[str, Any], ids: tuple[Any, ...], table: str
) -> tuple[Any, ...]:
    if policy.task.traits.sets:
        return read_label_sets(policy, found, ids, table)
    return tuple(found[policy.data.columns.label])


def _texts(values: Iterable[Any]) -> tuple[str | None, ...]:
    return tuple(None if value is None else value_text(value) for value in values)
