"""DINOv2 image classifiers of transformers: a ViT whose parts are scaled before they are added.

The classifier reads the class token and the mean of the patches. Gated MLPs (SwiGLU, of the giant
model only) are judged, not pruned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast

from torch import nn
from transformers import Dinov2Config, Dinov2ForImageClassification

from prunegate.errors import ModelError, UnsupportedError
from prunegate.models.arithmetic import ParameterSum, config_flag, positive
from prunegate.models.family import Family
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
    )

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs.

        Raises:
            ModelError: a size is missing its type, out of range, or does not divide.
            UnsupportedError: its MLPs are gated.
        """
        if config_flag(config, "use_swiglu_ffn", default=False):
            raise UnsupportedError(
                "config: use_swiglu_ffn: DINOv2 with gated MLPs can be judged, not pruned."
            )
        geometry = ViTGeometry.from_config(_spelled_out(config))
        mask = config_flag(config, "use_mask_token", default=True)
        hidden, ledger = geometry.hidden, geometry.ledger
        return replace(
            ledger,
            outside=ledger.outside + mask * hidden + geometry.labels * hidden,
            layer=ledger.layer + 2 * hidden,
        )

    def stack(self, module: nn.Module) -> tuple[nn.Module, str]:
        """Return where the layers are."""
        return cast("Any", module).dinov2.encoder, "layer"


def _spelled_out(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config with the sizes of a ViT's."""
    hidden = positive(config.get("hidden_size", 768), "hidden_size")
    ratio = config.get("mlp_ratio", 4)
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 < ratio < hidden:
        raise ModelError(f"config: mlp_ratio is {ratio!r}; expected a number above 0.")
    return {"patch_size": 14, **config, "intermediate_size": int(hidden * ratio)}


FAMILIES: dict[str, Family] = {Dinov2.architecture: Dinov2()}
