"""The arithmetic of transformers: parameters from sizes alone, without weights and without torch.

A claim ("removing 80 heads leaves 61 million") can be checked with this. A head of a ViT-B/16 is
4*768*64 + 3*64 = 196,800 parameters, a neuron 2*768 + 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prunegate.errors import ModelError
from prunegate.models.kept_units import KeptUnits

_LARGEST = 1 << 20  # no size of a real model comes near; keeps hostile numbers out of allocations


@dataclass(frozen=True, kw_only=True)
class LayerSum:
    """What a layer has, and what each part of it costs in parameters."""

    heads: int
    """Units of attention: heads, or groups of heads that share a key and a value."""
    neurons: int
    """Hidden neurons of the MLP."""
    rest: int
    """Parameters that no head and no neuron takes along."""
    head: int
    """Parameters that go with one head (or group)."""
    neuron: int
    """Parameters that go with one neuron."""

    def of(self, heads: int, neurons: int) -> int:
        """Count the parameters with so many heads and neurons left."""
        return self.rest + heads * self.head + neurons * self.neuron


@dataclass(frozen=True, kw_only=True)
class ParameterSum:
    """What each part of a transformer costs in parameters; its layers need not be alike."""

    outside: int
    """Parameters outside the layers: embeddings, last norm, classification head."""
    layers: tuple[LayerSum, ...]

    def plus(self, *, outside: int = 0, layer: int = 0, neuron: int = 0) -> ParameterSum:
        """The same with some parameters more: outside the layers, in each of them, per neuron."""
        layers = {
            one: replace(one, rest=one.rest + layer, neuron=one.neuron + neuron)
            for one in set(self.layers)
        }
        return ParameterSum(
            outside=self.outside + outside, layers=tuple(layers[one] for one in self.layers)
        )

    def parameters(self, heads_per_layer: Sequence[int], neurons_per_layer: Sequence[int]) -> int:
        """Count the parameters with so many heads and neurons left in each layer.

        A layer with no heads and no neurons is one that was dropped.

        Raises:
            ModelError: the counts are not one per layer, or a layer keeps some of the one and none
                of the other, or more than it has.
        """
        for what, counts in (("heads", heads_per_layer), ("neurons", neurons_per_layer)):
            if len(counts) != len(self.layers):
                raise ModelError(
                    f"{what}: {len(counts)} counts for {len(self.layers)} layers; give one per "
                    "layer."
                )
        present = []
        for number, (layer, heads, neurons) in enumerate(
            zip(self.layers, heads_per_layer, neurons_per_layer, strict=True)
        ):
            if heads or neurons:
                _check("heads", number, heads, layer.heads)
                _check("neurons", number, neurons, layer.neurons)
                present.append(layer.of(heads, neurons))
        if not present:
            raise ModelError("every layer was dropped; keep at least one.")
        return self.outside + sum(present)

    def of(self, kept: KeptUnits) -> int:
        """Count the parameters of a plan."""
        return self.parameters(kept.counts("heads"), kept.counts("neurons"))

    def whole(self) -> KeptUnits:
        """Return the plan that keeps everything."""
        return KeptUnits.whole(
            {
                "heads": [layer.heads for layer in self.layers],
                "neurons": [layer.neurons for layer in self.layers],
                "layers": [len(self.layers)],
            }
        )


def _check(what: str, layer: int, count: int, units: int) -> None:
    if not 1 <= count <= units:
        raise ModelError(
            f"{what} of layer {layer}: {count} left; a layer keeps 1 to {units} of its {units}."
        )


def size(config: Mapping[str, Any], name: str, default: int) -> int:
    """Read a size from the content of a config.json; null and absent mean the default.

    Raises:
        ModelError: not a whole number, or out of range.
    """
    return positive(config[name] if config.get(name) is not None else default, name)


def positive(value: object, name: str) -> int:
    """Check a size.

    Raises:
        ModelError: not a whole number, or out of range.
    """
    # bool is an int in Python and would pass as 1
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _LARGEST:
        raise ModelError(
            f"config: {name} is {value!r}; expected a whole number from 1 to {_LARGEST}."
        )
    return value


def width_of_head(sizes: Mapping[str, int], hidden: str, heads: str) -> int:
    """Return the width of a head: that of the layer, shared out evenly.

    Args:
        sizes: of a config.
        hidden: what it calls the width of a layer.
        heads: what it calls the number of heads.

    Raises:
        ModelError: it does not divide.
    """
    width, rest = divmod(sizes[hidden], sizes[heads])
    if rest:
        raise ModelError(
            f"config: {hidden} {sizes[hidden]} is not a multiple of {heads} {sizes[heads]}."
        )
    return width


def stated_width_of_head(config: Mapping[str, Any], sizes: Mapping[str, int]) -> int:
    """Return the width of a head where ``head_dim`` may state it, which need not be a share.

    Args:
        config: the content of a config.json.
        sizes: of it, with hidden_size and num_attention_heads.

    Raises:
        ModelError: head_dim is no size, or is not given and hidden_size does not divide.
    """
    if config.get("head_dim") is not None:
        return positive(config["head_dim"], "head_dim")
    return width_of_head(sizes, "hidden_size", "num_attention_heads")


def sides(config: Mapping[str, Any], name: str, default: int) -> tuple[int, int]:
    """Read a height and a width in pixels, which one number may say.

    Raises:
        ModelError: neither one size nor two, or out of range.
    """
    value = config.get(name, default)
    if not isinstance(value, list | tuple):
        return positive(value, name), positive(value, name)
    if len(value) != 2:
        raise ModelError(f"config: {name} is {value!r}; expected one size or [height, width].")
    return positive(value[0], name), positive(value[1], name)


def mlp_width(config: Mapping[str, Any], hidden: int) -> int:
    """Return the neurons of an MLP whose config says how many widths wide it is (mlp_ratio).

    Raises:
        ModelError: not a number, or out of range.
    """
    ratio = config["mlp_ratio"] if config.get("mlp_ratio") is not None else 4
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 < ratio < _LARGEST:
        raise ModelError(f"config: mlp_ratio is {ratio!r}; expected a number above 0.")
    return positive(int(hidden * ratio), "mlp_ratio (its number of neurons)")


def config_flag(config: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """Read a yes or no from the content of a config.json; null and absent mean the default.

    Raises:
        ModelError: neither true nor false.
    """
    value = config[name] if config.get(name) is not None else default
    if not isinstance(value, bool):
        raise ModelError(f"config: {name} is {value!r}; expected true or false.")
    return value


def aliased(config: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of a config.json with second names of settings put under the first.

    Args:
        config: The content.
        names: Second name to first, as in transformers' ``attribute_map``; a first name that is
            there, wins.
    """
    first = {name: config[other] for other, name in names.items() if other in config}
    return {**first, **config}


def labels(config: Mapping[str, Any]) -> int:
    """Count the classes of a classifier.

    Raises:
        ModelError: names that are not numbered 0, 1, ..., or that contradict num_labels.
    """
    names = config.get("id2label")
    if names is None:
        return size(config, "num_labels", 2)
    if not isinstance(names, Mapping):
        raise ModelError("config: id2label has to map class numbers to names.")
    count = positive(len(names), "id2label (its number of classes)")
    if {str(number) for number in names} != {str(number) for number in range(count)}:
        raise ModelError(f"config: id2label has to number its classes 0 to {count - 1}.")
    if config.get("num_labels") not in (None, count):
        raise ModelError(
            f"config: num_labels is {config['num_labels']!r} but id2label names {count} classes."
        )
    return count
