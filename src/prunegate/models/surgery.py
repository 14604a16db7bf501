"""The surgery manifest: what was taken out of a model, so that the rest can be rebuilt and checked.

It names the class (from an allow-list), the config of the unpruned model, the kept units in its
numbering, how they were chosen, and the digests of the weights it belongs to and of the baseline
it came from. ``surgery_json`` writes and reads it as ``surgery.json`` beside the weights. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prunegate.models.kept import Indices, Kept

SURGERY_FILE = "surgery.json"


@dataclass(frozen=True, kw_only=True)
class NeuronSummary:
    """Importance of one layer's neurons, summarised; a layer has thousands."""

    minimum: float
    median: float
    maximum: float


@dataclass(frozen=True, kw_only=True)
class ImportanceSummary:
    """The ranking that the first removal of heads (else of neurons) went by."""

    criterion: str
    heads: tuple[tuple[float | None, ...], ...]
    """Share of the layer's importance, [layers][heads of the unpruned model]; None: head was gone
    before the ranking."""
    neurons: tuple[NeuronSummary, ...]
    """One per layer, in the criterion's own unit."""


@dataclass(frozen=True, kw_only=True)
class Surgery:
    """What was done to a model and what it left."""

    architecture: str
    """Class name on the allow-list of ``family``."""
    config: Mapping[str, Any]
    """config.json of the unpruned model."""
    heads: Indices
    """Heads kept per layer, numbered as in the unpruned model."""
    neurons: Indices
    """MLP neurons kept per layer, numbered as in the unpruned model."""
    parameters: int
    """Parameters that are left."""
    weights_sha256: str
    """Of model.safetensors."""
    baseline_digest: str
    """``tree_digest`` of the folder of the unpruned model."""
    recipe: tuple[Mapping[str, Any], ...]
    """The steps in order, as plain values."""
    seed: int
    """Seed of the recipe."""
    importance: ImportanceSummary | None = None
    """None when nothing was ranked."""

    @property
    def kept(self) -> Kept:
        """The kept units as one object."""
        return Kept(heads=self.heads, neurons=self.neurons)
