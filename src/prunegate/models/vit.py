"""Vision Transformer image classifiers of transformers (``ViTForImageClassification``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from transformers import ViTConfig, ViTForImageClassification

from prunegate.models.arithmetic import ParameterSum
from prunegate.models.family import Answers, Family, Reads
from prunegate.models.sites import Site, fused_between, side_by_side, units_between
from prunegate.models.transformer import Stacks, Transformer
from prunegate.models.vit_geometry import ViTGeometry


class ViT(Transformer):
    """The adapter."""

    architecture = "ViTForImageClassification"
    reads: Reads = "images"
    answers: Answers = "classes"
    config_class = ViTConfig
    model_class = ViTForImageClassification
    # transformers 4, and save_pretrained of 5, store other names than the module has.
    stored_names: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"^(vit|deit)\.encoder\.layer\.", r"\1.layers."),
        (r"\.attention\.attention\.query\.", ".attention.q_proj."),
        (r"\.attention\.attention\.key\.", ".attention.k_proj."),
        (r"\.attention\.attention\.value\.", ".attention.v_proj."),
        (r"\.attention\.output\.dense\.", ".attention.o_proj."),
        (r"\.intermediate\.dense\.", ".mlp.fc1."),
        (r"(\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    )

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs."""
        return ViTGeometry.from_config(config).ledger

    def example(self, config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return two black images."""
        geometry = ViTGeometry.from_config(config)
        return {"pixel_values": torch.zeros(2, geometry.channels, *geometry.image)}

    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are."""
        return ((cast("Any", module).vit, "layers"),)

    def heads(self, layer: Any, name: str) -> Site:
        """Return the heads of a layer."""
        attention = layer.attention
        places = side_by_side(
            attention.o_proj.in_features // attention.head_dim, attention.head_dim
        )

        def resized(keep: Sequence[int]) -> None:
            attention.num_attention_heads = len(keep)

        before = [
            (linear, places) for linear in (attention.q_proj, attention.k_proj, attention.v_proj)
        ]
        return units_between(name, before, attention.o_proj, places, resized)

    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer."""
        return fused_between(name, layer.mlp.fc1, layer.mlp.fc2)


FAMILY = ViT()
FAMILIES: dict[str, Family] = {FAMILY.architecture: FAMILY}
