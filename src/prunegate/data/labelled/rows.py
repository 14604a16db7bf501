"""Labelled rows: the data that ``run`` trains, ranks and judges on, as plain values in memory.

A row is an image or a text with its label, or a document: a prompt with its reference.

Small enough for Python (tens of thousands of rows). Rows are sorted by id, so that a seeded draw
does not depend on the order in which an engine hands rows over. Text is compared in Unicode's NFC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from prunegate.errors import TableError
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy

Reads = Literal["images", "texts", "documents"]
"""What the models are given."""
Scalar = bool | int | float | str
LabelSet = tuple[str, ...]
"""The labels of a row that may have several; empty: it has none of them."""
Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class LabelledRows:
    """All sequences have one entry per row; of the contents, one kind is there, the rest empty."""

    name: str
    """The table's path, for messages."""
    folder: Path
    """What image paths start from."""
    ids: tuple[str | None, ...]
    labels: tuple[Scalar | LabelSet | None, ...]
    """None throughout for documents: what is to be said is the reference. A row that may have
    several labels has a set of them; of a score task, one whose number nobody needs may have
    none."""
    splits: tuple[str | None, ...]
    columns: Mapping[str, tuple[str | None, ...]]
    """Slicing keys and the group column, as text."""
    images: tuple[str, ...] = ()
    """Paths relative to ``folder``, as the table gives them."""
    texts: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    """Of documents: what is given; may be empty."""
    references: tuple[str, ...] = ()
    """Of documents: the text whose likelihood is measured."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def reads(self) -> Reads:
        """What the rows are about."""
        if self.references:
            return "documents"
        return "texts" if self.texts else "images"

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The image files."""
        return tuple(self.folder / image for image in self.images)


def matching(rows: LabelledRows, where: Mapping[str, Scalar | tuple[Scalar, ...]]) -> Mask:
    """Return which rows have the given column values (any one of several), bool [N].

    Raises:
        TableError: a column that was not read.
    """
    mask = np.ones(len(rows), dtype=np.bool_)
    for key, wanted in where.items():
        if key not in rows.columns:
            raise TableError(f"{rows.name}: column '{key}' is not there; add it to the table.")
        allowed = {value_text(v) for v in (wanted if isinstance(wanted, tuple) else (wanted,))}
        mask &= np.fromiter((value in allowed for value in rows.columns[key]), np.bool_, len(rows))
    return mask


def in_split(rows: LabelledRows, split: str) -> Mask:
    """Return which rows belong to a split, bool [N]."""
    return np.fromiter((value == split for value in rows.splits), np.bool_, len(rows))


def is_positive(rows: LabelledRows, policy: Policy) -> Mask:
    """Return which rows carry the positive label, bool [N]; numbers and booleans as numbers."""
    positive = policy.task.positive
    same = (isinstance(v, str) == isinstance(positive, str) and v == positive for v in rows.labels)
    return np.fromiter(same, np.bool_, len(rows))


def has_label(rows: LabelledRows, label: str) -> Mask:
    """Return which rows carry one label among several, bool [N]."""
    same = (isinstance(found, tuple) and label in found for found in rows.labels)
    return np.fromiter(same, np.bool_, len(rows))


def select_rows(
    rows: LabelledRows,
    split: str,
    where: Mapping[str, Scalar | tuple[Scalar, ...]] | None = None,
    *,
    limit: int | None = None,
    seed: int = 0,
) -> Indices:
    """Return the places of a split's rows, ascending; ``limit`` draws that many with the seed.

    The draw depends on the rows and the seed only, not on the order of the file.

    Raises:
        TableError: no row matches.
    """
    found = np.flatnonzero(in_split(rows, split) & matching(rows, where or {})).astype(np.int64)
    if not len(found):
        narrowed = f" with {dict(where)}" if where else ""
        raise TableError(f"{rows.name}: split '{split}' has no rows{narrowed}; add some.")
    if limit is None or limit >= len(found):
        return found
    drawn = np.random.default_rng(seed).choice(found, size=limit, replace=False)
    return np.sort(drawn)
