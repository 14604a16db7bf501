# ruff: noqa: ARG002  # it takes what an adapter takes, to refuse it
"""A stand-in for a class that came from Python: its candidates can be stored, not built.

``surgery.json`` names such a class ``torch.nn.Module``. Nothing builds it from the folder alone;
``prunegate.models.cnn.load_cnn`` does with the factory that made the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from prunegate.errors import UnsupportedError
from prunegate.models.family import OWN_CLASS, Answers, Family, Reads
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.sites import Site

_WHAT_TO_DO = (
    "the model's class is not in the folder: it came from Python. Load it with "
    "prunegate.models.cnn.load_cnn(folder, build), where build() makes the unpruned network"
)


class OwnClass:
    """Stands for a class that is not known without its factory: it can be stored, not built."""

    architecture = OWN_CLASS
    reads: Reads = "tensors"
    answers: Answers = "classes"

    def whole(self, config: Mapping[str, Any]) -> KeptUnits:
        """Refuse."""
        raise UnsupportedError(_WHAT_TO_DO)

    def parameters(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """Refuse."""
        raise UnsupportedError(_WHAT_TO_DO)

    def active_heads(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """There are none."""
        return 0

    def skeleton(self, config: Mapping[str, Any], kept: KeptUnits) -> nn.Module:
        """Refuse."""
        raise UnsupportedError(_WHAT_TO_DO)

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors; their names are the network's own."""
        return dict(state)

    def sites(self, module: nn.Module, kind: Kind) -> tuple[Site, ...]:
        """Return none: without an example input, filters cannot be followed."""
        return ()

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Refuse."""
        raise UnsupportedError(_WHAT_TO_DO)


FAMILIES: dict[str, Family] = {OWN_CLASS: OwnClass()}
