"""The arithmetic of a Vision Transformer: its sizes and parameters from the config alone.

Pure Python: a claim ("removing 80 heads leaves 61 million") can be checked without weights and
without torch. A head of a ViT-B/16 is 4*768*64 + 3*64 = 196,800 parameters, a neuron 2*768 + 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prunegate.models.arithmetic import (
    LayerSum,
    ParameterSum,
    config_flag,
    labels,
    sides,
    size,
    stated_width_of_head,
)

_DEFAULTS = {  # transformers' ViTConfig; config.json may leave out what equals them
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "num_channels": 3,
}


@dataclass(frozen=True, kw_only=True)
class ViTGeometry:
    """Sizes of an unpruned ViT image classifier."""

    hidden: int
    """Width of the residual stream."""
    layers: int
    heads: int
    """Attention heads per layer."""
    head_dim: int
    """Width of one head."""
    neurons: int
    """Hidden neurons per MLP."""
    channels: int
    image: tuple[int, int]
    """Height and width in pixels."""
    patch: tuple[int, int]
    """Height and width in pixels."""
    labels: int
    """Classes of the classification head."""
    qkv_bias: bool

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ViTGeometry:
        """Read the sizes from the content of a config.json.

        Raises:
            ModelError: a size is missing its type, out of range, or does not divide.
        """
        sizes = {name: size(config, name, default) for name, default in _DEFAULTS.items()}
        return cls(
            hidden=sizes["hidden_size"],
            layers=sizes["num_hidden_layers"],
            heads=sizes["num_attention_heads"],
            head_dim=stated_width_of_head(config, sizes),
            neurons=sizes["intermediate_size"],
            channels=sizes["num_channels"],
            image=sides(config, "image_size", 224),
            patch=sides(config, "patch_size", 16),
            labels=labels(config),
            qkv_bias=config_flag(config, "qkv_bias", default=True),
        )

    def parameters(self, heads_per_layer: Sequence[int], neurons_per_layer: Sequence[int]) -> int:
        """Count the parameters with so many heads and neurons left in each layer.

        Raises:
            ModelError: as ``ParameterSum.parameters``.
        """
        return self.ledger.parameters(heads_per_layer, neurons_per_layer)

    @property
    def ledger(self) -> ParameterSum:
        """What each part costs."""
        norm = 2 * self.hidden
        patches = (self.image[0] // self.patch[0]) * (self.image[1] // self.patch[1])
        patch_pixels = self.channels * self.patch[0] * self.patch[1]
        embeddings = self.hidden * (1 + patches + 1) + self.hidden * (patch_pixels + 1)
        return ParameterSum(
            outside=embeddings + norm + self.labels * (self.hidden + 1),
            layers=(self.layer,) * self.layers,
        )

    @property
    def layer(self) -> LayerSum:
        """What each part of a layer costs."""
        return LayerSum(
            heads=self.heads,
            neurons=self.neurons,
            rest=2 * 2 * self.hidden + 2 * self.hidden,  # layer norms, output biases
            head=self.head_parameters,
            neuron=self.neuron_parameters,
        )

    @property
    def head_parameters(self) -> int:
        """Parameters that go with one attention head."""
        return 4 * self.hidden * self.head_dim + 3 * self.head_dim * self.qkv_bias

    @property
    def neuron_parameters(self) -> int:
        """Parameters that go with one MLP neuron."""
        return 2 * self.hidden + 1


def vit_parameters(
    config: Mapping[str, Any], heads_per_layer: Sequence[int], neurons_per_layer: Sequence[int]
) -> int:
    """Count the parameters of a ViT image classifier from its config, without weights.

    >>> vit_parameters({"num_labels": 1000}, [12] * 12, [3072] * 12)
    86567656
    """
    return ViTGeometry.from_config(config).parameters(heads_per_layer, neurons_per_layer)
