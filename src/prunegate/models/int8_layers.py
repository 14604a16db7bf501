"""int8 layers of torch: eight-bit whole numbers with float32 scales, in buffers that can be stored.

Built on ``torch._int_mm``. Measured for torch 2.13 on a CPU with VNNI, 768 x 3,072, one thread,
against float32 at 197, 16 and 1 rows: 6.4, 3.6 and 4.6 x as fast. The quantized operators of
torch.ao give 7.3, 7.0 and 6.6 x, but are deprecated, keep weights in packed objects that
safetensors cannot store, and share one activation scale among all rows of a batch. weight_only:
0.99, 0.96 and 1.4 x.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from prunegate.errors import UnsupportedError

_SMALLEST = torch.finfo(torch.float32).tiny
Built = TypeVar("Built", bound="Int8")


class Int8(nn.Module):
    """A layer of int8 weights; for inference only.

    Args:
        whole: int8 weights, [out, ...].
        scale: float32, one for each output channel, or a single one.
        bias: float32 [out].
    """

    weight_int8: Tensor
    weight_scale: Tensor
    bias: Tensor | None

    def __init__(self, whole: Tensor, scale: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("weight_int8", whole)
        self.register_buffer("weight_scale", scale)
        self.register_buffer("bias", bias)
        self.training = False

    @property
    def weight(self) -> Tensor:
        """The weights as float32; model code also asks this for its type."""
        return self.weight_int8.float().mul_(_spread(self.weight_scale, self.weight_int8))

    def train(self: Built, mode: bool = True) -> Built:
        """Stay in evaluation mode.

        Raises:
            UnsupportedError: training was asked for.
        """
        if mode:
            raise UnsupportedError(
                "an int8 model cannot be trained; put 'finetune' before 'quantize'."
            )
        return self

    def tie(self, other: Int8) -> None:
        """Use another layer's weights and leave it to that layer to store them."""
        for name in ("weight_int8", "weight_scale"):
            self.register_buffer(name, getattr(other, name), persistent=False)


class Int8Linear(Int8):
    """``nn.Linear`` (or ``Conv1D`` of transformers) with int8 weights [out, in]."""

    def __init__(self, whole: Tensor, scale: Tensor, bias: Tensor | None, *, dynamic: bool) -> None:
        super().__init__(whole, scale, bias)
        self.dynamic = dynamic

    def forward(self, data: Tensor) -> Tensor:
        """Return data [..., in] times the weights, plus the bias: [..., out]."""
        if not self.dynamic:
            return functional.linear(data, self.weight, self.bias)
        rows = data.reshape(-1, data.shape[-1])
        scale = rows.abs().amax(dim=-1, keepdim=True).clamp_min(_SMALLEST * 127) / 127
        whole = torch.round(rows / scale).to(torch.int8)
        product = torch._int_mm(whole, self.weight_int8.t()) * (scale * self.weight_scale)
        if self.bias is not None:
            product += self.bias
        return product.reshape(*data.shape[:-1], -1)


class Int8Embedding(Int8):
    """``nn.Embedding`` with int8 rows."""

    def forward(self, rows: Tensor) -> Tensor:
        """Return the rows of these numbers [...]: [..., width]."""
        scale = self.weight_scale[rows][..., None] if self.weight_scale.ndim else self.weight_scale
        return self.weight_int8[rows].float().mul_(scale)


class Int8Conv2d(Int8):
    """``nn.Conv2d`` with int8 filters, computed in float."""

    def __init__(self, like: nn.Conv2d, whole: Tensor, scale: Tensor, bias: Tensor | None) -> None:
        super().__init__(whole, scale, bias)
        self.stride, self.padding = like.stride, like.padding
        self.dilation, self.groups = like.dilation, like.groups

    def forward(self, data: Tensor) -> Tensor:
        """Return the convolution of data [B, in, H, W]."""
        return functional.conv2d(
            data, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )


def _spread(scale: Tensor, whole: Tensor) -> Tensor:
    """Return scales [out] in a shape that multiplies weights [out, ...]."""
    return scale.reshape(-1, *(1,) * (whole.ndim - 1)) if scale.ndim else scale
