"""FLOPs: the arithmetic of one inference, counted from shapes; a limit on speed, never a measure.

Counted are matrix products, convolutions and attention, two operations a multiply-add. Left out is
what grows with the number of activations alone (norms, softmax, activation functions, sums,
embedding look-ups), some 1 or 2 % of a transformer's operations and more of its time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from prunegate.models.placement import placed

COUNTED = "matrix products, convolutions and attention; two operations a multiply-add"
"""What is counted, in words."""


def flops(module: nn.Module, inputs: Mapping[str, Tensor]) -> int:
    """Count the floating-point operations of one forward pass.

    Args:
        module: float32, on the CPU; its mode is put back. Values do not matter.
        inputs: Of one sample.

    Source: torch's ``FlopCounterMode``, which knows attention on GPUs only; the CPU's kernel is
    added with the same formula, else the products of queries, keys and values would be left out.
    """
    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    counter = FlopCounterMode(display=False, custom_mapping={attention: _attention})
    with placed(module, "cpu", training=False), torch.no_grad(), counter:
        module(**inputs)
    return int(counter.get_total_flops())


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Operations of attention from the shapes of what it is given."""
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]  # of torch
