"""The surgery manifest: what was taken out of a model, so that the rest can be rebuilt and checked.

It names the class (from an allow-list), the config of the unpruned model, the kept units in its
numbering, how they were chosen, and the digests of the weights it belongs to and of the baseline
it came from. ``surgery_json`` writes and reads it as ``surgery.json`` beside the weights. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from prunegate.models.kept_units import KeptUnits, Kind

SURGERY_FILE = "surgery.json"
WEIGHTS_FILE = "model.safetensors"
ONNX_FILE = "model.onnx"


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The ranking that the first removal of a kind went by."""

    criterion: str
    shares: tuple[tuple[float | None, ...], ...]
    """Share of the row's importance, [rows][units of the unpruned model], to six digits; None: the
    unit was gone before the ranking."""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How the model is stored, hence what it runs in."""

    format: Literal["float32", "int8", "onnx"] = "float32"
    """float32 and int8 are safetensors for torch; onnx is a file for onnxruntime."""
    quantized: Mapping[str, Any] = field(default_factory=dict)
    """How, where weights are eight-bit: kind, per_channel, embeddings."""

    @property
    def file(self) -> str:
        """The file that holds the model."""
        return ONNX_FILE if self.format == "onnx" else WEIGHTS_FILE

    @property
    def engine(self) -> Literal["torch", "onnxruntime"]:
        """What the model runs in."""
        return "onnxruntime" if self.format == "onnx" else "torch"


FLOAT32 = Storage()


@dataclass(frozen=True, kw_only=True)
class Surgery:
    """What was done to a model and what it left."""

    architecture: str
    """Class name on the allow-list of ``family``."""
    config: Mapping[str, Any]
    """config.json of the unpruned model."""
    kept: KeptUnits
    """What is left, numbered as in the unpruned model."""
    parameters: int
    """Parameters that are left, zeros included."""
    zeros: int | None = None
    """Weights that were set to zero in place; None: that was not done."""
    storage: Storage = FLOAT32
    weights_sha256: str
    """Of the file that holds the model."""
    baseline_digest: str
    """``tree_digest`` of the folder of the unpruned model."""
    recipe: tuple[Mapping[str, Any], ...]
    """The steps in order, as plain values."""
    seed: int
    """Seed of the recipe."""
    importance: Mapping[Kind, Ranking] = field(default_factory=dict)
    """For every kind that was removed by a ranking."""
