"""What the adapters of transformers (the architecture) share: a stack of layers of heads and MLPs.

Surgery slices the rows of q, k, v and the columns of the output projection for heads, the rows of
the MLP's first and the columns of its second projection for neurons, and takes whole layers out of
the stack, or of the stack of their stage. At least one head, one neuron and one layer remain.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from prunegate.models.arithmetic import ParameterSum
from prunegate.models.hugging_face import HuggingFace
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.sites import Bypass, Site

Stacks = tuple[tuple[nn.Module, str], ...]
"""Modules that hold lists of layers, and the lists' names, in the order in which they compute."""


class Transformer(HuggingFace):
    """Base of the adapters of layered transformers."""

    @abstractmethod
    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs, from the config alone."""

    @abstractmethod
    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are; several stacks where a module stands between stages."""

    @abstractmethod
    def heads(self, layer: Any, name: str) -> Site:
        """Return the heads of a layer."""

    @abstractmethod
    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer."""

    def whole(self, config: Mapping[str, Any]) -> KeptUnits:
        """Return the units of the unpruned model."""
        return self.ledger(config).whole()

    def parameters(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """Count parameters from the config, without weights."""
        return self.ledger(config).of(kept)

    def sites(self, module: nn.Module, kind: Kind) -> tuple[Site, ...]:
        """Return one site per layer that is present, or one of all layers."""
        layers = [
            layer
            for holder, name in self.stacks(module)
            for layer in cast("nn.ModuleList", getattr(holder, name))
        ]
        if kind == "layers":
            switches = tuple(Bypass(module=layer, unit=i) for i, layer in enumerate(layers))

            def drop(keep: Sequence[int]) -> None:
                self._drop(module, keep)

            return (Site(name="layers", units=len(layers), switches=switches, resized=drop),)
        if kind == "filters":
            return ()
        of_layer = self.heads if kind == "heads" else self.neurons
        return tuple(of_layer(layer, f"{kind} of layer {i}") for i, layer in enumerate(layers))

    def texts(self, length: int) -> dict[str, Tensor]:
        """Return two texts of one token over and over, as an example."""
        return {
            "input_ids": torch.zeros(2, length, dtype=torch.int64),
            "attention_mask": torch.ones(2, length, dtype=torch.int64),
        }

    def say_depths(self, config: Any, depths: Sequence[int]) -> None:
        """Tell a module's config how many layers each stack has left."""
        config.num_hidden_layers = sum(depths)

    def _drop(self, module: nn.Module, keep: Sequence[int]) -> None:
        start, staying, depths = 0, set(keep), []
        for holder, name in self.stacks(module):
            layers = cast("nn.ModuleList", getattr(holder, name))
            left = [layer for place, layer in enumerate(layers, start) if place in staying]
            start += len(layers)
            setattr(holder, name, nn.ModuleList(left))
            depths.append(len(left))
            for index, layer in enumerate(left):
                for part in layer.modules():
                    if hasattr(part, "layer_idx"):  # where a cache keeps keys and values
                        part.layer_idx = index  # type: ignore[assignment]  # a plain number
        config = cast("Any", module).config
        kinds = getattr(config, "layer_types", None)
        if kinds is not None:  # which attention each layer has; caches and masks go by it
            config.layer_types = [kinds[position] for position in keep]
        self.say_depths(config, depths)
