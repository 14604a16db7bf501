"""A batch: what a model is called with, and what it should have answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

NOT_COUNTED = -100
"""The label of a token that is given, not predicted (torch's own number for it)."""


def logits_of(module: nn.Module, inputs: Mapping[str, Tensor]) -> Tensor:
    """Return what a model answers: [B, classes], [B, labels], [B, 1] or [B, T, tokens].

    Args:
        module: whose answer has ``logits``.
        inputs: by argument name, on its device.
    """
    logits: Tensor = module(**inputs).logits
    return logits


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some rows; on the CPU until moved."""

    inputs: Mapping[str, Tensor]
    """Keyword arguments of the model: pixel_values, or input_ids and attention_mask."""
    labels: Tensor
    """int64 [B]: class numbers; int64 [B, T]: each token itself, or ``NOT_COUNTED``; float32
    [B, labels]: 1 for each of several labels that a row has, else 0; float32 [B]: a number."""

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(
            inputs={name: tensor.to(device) for name, tensor in self.inputs.items()},
            labels=self.labels.to(device),
        )
