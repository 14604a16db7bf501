"""Refusals before any work: what the models of a policy say of themselves in a few kilobytes.

A run checks its data, loads its baseline and only then its candidate, which takes many seconds; a
model that cannot be used at all is named before the first of them. No model library is loaded.
"""

from __future__ import annotations

from pathlib import Path

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.refusals import refuse_early
from prunegate.policy.load import PolicyFile
from prunegate.policy.task import ROLES


def refuse_models(source: PolicyFile) -> None:
    """Refuse the models that a policy names, where their descriptions tell that it is no use.

    Raises:
        ModelError: missing, malformed or not a model; the message says what to do.
        UnsupportedError: a class, number format or layout that this version does not do.
    """
    policy = source.policy
    for role in ROLES:
        said = policy.model.source_of(role) if policy.model else None
        if said is None:
            continue
        prune = bool(policy.compress) and role == "baseline"
        refuse_place(source.folder / said.path, graph=said.onnx is not None, prune=prune)


def refuse_place(place: Path, *, graph: bool | None = None, prune: bool = False) -> None:
    """Refuse one model, a folder or an ONNX file.

    Args:
        place: where it is.
        graph: whether it has to be a file; None: as its name ends.
        prune: whether parts are to be taken out of it.

    Raises:
        ModelError, UnsupportedError: as ``refuse_models``.
    """
    if not (place.suffix == ".onnx" if graph is None else graph):
        refuse_early(place, prune=prune)
        return
    if not place.is_file() or place.suffix != ".onnx":
        raise ModelError(f"{place}: no such ONNX file; give a file whose name ends with .onnx.")
    if prune:
        raise UnsupportedError(
            f"{place}: an ONNX model can be judged, not pruned; give the float32 model that it was "
            "made of, as safetensors."
        )
