"""The arithmetic of a Vision Transformer: its sizes and parameters from the config alone.

Pure Python: a claim ("removing 80 heads leaves 61 million") can be checked without weights and
without torch. A head of a ViT-B/16 is 4*768*64 + 3*64 = 196,800 parameters, a neuron 2*768 + 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prunegate.errors import ModelError

_DEFAULTS = {  # transformers' ViTConfig; config.json may leave out what equals them
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "num_channels": 3,
}
_LARGEST = 1 << 20  # no size of a real model comes near; keeps hostile numbers out of allocations


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
        size = {name: _size(config, name, default) for name, default in _DEFAULTS.items()}
        hidden, heads = size["hidden_size"], size["num_attention_heads"]
        if hidden % heads and config.get("head_dim") is None:
            raise ModelError(
                f"config: hidden_size {hidden} is not a multiple of num_attention_heads {heads}."
            )
        return cls(
            hidden=hidden,
            layers=size["num_hidden_layers"],
            heads=heads,
            head_dim=_size(config, "head_dim", hidden // heads),
            neurons=size["intermediate_size"],
            channels=size["num_channels"],
            image=_pair(config, "image_size", 224),
            patch=_pair(config, "patch_size", 16),
            labels=_labels(config),
            qkv_bias=_flag(config, "qkv_bias", default=True),
        )

    def parameters(self, heads_per_layer: Sequence[int], neurons_per_layer: Sequence[int]) -> int:
        """Count the parameters with so many heads and neurons left in each layer.

        Raises:
            ModelError: the counts are not one per layer, or lie outside 1 to the layer's units.
        """
        _check_counts("heads", heads_per_layer, self.layers, self.heads)
        _check_counts("neurons", neurons_per_layer, self.layers, self.neurons)
        norm = 2 * self.hidden
        patches = (self.image[0] // self.patch[0]) * (self.image[1] // self.patch[1])
        patch_pixels = self.channels * self.patch[0] * self.patch[1]
        embeddings = self.hidden * (1 + patches + 1) + self.hidden * (patch_pixels + 1)
        fixed = self.layers * (2 * norm + 2 * self.hidden)  # layer norms, output biases
        units = sum(heads_per_layer) * self.head_parameters
        units += sum(neurons_per_layer) * self.neuron_parameters
        return embeddings + fixed + units + norm + self.labels * (self.hidden + 1)

    @property
    def head_parameters(self) -> int:
        """Parameters that go with one attention head."""
        return 4 * self.hidden * self.head_dim + 3 * self.head_dim * self.qkv_bias

    @property
    def neuron_parameters(self) -> int:
        """Parameters that go with one MLP neuron."""
        return 2 * self.hidden + 1


def parameters(
    config: Mapping[str, Any], heads_per_layer: Sequence[int], neurons_per_layer: Sequence[int]
) -> int:
    """Count the parameters of a ViT image classifier from its config, without weights.

    >>> parameters({"num_labels": 1000}, [12] * 12, [3072] * 12)
    86567656
    """
    return ViTGeometry.from_config(config).parameters(heads_per_layer, neurons_per_layer)


def _size(config: Mapping[str, Any], name: str, default: int) -> int:
    return _positive(config[name] if config.get(name) is not None else default, name)


def _positive(value: object, name: str) -> int:
    # bool is an int in Python and would pass as 1
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LARGEST:
        raise ModelError(
            f"config: {name} is {value!r}; expected a whole number from 1 to {_LARGEST}."
        )
    return value


def _pair(config: Mapping[str, Any], name: str, default: int) -> tuple[int, int]:
    value = config.get(name, default)
    if not isinstance(value, list | tuple):
        return _positive(value, name), _positive(value, name)
    if len(value) != 2:
        raise ModelError(f"config: {name} is {value!r}; expected one size or [height, width].")
    return _positive(value[0], name), _positive(value[1], name)


def _labels(config: Mapping[str, Any]) -> int:
    names = config.get("id2label")
    if names is None:
        return _size(config, "num_labels", 2)
    if not isinstance(names, Mapping):
        raise ModelError("config: id2label has to map class numbers to names.")
    count = _positive(len(names), "id2label (its number of classes)")
    if {str(number) for number in names} != {str(number) for number in range(count)}:
        raise ModelError(f"config: id2label has to number its classes 0 to {count - 1}.")
    if config.get("num_labels") not in (None, count):
        raise ModelError(
            f"config: num_labels is {config['num_labels']!r} but id2label names {count} classes."
        )
    return count


def _flag(config: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = config.get(name, default)
    if not isinstance(value, bool):
        raise ModelError(f"config: {name} is {value!r}; expected true or false.")
    return value


def _check_counts(what: str, counts: Sequence[int], layers: int, units: int) -> None:
    if len(counts) != layers:
        raise ModelError(f"{what}: {len(counts)} counts for {layers} layers; give one per layer.")
    for layer, count in enumerate(counts):
        if not 1 <= count <= units:
            raise ModelError(
                f"{what} of layer {layer}: {count} left; a layer keeps 1 to {units} of its {units}."
            )
