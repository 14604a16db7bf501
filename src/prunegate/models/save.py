"""Save a candidate: model.safetensors, surgery.json, the preprocessor and a short model card.

There is no config.json on purpose: with one, ``from_pretrained`` would build the unpruned model
around pruned weights. The folder appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from torch import nn

from prunegate.errors import ModelError
from prunegate.models.store import PREPROCESSOR_FILE
from prunegate.models.surgery import SURGERY_FILE, Surgery
from prunegate.models.surgery_json import to_json
from prunegate.models.weights import WEIGHTS_FILE, write_weights


def save_candidate(module: nn.Module, surgery: Surgery, folder: Path, preprocessor: Path) -> None:
    """Write a candidate folder.

    Args:
        module: The pruned model.
        surgery: Its manifest; it has to describe exactly these weights.
        folder: Where to; has to be new or empty, its parent is made if need be.
        preprocessor: The folder whose preprocessor_config.json goes with the model.

    Raises:
        ModelError: the folder is taken, the disk refuses, or manifest and weights differ.
    """
    weights = write_weights(module)
    if hashlib.sha256(weights).hexdigest() != surgery.weights_sha256:
        raise ModelError(
            "the weights changed after the surgery was recorded; save the model as compress "
            "returned it."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError(f"{folder}: exists and is not an empty folder; choose another one.")
    try:
        content = {
            WEIGHTS_FILE: weights,
            SURGERY_FILE: to_json(surgery),
            PREPROCESSOR_FILE: (preprocessor / PREPROCESSOR_FILE).read_bytes(),
            "README.md": _card(surgery).encode(),
        }
        _write_whole(folder, content)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error}).") from error


def _write_whole(folder: Path, content: dict[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    parts = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, raw in content.items():
            with (parts / name).open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
        parts.chmod(0o755)  # mkdtemp makes it private
        parts.rename(folder)  # replaces an empty folder, fails on any other
    except BaseException:  # also on Ctrl-C: nothing half-written stays
        shutil.rmtree(parts, ignore_errors=True)
        raise


def _card(surgery: Surgery) -> str:
    kept_heads = sum(len(layer) for layer in surgery.heads)
    kept_neurons = sum(len(layer) for layer in surgery.neurons)
    steps = "\n".join(
        "- " + ", ".join(f"{name}: {' '.join(str(value).split())}" for name, value in step.items())
        for step in surgery.recipe
    )
    return f"""# Compressed {surgery.architecture}

{surgery.parameters:,} parameters; {kept_heads} attention heads and {kept_neurons:,} MLP neurons
are left in {len(surgery.heads)} layers.

Load it with `prunegate.models.store.load_candidate(folder).module`. `from_pretrained` cannot:
layers differ in size. `surgery.json` lists what was kept, in the numbering of the baseline.

Baseline digest: {surgery.baseline_digest}
Weights sha256: {surgery.weights_sha256}
Seed: {surgery.seed}

## Recipe

{steps}

This card says how the model was made, not how good it is: that is the gate's to decide.
"""
