"""Operations: equal to those worked out by hand from the architecture."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from prunegate.cost.flops import flops
from prunegate.models.cut import cut
from prunegate.models.vit import FAMILY

pytestmark = pytest.mark.models

VIT: dict[str, Any] = {
    "architectures": ["ViTForImageClassification"],
    "image_size": 32,
    "patch_size": 8,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "num_labels": 5,
}
PIXELS = {"pixel_values": torch.zeros(1, 3, 32, 32)}


def by_hand(heads: list[int], neurons: list[int]) -> int:
    """Multiply-adds of a ViT, times two."""
    patches, hidden, width = 16, 24, 6
    tokens = patches + 1
    total = patches * (3 * 8 * 8) * hidden + hidden * 5
    for h, n in zip(heads, neurons, strict=True):
        total += tokens * 4 * hidden * h * width  # queries, keys, values, output
        total += 2 * tokens * tokens * h * width  # their products
        total += 2 * tokens * hidden * n
    return 2 * total


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(
    ("heads", "neurons"), [([4] * 3, [40] * 3), ([1, 2, 4], [40, 7, 1]), ([2] * 3, [40] * 3)]
)
def test_a_vit_counts_as_by_hand(heads: list[int], neurons: list[int], attention: str) -> None:
    config = VIT | {"attn_implementation": attention}
    module: Any = FAMILY.skeleton(config, FAMILY.whole(config))
    module.set_attn_implementation(attention)
    cut(FAMILY, module, "heads", [range(count) for count in heads])
    cut(FAMILY, module, "neurons", [range(count) for count in neurons])
    assert flops(module, PIXELS) == by_hand(heads, neurons)


def test_a_convolution_counts_two_operations_a_multiply_add() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 7, 3)

        def forward(self, pixel_values: torch.Tensor) -> Any:
            return self.convolution(pixel_values)

    assert flops(Net(), PIXELS) == 2 * 30 * 30 * 7 * 3 * 3 * 3


def test_mode_and_gradients_are_left_alone() -> None:
    module = FAMILY.skeleton(VIT, FAMILY.whole(VIT)).train()
    module.get_submodule("classifier").eval()
    flops(module, PIXELS)
    assert module.training
    assert not module.get_submodule("classifier").training
    assert all(parameter.grad is None for parameter in module.parameters())
