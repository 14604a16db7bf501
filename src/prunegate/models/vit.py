"""Vision Transformer image classifiers of transformers (``ViTForImageClassification``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from transformers import ViTConfig, ViTForImageClassification

from prunegate.models.arithmetic import ParameterSum
from prunegate.models.family import Answers, Family, Reads
from prunegate.models.sites import InputSwitch, Part, Site, linear_parts, side_by_side
from prunegate.models.transformer import Transformer
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

    def stack(self, module: nn.Module) -> tuple[nn.Module, str]:
        """Return where the layers are."""
        return cast("Any", module).vit, "layers"

    def heads(self, layer: Any, name: str) -> Site:
        """Return the heads of a layer."""
        attention = layer.attention
        places = side_by_side(
            attention.o_proj.in_features // attention.head_dim, attention.head_dim
        )

        def resized(keep: Sequence[int]) -> None:
            attention.num_attention_heads = len(keep)

        parts = [
            *linear_parts(attention.q_proj, places),
            *linear_parts(attention.k_proj, places),
            *linear_parts(attention.v_proj, places),
            Part(owner=attention.o_proj, name="weight", axis=1, places=places),
        ]
        switch = InputSwitch(module=attention.o_proj, places=places)
        return Site(
            name=name,
            units=len(places),
            switches=(switch,),
            parts=tuple(parts),
            resized=resized,
        )

    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer."""
        places = side_by_side(layer.mlp.fc2.in_features, 1)
        return Site(
            name=name,
            units=len(places),
            switches=(InputSwitch(module=layer.mlp.fc2, places=places),),
            parts=(
                *linear_parts(layer.mlp.fc1, places),
                Part(owner=layer.mlp.fc2, name="weight", axis=1, places=places),
            ),
        )


FAMILY = ViT()
FAMILIES: dict[str, Family] = {FAMILY.architecture: FAMILY}
