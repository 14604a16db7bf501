"""DeiT image classifiers of transformers: a ViT with one more token (Touvron et al., ICML 2021).

``DeiTForImageClassification`` reads the class token alone. The twin that also reads the token of
the teacher (``...WithTeacher``) is judged, not pruned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from torch import nn
from transformers import DeiTConfig, DeiTForImageClassification

from prunegate.models.arithmetic import ParameterSum
from prunegate.models.family import Family
from prunegate.models.vit import ViT
from prunegate.models.vit_geometry import ViTGeometry


class DeiT(ViT):
    """The adapter."""

    architecture = "DeiTForImageClassification"
    config_class = DeiTConfig
    model_class = DeiTForImageClassification

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs: the teacher's token has a position of its own."""
        geometry = ViTGeometry.from_config(config)
        return replace(geometry.ledger, outside=geometry.ledger.outside + 2 * geometry.hidden)

    def stack(self, module: nn.Module) -> tuple[nn.Module, str]:
        """Return where the layers are."""
        return cast("Any", module).deit, "layers"


FAMILIES: dict[str, Family] = {DeiT.architecture: DeiT()}
