"""Architecture families: what prunegate has to know of a model class to take parts out of it.

One adapter file per family; the registry is the allow-list of classes that may be built from a
folder. No class is ever looked up by a name that a file chose, and a family that is not here is
refused with the list of those that are: cutting an unknown architecture by guesswork produces
models that run and are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from prunegate.errors import UnsupportedError
from prunegate.models.kept import Kept, Kind

if TYPE_CHECKING:
    from torch import Tensor, nn

_FAMILIES = {"ViTForImageClassification": "prunegate.models.vit"}


@dataclass(frozen=True, kw_only=True)
class GateSite:
    """Where units can be switched off: the input of ``module`` is ``units`` slices side by side."""

    layer: int
    module: nn.Linear
    """The projection whose input is gated."""
    units: int
    width: int
    """Features per unit: the width of a head, 1 for a neuron."""


class Family(Protocol):
    """An adapter between prunegate and one model class."""

    architecture: str
    """Name of the Hugging Face class, as in config.json ``architectures``."""
    reads: Literal["images", "texts"]
    """What it is called with: pixel_values, or input_ids and attention_mask."""
    answers: Literal["classes", "next token"]
    """What its logits are about: [B, classes], or [B, T, tokens]."""

    def whole(self, config: Mapping[str, Any]) -> Kept:
        """Return the units of the unpruned model."""
        ...

    def parameters(
        self, config: Mapping[str, Any], heads_per_layer: Sequence[int], neurons: Sequence[int]
    ) -> int:
        """Count parameters from the config, without weights."""
        ...

    def skeleton(self, config: Mapping[str, Any], kept: Kept) -> nn.Module:
        """Build the module with the kept shapes; its weights are arbitrary."""
        ...

    def rename(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give stored tensors the names of the installed release."""
        ...

    def sites(self, module: nn.Module, kind: Kind) -> tuple[GateSite, ...]:
        """Return one gate site per layer."""
        ...

    def unit_weights(self, module: nn.Module, kind: Kind) -> list[list[Tensor]]:
        """Per layer, the weights that go with a unit; each tensor's first axis is the units."""
        ...

    def cut(self, module: nn.Module, kind: Kind, keep: Sequence[Sequence[int]]) -> None:
        """Remove units in place; ``keep`` counts among the units that are present."""
        ...


def family_of(architecture: object) -> Family:
    """Return the adapter for a model class.

    Raises:
        UnsupportedError: the class is not on the allow-list.
    """
    if not isinstance(architecture, str) or architecture not in _FAMILIES:
        known = ", ".join(sorted(_FAMILIES))
        raise UnsupportedError(
            f"model class {architecture!r} is not supported; this version can load and prune: "
            f"{known}. Other models can be judged from predictions (prunegate gate)."
        )
    return cast("Family", import_module(_FAMILIES[architecture]).FAMILY)
