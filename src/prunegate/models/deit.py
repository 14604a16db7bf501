"""DeiT image classifiers of transformers: a ViT with one more token (Touvron et al., ICML 2021).

``DeiTForImageClassification`` reads the class token alone; its twin ``...WithTeacher`` reads that
of the teacher too, by a classifier of its own, and answers with the mean of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from torch import nn
from transformers import (
    DeiTConfig,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
)

from prunegate.models.arithmetic import ParameterSum
from prunegate.models.family import Family
from prunegate.models.transformer import Stacks
from prunegate.models.vit import ViT
from prunegate.models.vit_geometry import ViTGeometry


class DeiT(ViT):
    """The adapter."""

    architecture = "DeiTForImageClassification"
    config_class = DeiTConfig
    model_class: Any = DeiTForImageClassification
    classifiers = 1
    """One for each token that is read."""

    def ledger(self, config: Mapping[str, Any]) -> ParameterSum:
        """Return what each part costs: the teacher's token has a position of its own."""
        geometry = ViTGeometry.from_config(config)
        others = (self.classifiers - 1) * geometry.labels * (geometry.hidden + 1)
        return geometry.ledger.plus(outside=2 * geometry.hidden + others)

    def stacks(self, module: nn.Module) -> Stacks:
        """Return where the layers are."""
        return ((cast("Any", module).deit, "layers"),)


class DeiTWithTeacher(DeiT):
    """The adapter of the twin."""

    architecture = "DeiTForImageClassificationWithTeacher"
    model_class = DeiTForImageClassificationWithTeacher
    classifiers = 2


FAMILIES: dict[str, Family] = {
    family.architecture: family for family in (DeiT(), DeiTWithTeacher())
}
