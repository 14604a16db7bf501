"""A model in memory with the initial weights that transformers gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from prunegate.models.family import family_of
from prunegate.models.load import LoadedModel


def fresh(config: dict[str, Any], seed: int) -> LoadedModel:
    """Build a supported class from its config, seeded."""
    family = family_of(config["architectures"][0])
    whole = family.whole(config)
    module = family.skeleton(config, whole)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model_class = getattr(transformers, family.architecture)
        module.load_state_dict(model_class(module.config).state_dict())
    return LoadedModel(
        module=module.eval(),
        family=family,
        config=config,
        preprocessor={},
        kept=whole,
        digest="0" * 64,
        parameters=family.parameters(config, whole),
        active_heads=whole.active_heads,
        model_bytes=0,
        folder=Path(),
    )
