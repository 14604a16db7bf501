"""ResNet image classifiers of transformers (``ResNetForImageClassification``).

Filters are the channels inside a block: outputs of a convolution that only the block's next
convolution reads, with their batch norm. One row for a basic block, two for a bottleneck. The
channels between blocks, which every block of a stage adds to, stay whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import ResNetConfig, ResNetForImageClassification

from prunegate.errors import ModelError
from prunegate.models.arithmetic import config_flag, labels, positive, size
from prunegate.models.family import Answers, Family, Reads
from prunegate.models.hugging_face import HuggingFace
from prunegate.models.kept_units import KeptUnits, Kind
from prunegate.models.sites import InputSwitch, Part, Site, side_by_side

_REDUCTION = 4  # a bottleneck is a quarter as wide
_MOST_BLOCKS = 10_000


@dataclass(frozen=True, kw_only=True)
class ResidualBlock:
    """The sizes of a block."""

    before: int
    """Channels that it reads."""
    after: int
    """Channels that it adds to."""
    inside: tuple[int, ...]
    """Its filters: one row, or two."""
    shortcut: bool
    """Whether a convolution fits what is read to what is added to."""

    def parameters(self, inside: Sequence[int]) -> int:
        """Count the parameters with so many filters left."""
        widths = (self.before, *inside, self.after)
        kernels = (9, 9) if len(inside) == 1 else (1, 9, 1)
        layers = zip(widths[:-1], widths[1:], kernels, strict=True)
        total = sum(into * out * kernel + 2 * out for into, out, kernel in layers)
        return total + self.shortcut * (self.before * self.after + 2 * self.after)


class ResNet(HuggingFace):
    """The adapter."""

    architecture = "ResNetForImageClassification"
    reads: Reads = "images"
    answers: Answers = "classes"
    config_class = ResNetConfig
    model_class = ResNetForImageClassification
    attention = "eager"  # there is none, and transformers refuses another word

    def whole(self, config: Mapping[str, Any]) -> KeptUnits:
        """Return the units of the unpruned model."""
        rows = [filters for block in residual_blocks(config) for filters in block.inside]
        return KeptUnits.whole({"filters": rows})

    def parameters(self, config: Mapping[str, Any], kept: KeptUnits) -> int:
        """Count parameters from the config; resnet-50 with 1,000 labels has 25,557,032.

        Raises:
            ModelError: a size is missing its type or out of range, or rows do not fit the config.
        """
        found, counts = residual_blocks(config), list(kept.counts("filters"))
        if len(counts) != sum(len(block.inside) for block in found):
            raise ModelError(f"filters: {len(counts)} rows do not fit the config.")
        total = 0
        for block in found:
            left = [counts.pop(0) for _ in block.inside]
            for remaining, filters in zip(left, block.inside, strict=True):
                if not 1 <= remaining <= filters:
                    raise ModelError(f"filters: {remaining} left of {filters}; keep at least one.")
            total += block.parameters(left)
        stem, last = found[0].before, found[-1].after
        pixels = 49 * size(config, "num_channels", 3)
        return total + (pixels + 2) * stem + labels(config) * (last + 1)

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return two black images; they may have any size."""
        return {"pixel_values": torch.zeros(2, size(config, "num_channels", 3), 64, 64)}

    def sites(self, module: nn.Module, kind: Kind) -> tuple[Site, ...]:
        """Return one site per convolution inside a block."""
        return tuple(self._inside(module)) if kind == "filters" else ()

    def _inside(self, module: nn.Module) -> Iterator[Site]:
        stages = cast("Any", module).resnet.encoder.stages
        for stage, layers in enumerate(stages):
            for number, block in enumerate(layers.layers):
                name = f"filters of stage {stage}, block {number}"
                steps = list(block.layer)
                for index, (one, following) in enumerate(pairwise(steps)):
                    yield _site(f"{name}, convolution {index}", one, following)


def _site(name: str, one: Any, following: Any) -> Site:
    places = side_by_side(one.convolution.out_channels, 1)
    norm = [
        Part(owner=one.normalization, name=part, axis=0, places=places)
        for part in ("weight", "bias", "running_mean", "running_var")
    ]
    return Site(
        name=name,
        units=len(places),
        switches=(InputSwitch(module=following.convolution, places=places, axis=1),),
        parts=(
            Part(owner=one.convolution, name="weight", axis=0, places=places),
            *norm,
            Part(owner=following.convolution, name="weight", axis=1, places=places),
        ),
    )


def residual_blocks(config: Mapping[str, Any]) -> list[ResidualBlock]:
    """Read the blocks from the content of a config.json, in order.

    Raises:
        ModelError: a size is missing its type or out of range, or the lists do not fit.
    """
    widths = _sizes(config, "hidden_sizes", (256, 512, 1024, 2048))
    depths = _sizes(config, "depths", (3, 4, 6, 3))
    if len(widths) != len(depths) or sum(depths) > _MOST_BLOCKS:
        raise ModelError(
            f"config: {len(widths)} hidden_sizes for {len(depths)} depths; give one of each per "
            f"stage, and at most {_MOST_BLOCKS} blocks."
        )
    bottleneck = config.get("layer_type", "bottleneck") == "bottleneck"
    halves_first = config_flag(config, "downsample_in_first_stage", default=False)
    before, found = size(config, "embedding_size", 64), []
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        inner = width // _REDUCTION
        if bottleneck and not inner:
            raise ModelError(f"config: hidden_sizes: a bottleneck needs at least {_REDUCTION}.")
        for number in range(depth):
            strided = number == 0 and (stage > 0 or halves_first)
            found.append(
                ResidualBlock(
                    before=before,
                    after=width,
                    inside=(inner, inner) if bottleneck else (width,),
                    shortcut=strided or before != width,
                )
            )
            before = width
    return found


def _sizes(config: Mapping[str, Any], name: str, default: Sequence[int]) -> list[int]:
    value = config[name] if config.get(name) is not None else list(default)
    if not isinstance(value, list | tuple) or not value:
        raise ModelError(f"config: {name} is {value!r}; expected a list of sizes, one per stage.")
    return [positive(one, name) for one in value]


FAMILY = ResNet()
FAMILIES: dict[str, Family] = {FAMILY.architecture: FAMILY}
