"""A tiny classifier and data that it can learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# Two threads that wait for each other are slow on a shared machine, and tiny models gain nothing.


@dataclass(frozen=True)
class Rows:
    """Examples in memory: bright images are class 1."""

    inputs: Any
    labels: Any

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, rows: np.ndarray) -> Any:
        from prunegate.models.batch import Batch

        return Batch(inputs={"pixel_values": self.inputs[rows]}, labels=self.labels[rows])


def make_rows_of(count: int = 40, seed: int = 0) -> Rows:
    import torch

    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    noise = torch.randn(count, 3, 16, 16, generator=generator)
    return Rows(inputs=noise + (labels * 2.0 - 1.0)[:, None, None, None], labels=labels)


def make_model_of(seed: int = 0, scale: float = 0.3, **changes: Any) -> Any:
    import torch

    from prunegate.models.load import LoadedModel
    from prunegate.models.vit import FAMILY

    config = {
        "architectures": ["ViTForImageClassification"],
        "image_size": 16,
        "patch_size": 8,
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 10,
        "num_labels": 2,
        **changes,
    }
    kept = FAMILY.whole(config)
    module = FAMILY.skeleton(config, kept)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    return LoadedModel(
        module=module,
        family=FAMILY,
        config=config,
        preprocessor={},
        kept=kept,
        digest="b" * 64,
        parameters=FAMILY.parameters(config, kept),
        active_heads=kept.active_heads,
        model_bytes=1,
        folder=Path(),
    )


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Any]:
    return make_model_of


@pytest.fixture(scope="session")
def make_rows() -> Callable[..., Rows]:
    return make_rows_of
