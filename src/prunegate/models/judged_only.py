# ruff: noqa: ARG002  # it takes what an adapter takes, to refuse it
"""A stand-in for the adapter of a model that is judged as it is: nothing is known of its insides.

It says what the model reads and answers, and how it is called; it has no units that could be
pruned, and cannot be built without its weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from prunegate.errors import UnsupportedError
from prunegate.models.family import Answers, Reads
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.sites import Site

NO_UNITS = KeptUnits(units={})
"""What is left of a model whose units are not known."""


@dataclass(kw_only=True)  # not frozen: what an adapter says can be set, by its protocol
class JudgedOnly:
    """Stands for a class without an adapter, or for an ONNX graph."""

    architecture: str
    """The class's name; ``ONNX`` for a graph."""
    reads: Reads
    answers: Answers
    counted: int
    """Its parameters."""
    heads: int | None = None
    """Its attention heads; None: nobody can tell."""
    taken: Mapping[str, Tensor] = field(repr=False, compare=False)
    """Inputs that it takes, two rows."""

    def whole(self, config: Mapping[str, Any]) -> KeptUnits:
        """There are no units."""
        return NO_UNITS

    def parameters(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """As they were counted."""
        return self.counted

    def active_heads(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """As the config says; 0 where it does not."""
        return self.heads or 0

    def skeleton(self, config: Mapping[str, Any], kept: KeptUnits) -> nn.Module:
        """Refuse."""
        raise UnsupportedError(
            f"a model of class {self.architecture} can be judged, not pruned or built anew; name a "
            "candidate made elsewhere: 'model: {candidate: FOLDER}'"
        )

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors; their names are transformers' own."""
        return dict(state)

    def sites(self, module: nn.Module, kind: Kind) -> tuple[Site, ...]:
        """There are none."""
        return ()

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Inputs that it takes."""
        return dict(self.taken)
