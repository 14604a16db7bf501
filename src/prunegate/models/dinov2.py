"""DINOv2 image classifiers of transformers: a ViT whose parts are scaled before they are added.

The classifier reads the class token and the mean of the patches. The giant model's MLPs are gated
(SwiGLU): a neuron has an entry in three matrices, of which files hold two side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from torch import nn
from transformers import Dinov2Config, Dinov2ForImageClassification

from prunegate.models.arithmetic import ParameterSum, config_flag, mlp_width, size
from prunegate.models.family import Family
from prunegate.models.sites import Site, side_by_side, units_between
from prunegate.models.transformer import Stacks
from prunegate.models.vit import ViT
from prunegate.models.vit_geometry import ViTGeometry


class Dinov2(ViT):
    """The adapter."""

    architecture = "Dinov2ForImageClassification"
    config_class = Dinov2Config
    model_class = Dinov2ForImageClassification
    stored_names: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"\.attention\.attention\.query\.", ".attention.q_proj."),
        (r"\.attention\.attention\.key\.", ".attention.k_proj."),
        (r"\.attention\.attention\.value\.", ".attention.v_proj."),
        (r"\.attention\.output\.dense\.", ".attention.o_proj."),
        (r"\.mlp\.weights_out\.", ".mlp.down_proj."),
    )
    split_names: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        (r"\.mlp\.weights_in\.", (".mlp.gate_proj.", ".mlp.up_proj.")),
    )

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs.

        Raises:
            ModelError: a size is missing its type, out of range, or does not divide.
        """
        hidden = size(config, "hidden_size", 768)
        neurons = mlp_width(config, hidden)
        gated = config_flag(config, "use_swiglu_ffn", default=False)
        if gated:  # two thirds, rounded up to a multiple of eight
            neurons = (int(neurons * 2 / 3) + 7) // 8 * 8
        geometry = ViTGeometry.from_config(
            {"patch_size": 14, **config, "intermediate_size": neurons}
        )
        mask = config_flag(config, "use_mask_token", default=True)
        return geometry.ledger.plus(
            outside=mask * hidden + geometry.labels * hidden,
            layer=2 * hidden,
            neuron=gated * (hidden + 1),
        )

    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are."""
        return ((cast("Any", module).dinov2.encoder, "layer"),)

    def neurons(self, layer: Any, name: str) -> Site:
        """Return the neurons of a layer: outputs of all its matrices but the last."""
        *before, after = (part for part in layer.mlp.children() if isinstance(part, nn.Linear))
        places = side_by_side(after.in_features, 1)
        return units_between(name, [(linear, places) for linear in before], after, places)


FAMILIES: dict[str, Family] = {Dinov2.architecture: Dinov2()}
