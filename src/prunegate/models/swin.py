"""Swin Transformers of transformers: image classifiers whose attention looks at windows.

Stages of layers, each twice as wide as the one before, with a merging of patches between them that
stays whole. A head has a column in the table of relative positions (in Swin V2 a row of the matrix
that makes the table, and a temperature). Every second layer looks at windows that are shifted by
half; a layer keeps its shift whatever goes before it. (Liu et al., ICCV 2021 and CVPR 2022)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from transformers import (
    SwinConfig,
    SwinForImageClassification,
    Swinv2Config,
    Swinv2ForImageClassification,
)

from prunegate.errors import ModelError
from prunegate.models.arithmetic import (
    LayerSum,
    ParameterSum,
    config_flag,
    labels,
    mlp_width,
    positive,
    sides,
    size,
)
from prunegate.models.family import Family
from prunegate.models.sites import Part, Site, fused_between, side_by_side, units_between
from prunegate.models.transformer import Stacks
from prunegate.models.vit import ViT

_MOST_LAYERS = 10_000
_MOST_PAIRS = 1 << 27  # of positions in a window, over all layers; each has its place in a table
_BETWEEN = 512  # inputs of the matrix that makes the table of Swin V2


@dataclass(frozen=True, kw_only=True)
class SwinStage:
    """The sizes of the layers between two mergings of patches."""

    width: int
    depth: int
    """Layers; there may be none."""
    heads: int
    """Per layer."""
    neurons: int
    """Per layer."""
    resolution: tuple[int, int]
    """Height and width in tokens."""
    window: int
    """Side of a window in tokens, no larger than the stage."""


class Swin(ViT):
    """The adapter."""

    architecture = "SwinForImageClassification"
    config_class: Any = SwinConfig
    model_class: Any = SwinForImageClassification
    encoder = "swin"
    """The attribute of the module that holds embeddings and stages."""
    merged = 4
    """Widths of a stage that the norm of the merging after it has."""
    # save_pretrained, and files of transformers 4, have other names than the module.
    stored_names: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"\.attention\.self\.query\.", ".attention.q_proj."),
        (r"\.attention\.self\.key\.", ".attention.k_proj."),
        (r"\.attention\.self\.value\.", ".attention.v_proj."),
        (
            r"\.attention\.self\.relative_position_bias_table$",
            ".attention.relative_position_bias.relative_position_bias_table",
        ),
        (r"\.attention\.output\.dense\.", ".attention.o_proj."),
        (r"\.intermediate\.dense\.", ".mlp.fc1."),
        (r"(\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    )
    # What follows from the window, which files of transformers 4 stored as buffers.
    dropped_names: ClassVar[str] = r"\.relative_(position_index|coords_table)$"

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs; Swin tiny with 1,000 labels has 28,288,354.

        Raises:
            ModelError: a size is missing its type, out of range, or does not divide.
        """
        stages = swin_stages(config)
        first, last = stages[0], stages[-1]
        (height, width), patch = sides(config, "image_size", 224), sides(config, "patch_size", 4)
        pixels = size(config, "num_channels", 3) * patch[0] * patch[1]
        placed = config_flag(config, "use_absolute_embeddings", default=False)
        patches = placed * (height // patch[0]) * (width // patch[1])
        between = (8 * stage.width**2 + 2 * self.merged * stage.width for stage in stages[:-1])
        layers = [(self.layer(config, stage),) * stage.depth for stage in stages]
        return ParameterSum(
            outside=first.width * (pixels + 3 + patches)
            + sum(between)
            + 2 * last.width
            + labels(config) * (last.width + 1),
            layers=tuple(layer for stage in layers for layer in stage),
        )

    def layer(self, config: Mapping[str, Any], stage: SwinStage) -> LayerSum:
        """Return what a layer of a stage costs.

        Raises:
            ModelError: the stage is smaller than a window, which transformers cannot compute.
        """
        window = size(config, "window_size", 7)
        if stage.depth and stage.window < window:
            height, width = stage.resolution
            raise ModelError(
                f"config: window_size {window}: a stage has {height} x {width} tokens only, which "
                "transformers cannot compute; give larger images or a smaller window."
            )
        biased = config_flag(config, "qkv_bias", default=True)
        return _layer(stage, biases=3 * biased, positions=(2 * window - 1) ** 2)

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return two black images."""
        channels = size(config, "num_channels", 3)
        return {"pixel_values": torch.zeros(2, channels, *sides(config, "image_size", 224))}

    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are, stage by stage."""
        stages = cast("Any", getattr(module, self.encoder)).encoder.layers
        return tuple((stage, "blocks") for stage in stages)

    def heads(self, layer: Any, name: str) -> Site:
        """Return the heads of a layer."""
        site = super().heads(layer, name)
        table = Part(
            owner=layer.attention.relative_position_bias,
            name="relative_position_bias_table",
            axis=1,
            places=side_by_side(site.units, 1),
        )
        return replace(site, parts=(*site.parts, table))

    def say_depths(self, config: Any, depths: Sequence[int]) -> None:
        """Tell a module's config how many layers each stage has left."""
        config.depths = list(depths)


class Swinv2(Swin):
    """The adapter of Swin V2: attention by cosines, positions through a small network."""

    architecture = "Swinv2ForImageClassification"
    config_class = Swinv2Config
    model_class = Swinv2ForImageClassification
    encoder = "swinv2"
    merged = 2
    attention = "eager"  # transformers has no other
    stored_names: ClassVar[tuple[tuple[str, str], ...]] = ()

    def layer(self, config: Mapping[str, Any], stage: SwinStage) -> LayerSum:
        """Return what a layer of a stage costs; windows are no larger than their stage."""
        biased = config_flag(config, "qkv_bias", default=True)
        layer = _layer(stage, biases=2 * biased, positions=_BETWEEN + 1)
        return replace(layer, rest=layer.rest + 3 * _BETWEEN)

    def heads(self, layer: Any, name: str) -> Site:
        """Return the heads of a layer."""
        attention, output = layer.attention.self, layer.attention.output.dense
        width = attention.attention_head_size
        places = side_by_side(output.in_features // width, width)
        ones = side_by_side(len(places), 1)

        def resized(keep: Sequence[int]) -> None:
            attention.num_attention_heads = len(keep)
            attention.all_head_size = len(keep) * width

        before = [(linear, places) for linear in (attention.query, attention.key, attention.value)]
        before.append((attention.continuous_position_bias_mlp[-1], ones))
        site = units_between(name, before, output, places, resized)
        temperature = Part(owner=attention, name="logit_scale", axis=0, places=ones)
        return replace(site, parts=(*site.parts, temperature))

    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer."""
        return fused_between(name, layer.intermediate.dense, layer.output.dense)


def swin_stages(config: Mapping[str, Any]) -> tuple[SwinStage, ...]:
    """Read the stages from the content of a config.json, in order.

    Raises:
        ModelError: a size is missing its type, out of range, or does not divide.
    """
    stages = tuple(_stages(config))
    if sum(stage.depth * stage.window**4 for stage in stages) > _MOST_PAIRS:
        raise ModelError(
            f"config: window_size {config.get('window_size')}: more than {_MOST_PAIRS:,} pairs of "
            "positions; that is no model."
        )
    return stages


def _stages(config: Mapping[str, Any]) -> Iterator[SwinStage]:
    depths = _per_stage(config, "depths", (2, 2, 6, 2))
    several = _per_stage(config, "num_heads", (3, 6, 12, 24))
    if len(depths) != len(several) or not 0 < sum(depths) <= _MOST_LAYERS:
        raise ModelError(
            f"config: {len(several)} num_heads for {len(depths)} depths; give one of each per "
            f"stage, and 1 to {_MOST_LAYERS} layers."
        )
    patch = sides(config, "patch_size", 4)
    height, width = (
        -(-side // of) for side, of in zip(sides(config, "image_size", 224), patch, strict=True)
    )
    channels, window = size(config, "embed_dim", 96), size(config, "window_size", 7)
    for depth, heads in zip(depths, several, strict=True):
        if channels % positive(heads, "num_heads"):
            raise ModelError(f"config: a width of {channels} is not a multiple of {heads} heads.")
        yield SwinStage(
            width=channels,
            depth=depth,
            heads=heads,
            neurons=mlp_width(config, channels),
            resolution=(height, width),
            window=min(window, height, width),
        )
        height, width = (height + 1) // 2, (width + 1) // 2
        channels *= 2


def _layer(stage: SwinStage, *, biases: int, positions: int) -> LayerSum:
    """A layer with so many biases of q, k and v, and so many positions, in each of its heads."""
    return LayerSum(
        heads=stage.heads,
        neurons=stage.neurons,
        rest=2 * 2 * stage.width + 2 * stage.width,  # layer norms, output biases
        head=(4 * stage.width + biases) * (stage.width // stage.heads) + positions,
        neuron=2 * stage.width + 1,
    )


def _per_stage(config: Mapping[str, Any], name: str, default: Sequence[int]) -> list[int]:
    value = config[name] if config.get(name) is not None else list(default)
    if not isinstance(value, list | tuple) or not value:
        raise ModelError(f"config: {name} is {value!r}; expected a list, one number per stage.")
    return [0 if type(one) is int and one == 0 else positive(one, name) for one in value]


FAMILIES: dict[str, Family] = {family.architecture: family for family in (Swin(), Swinv2())}
