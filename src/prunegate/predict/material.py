"""Material: the labelled rows of a run together with their decoded images and class numbers.

The contract has been checked before; here rows become what models take. Only the splits that the
run uses are decoded, and an image that changed since it was hashed is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prunegate.data.hashing import FileHash, require_unchanged
from prunegate.data.labelled_rows import LabelledRows, in_split, is_positive, select
from prunegate.errors import ModelError
from prunegate.policy.model import Policy
from prunegate.policy.naming import value_text
from prunegate.policy.recipe import Rows
from prunegate.predict.images import ImageSet, open_images
from prunegate.predict.labelled import LabelledImages
from prunegate.predict.preprocessing import Preprocessing


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The two classes of a binary classifier."""

    positive: int
    """The model's number of the policy's positive label."""
    negative: int


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a run works on."""

    rows: LabelledRows
    images: ImageSet
    """The images of the splits that are used."""
    places: NDArray[np.int64]
    """Where each row's image is in ``images``; -1: its split is not used."""
    labels: NDArray[np.int64]
    """The class number of each image of ``images``."""

    def examples(self, wanted: Rows, seed: int) -> LabelledImages:
        """The rows that a step of the policy names."""
        chosen = select(self.rows, wanted.split, wanted.where, limit=wanted.limit, seed=seed)
        return LabelledImages.of(self.images, self.labels, self.places[chosen])

    def split(self, name: str) -> ImageSet:
        """The images of one split, in the order of its rows."""
        return _subset(self.images, self.places[select(self.rows, name)])


def used_splits(policy: Policy) -> tuple[str, ...]:
    """The splits that a run of this policy reads images of."""
    searched = ("search",) if policy.search is not None else ()
    steps = (wanted.split for wanted in policy.rows_of_steps.values())
    return tuple(dict.fromkeys(("gate", *searched, *steps)))


def classes_of(policy: Policy, config: Mapping[str, Any]) -> Classes:
    """The class numbers of the policy's labels, by the names in the model's config.

    Raises:
        ModelError: the model is no binary classifier of these labels.
    """
    table = config.get("id2label")
    labels = table if isinstance(table, Mapping) else {}
    names = {value_text(name): str(number) for number, name in labels.items()}
    positive = value_text(policy.task.positive)
    if set(map(str, labels)) != {"0", "1"} or positive not in names or len(names) != 2:
        found = ", ".join(f"{number}: {name}" for number, name in labels.items()) or "not named"
        raise ModelError(
            f"the model's classes are {found} (id2label in config.json); the policy needs two "
            f"classes, 0 and 1, one of them named '{positive}'. Correct 'task: positive:' or the "
            "model's id2label"
        )
    number = int(names[positive])
    return Classes(positive=number, negative=1 - number)


def prepare(
    policy: Policy,
    rows: LabelledRows,
    hashes: Sequence[FileHash],
    preprocessor: Mapping[str, Any],
    classes: Classes,
) -> Material:
    """Decode the images that a run uses.

    Raises:
        TableError: an image cannot be decoded, or changed since it was hashed.
        ModelError, UnsupportedError: the preprocessor's settings are not understood.
    """
    used = np.zeros(len(rows), dtype=np.bool_)
    for split in used_splits(policy):
        used |= in_split(rows, split)
    chosen = np.flatnonzero(used)
    paths = rows.paths
    preprocessing = Preprocessing.from_config(preprocessor)
    images = open_images([paths[i] for i in chosen.tolist()], preprocessing)
    require_unchanged([hashes[i] for i in chosen.tolist()])
    places = np.full(len(rows), -1, dtype=np.int64)
    places[chosen] = np.arange(len(chosen))
    labels = np.where(is_positive(rows, policy), classes.positive, classes.negative)
    return Material(rows=rows, images=images, places=places, labels=labels[chosen])


def _subset(images: ImageSet, places: NDArray[np.int64]) -> ImageSet:
    return ImageSet(
        preprocessing=images.preprocessing,
        paths=tuple(images.paths[i] for i in places.tolist()),
        pixels=None if images.pixels is None else images.pixels[places],
    )
