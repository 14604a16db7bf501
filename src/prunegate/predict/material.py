"""Material: the labelled rows of a run as what models take, with the answers expected of them.

The contract has been checked before. Only the splits that the run uses are decoded or cut into
tokens, and an image that changed since it was hashed is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from prunegate.data.file_hashes import require_unchanged
from prunegate.data.labelled.rows import LabelledRows, in_split, select_rows
from prunegate.errors import ModelError, TableError, UnsupportedError
from prunegate.io.hashing import FileHash
from prunegate.models.batch import Batch
from prunegate.models.judged_only import JudgedOnly
from prunegate.models.load import PREPROCESSOR_FILE, LoadedModel
from prunegate.models.vit_geometry import ViTGeometry
from prunegate.policy.schema import Policy
from prunegate.policy.steps import Rows
from prunegate.predict.documents import Documents, open_documents
from prunegate.predict.images import ImageSet, open_images
from prunegate.predict.inputs import Inputs
from prunegate.predict.preprocessing import Preprocessing, understands
from prunegate.predict.processed_images import processed_images
from prunegate.predict.tasks.every import answers_of
from prunegate.predict.tasks.task_answers import Targets
from prunegate.predict.texts import open_texts
from prunegate.predict.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Some rows of images or texts, with labels; satisfies ``compress.examples.Examples``."""

    inputs: Inputs
    labels: Targets
    """What a model should say of every row of ``inputs``."""
    rows: NDArray[np.int64]
    """The rows that are used, by their number in ``inputs``."""

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.inputs):
            raise TableError(
                f"{len(self.labels)} labels for {len(self.inputs)} {self.inputs.noun}; give one "
                "each."
            )
        if len(self.rows) and not 0 <= self.rows.min() <= self.rows.max() < len(self.inputs):
            raise TableError(f"rows have to be numbers from 0 to {len(self.inputs) - 1}.")

    @classmethod
    def of(
        cls,
        inputs: Inputs,
        labels: NDArray[np.integer] | NDArray[np.float32],
        rows: NDArray[np.integer] | None = None,
    ) -> Labelled:
        """Pair images or texts with labels; ``rows`` selects some, default all."""
        chosen = np.arange(len(inputs)) if rows is None else np.asarray(rows)
        floating = labels.dtype.kind == "f"  # numbers, or flags of several labels
        return cls(
            inputs=inputs,
            labels=labels.astype(np.float32) if floating else labels.astype(np.int64),
            rows=chosen.astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, rows: NDArray[np.integer]) -> Batch:
        """Return the batch of these rows, by their numbers [B], on the CPU."""
        chosen = self.rows[rows]
        return Batch(
            inputs=self.inputs.inputs(chosen), labels=torch.from_numpy(self.labels[chosen])
        )


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a run works on."""

    rows: LabelledRows
    inputs: Inputs
    """The images, texts or documents of the splits that are used."""
    places: NDArray[np.int64]
    """Where each row is in ``inputs``; -1: its split is not used."""
    labels: Targets | None
    """What a model should say of each of ``inputs``; None for documents, which are their own
    answer."""
    tokens: Tokens | None = None
    """How texts are cut; None for images."""
    warnings: tuple[str, ...] = ()
    """About texts that were cut short."""

    def examples(self, wanted: Rows, seed: int) -> Labelled | Documents:
        """The rows that a step of the policy names."""
        rows = select_rows(self.rows, wanted.split, wanted.where, limit=wanted.limit, seed=seed)
        chosen = self.places[rows]
        if isinstance(self.inputs, Documents):
            return self.inputs.subset(chosen)
        assert self.labels is not None  # noqa: S101  # images and texts come with labels
        return Labelled.of(self.inputs, self.labels, chosen)

    def split(self, name: str) -> Inputs:
        """The images, texts or documents of one split, in the order of its rows."""
        return self.inputs.subset(self.places[select_rows(self.rows, name)])


def used_splits(policy: Policy) -> tuple[str, ...]:
    """The splits that a run of this policy reads rows of."""
    searched = ("search",) if policy.search is not None else ()
    steps = (wanted.split for wanted in policy.rows_of_steps.values())
    tuned = ("calibration",) if policy.task.untuned else ()
    return tuple(dict.fromkeys(("gate", *searched, *tuned, *steps)))


def prepare_material(
    policy: Policy, rows: LabelledRows, hashes: Sequence[FileHash], model: LoadedModel
) -> Material:
    """Decode, or cut into tokens, what a run uses.

    Args:
        policy: says which splits are used, and what the labels are.
        rows: the labelled rows.
        hashes: of each row's image; empty for texts.
        model: the baseline.

    Raises:
        TableError: a row that cannot be used, or an image that changed since it was hashed.
        ModelError: the model does not answer what the policy asks, or lacks its tokenizer.
        UnsupportedError: the model reads something else, or its preprocessor is not understood.
    """
    require_suitable(policy, rows, model)
    used = np.zeros(len(rows), dtype=np.bool_)
    for split in used_splits(policy):
        used |= in_split(rows, split)
    chosen = np.flatnonzero(used).astype(np.int64)
    targets = answers_of(policy).targets(policy, rows, chosen, model)
    inputs, tokens, warnings = _opened(rows, chosen, hashes, model)
    places = np.full(len(rows), -1, dtype=np.int64)
    places[chosen] = np.arange(len(chosen))
    return Material(
        rows=rows, inputs=inputs, places=places, labels=targets, tokens=tokens, warnings=warnings
    )


def require_suitable(policy: Policy, rows: LabelledRows, model: LoadedModel) -> None:
    """Insist that a model takes what the rows hold, and answers what the task asks.

    Raises:
        UnsupportedError: it does not.
    """
    family = model.family
    reads = "images" if rows.reads == "images" else "texts"
    asked = answers_of(policy)
    if family.reads != reads or family.answers != asked.answers:
        models = asked.models if rows.reads == "documents" else f"{asked.models} of {reads}"
        raise UnsupportedError(
            f"{model.folder}: {family.architecture} reads {family.reads} and answers with "
            f"{'the' if family.answers == 'next token' else 'their'} {family.answers}; "
            f"the policy and its table ask for {models}. Give a model for that, or "
            "correct 'task: kind:' and 'data: columns:'"
        )


def require_answers(policy: Policy, material: Material, model: LoadedModel) -> None:
    """Call a model with one row, before hours are spent on what it cannot do.

    Raises:
        ModelError: it fails on the row, or answers something else than the task asks.
    """
    inputs = material.inputs
    given = inputs.inputs(np.zeros(1, dtype=np.int64))
    try:
        with torch.inference_mode():
            shape = tuple(model.module(**given).logits.shape)
    except (RuntimeError, ValueError, IndexError, ModelError) as error:  # of forward passes
        reason = str(error).partition("\n")[0]
        raise ModelError(
            f"{model.folder}: fails on the first of the {inputs.noun} ({reason}); give the "
            "preprocessor or tokenizer files that belong to the model."
        ) from error
    answers_of(policy).require(policy, model, shape)


def require_preprocessor(model: LoadedModel) -> None:
    """Pass if it is known how images become a model's numbers.

    Raises:
        ModelError: a model of another tool has no preprocessor beside it.
    """
    if not model.preprocessor and isinstance(model.family, JudgedOnly):
        raise ModelError(
            f"{model.place}: {PREPROCESSOR_FILE} is missing, which says how images become the "
            "model's numbers; put the one that belongs to the model beside it"
        )


def images_of(paths: Sequence[Path], model: LoadedModel) -> Inputs:
    """Open image files as a model's own preprocessor prepares them.

    Raises:
        TableError: files that cannot be read, or that end at several sizes.
        ModelError: no preprocessor, or one that makes another size than the model takes.
        UnsupportedError: a preprocessor that is not understood.
    """
    require_preprocessor(model)
    model_type = model.config.get("model_type")
    if not understands(model.preprocessor, model_type):
        return processed_images(paths, model.preprocessor, model.folder)
    preprocessing = Preprocessing.from_config(model.preprocessor, model_type)
    images = open_images(paths, preprocessing)
    _require_size(images, model)
    return images


def _require_size(images: ImageSet, model: LoadedModel) -> None:
    """Refuse images of another size than a ViT's, which takes one; a ResNet takes any."""
    if model.config.get("model_type") != "vit":
        return
    made, taken = images.height_width, ViTGeometry.from_config(model.config).image
    if made is not None and made != taken:
        raise ModelError(
            f"{model.folder}: its preprocessor makes images of {made[0]} x {made[1]} pixels, the "
            f"model takes {taken[0]} x {taken[1]}; correct size and crop_size in "
            "preprocessor_config.json, or resize the files."
        )


def _opened(
    rows: LabelledRows, chosen: NDArray[np.int64], hashes: Sequence[FileHash], model: LoadedModel
) -> tuple[Inputs, Tokens | None, tuple[str, ...]]:
    places = chosen.tolist()
    if rows.reads == "images":
        images = images_of([rows.paths[i] for i in places], model)
        require_unchanged([hashes[i] for i in places])
        return images, None, ()
    tokens = Tokens.of(model.folder, model.config)
    if rows.reads == "texts":
        texts, warnings = open_texts([rows.texts[i] for i in places], tokens)
        return texts, tokens, warnings
    prompts, references = ([text[i] for i in places] for text in (rows.prompts, rows.references))
    documents, warnings = open_documents(prompts, references, tokens)
    return documents, tokens, warnings
