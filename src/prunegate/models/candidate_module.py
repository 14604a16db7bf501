"""Candidates in Python: load one as a torch module, train it further, save it again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from prunegate.errors import ModelError
from prunegate.models import load, save
from prunegate.models.family import family_of
from prunegate.models.sparse import count_zeros
from prunegate.models.surgery import Surgery


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a module came from; ``load_candidate`` leaves it in ``module.prunegate``."""

    surgery: Surgery
    folder: Path


def load_candidate(path: str | Path) -> nn.Module:
    """Load a candidate folder: bit-exact, in evaluation mode, on the CPU.

    The module is the Hugging Face class that was pruned: it generates and trains as ever. An int8
    or ONNX candidate comes as a module that can only be called.

    Raises:
        ModelError: the folder is no candidate, or not the one that its surgery.json describes.
        UnsupportedError: a class that this version does not do, or a missing extra.
    """
    loaded = load.read_candidate(Path(path))
    if loaded.surgery is None:
        raise ModelError(f"{path}: no candidate; load a baseline with transformers.")
    module = loaded.module
    module.prunegate = Provenance(surgery=loaded.surgery, folder=loaded.folder)  # type: ignore[assignment]  # no module, a note on one
    return module


def save_candidate(module: nn.Module, path: str | Path) -> None:
    """Save a module that ``load_candidate`` returned, trained further or not, as a candidate.

    Args:
        module: float32; its shapes are as they were.
        path: A new or empty folder.

    Raises:
        ModelError: the module was not loaded by ``load_candidate``, its shapes changed, it has NaN
            weights, or the folder is taken.
    """
    note = getattr(module, "prunegate", None)
    if not isinstance(note, Provenance):
        raise ModelError("only a module that prunegate.load_candidate returned can be saved.")
    surgery = note.surgery
    parameters = sum(parameter.numel() for parameter in module.parameters())
    if surgery.storage.format == "float32" and parameters != surgery.parameters:
        raise ModelError(
            f"the module has {parameters:,} parameters, its surgery left {surgery.parameters:,}; "
            "change shapes with 'prunegate compress' only."
        )
    sha256 = save.stored_sha256(module, surgery.storage)
    if sha256 != surgery.weights_sha256:
        family = family_of(surgery.architecture)
        surgery = replace(
            surgery,
            weights_sha256=sha256,
            zeros=None if surgery.zeros is None else count_zeros(module, family),
            recipe=(*surgery.recipe, {"step": "trained outside prunegate"}),
        )
    save.write_candidate(module, surgery, Path(path), note.folder)
