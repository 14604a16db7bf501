"""Save a candidate: the model's file, surgery.json, preprocessor or tokenizer files, a model card.

There is no config.json on purpose: with one, ``from_pretrained`` would build the unpruned model
around pruned weights. The folder appears whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from torch import nn

from prunegate.errors import ModelError
from prunegate.io.atomic import write_folder
from prunegate.models.digest import CARD, CARD_MARK
from prunegate.models.family import OWN_CLASS, family_of
from prunegate.models.int8 import int8_state
from prunegate.models.load import PREPROCESSOR_FILE, TOKENIZER_FILES
from prunegate.models.surgery import SURGERY_FILE, Storage, Surgery
from prunegate.models.surgery_json import to_json
from prunegate.models.weights import write_state, write_weights

_LOADED = {
    "float32": "It runs, trains, saves and reloads as the unpruned model does.",
    "int8": "Its weights are eight-bit: it runs in torch, and cannot be trained.",
    "onnx": "`model.onnx` runs in onnxruntime (on servers, phones, in browsers) without prunegate.",
}


def card(surgery: Surgery) -> str:
    """Describe a candidate in Markdown."""
    left = "\n".join(f"- {surgery.kept.total(kind):,} {kind}" for kind in surgery.kept.kinds)
    zeros = (
        f"\n{surgery.zeros:,} of them are zero, in place: that saves no bytes and, without sparse "
        "kernels, no time.\n"
        if surgery.zeros is not None
        else ""
    )
    steps = "\n".join(f"- {_spelled(step)}" for step in surgery.recipe)
    load = (
        "prunegate.models.cnn.load_cnn(folder, build)"
        if surgery.architecture == OWN_CLASS
        else "prunegate.load_candidate(folder)"
    )
    return f"""{CARD_MARK}
# Compressed {surgery.architecture}

{surgery.parameters:,} parameters, stored as {surgery.storage.format}. What is left:

{left}
{zeros}
Load it with `{load}`. {_LOADED[surgery.storage.format]}
There is no config.json on purpose: with one, `from_pretrained` would fill what was removed with
random weights. `surgery.json` lists what was kept, in the numbering of the baseline.

Baseline digest: {surgery.baseline_digest}
Model file sha256: {surgery.weights_sha256}
Seed: {surgery.seed}

## Recipe

{steps}

This card says how the model was made, not how good it is: that is the gate's to decide.
"""


def _spelled(step: Mapping[str, Any]) -> str:
    unused = () if step.get("data") else ("data", "rows")  # the step looked at no rows
    told = {name: " ".join(str(value).split()) for name, value in step.items()}
    return ", ".join(f"{name}: {value}" for name, value in told.items() if name not in unused)


def model_file(module: nn.Module, storage: Storage) -> bytes:
    """Return the bytes of the file that holds a model; the same model gives the same bytes."""
    if storage.format == "onnx":
        raw: bytes = cast("Any", module).raw
        return raw
    if storage.format == "int8":
        return write_state(int8_state(module))
    return write_weights(module)


def stored_sha256(module: nn.Module, storage: Storage) -> str:
    """Return the sha256 that the file of this model will have."""
    return hashlib.sha256(model_file(module, storage)).hexdigest()


def write_candidate(module: nn.Module, surgery: Surgery, folder: Path, beside: Path) -> None:
    """Write a candidate folder.

    Args:
        module: The pruned model.
        surgery: Its manifest; it has to describe exactly these weights.
        folder: Where to; has to be new or empty, its parent is made if need be.
        beside: The folder whose preprocessor or tokenizer files go with the model.

    Raises:
        ModelError: the folder is taken, the disk refuses, or manifest and weights differ.
    """
    stored = model_file(module, surgery.storage)
    if hashlib.sha256(stored).hexdigest() != surgery.weights_sha256:
        raise ModelError(
            "the weights changed after the surgery was recorded; save the model as compress "
            "returned it, or with prunegate.save_candidate."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder}: exists and is not an empty folder; choose another one.")
    try:
        content = {
            surgery.storage.file: stored,
            SURGERY_FILE: to_json(surgery),
            **_companions(surgery, beside),
            CARD: card(surgery).encode(),
        }
        write_folder(folder, content)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error}).") from error


def _companions(surgery: Surgery, beside: Path) -> dict[str, bytes]:
    if family_of(surgery.architecture).reads == "images":
        return {PREPROCESSOR_FILE: (beside / PREPROCESSOR_FILE).read_bytes()}
    there = [name for name in TOKENIZER_FILES if (beside / name).is_file()]
    return {name: (beside / name).read_bytes() for name in there}
