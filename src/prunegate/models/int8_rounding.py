"""Eight-bit weights: symmetric rounding, with one scale per output channel or per tensor.

A weight w is stored as q = round(w / scale), scale = max |w| / 127, so that |w - q scale| is at
most half a scale; -128 stays unused, so that q and -q are both there. Only numbers here: both
engines (torch, onnxruntime) round with this function. torch stores q, ONNX files q + 128.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from prunegate.errors import ModelError

Floats = npt.NDArray[np.floating[Any]]
DOMINANT = 0.5
"""Embedding tables that hold more than this share of the weights are quantized unasked."""
ZERO_POINT = 128
"""What stands for zero where whole numbers are stored as uint8."""


def to_uint8(whole: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """Return q + 128: the same numbers around another zero."""
    return (whole.astype(np.int16) + ZERO_POINT).astype(np.uint8)


def round_to_int8(
    weight: Floats, axis: int | None
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return the whole numbers and their scales.

    Args:
        weight: Finite float32, any shape.
        axis: The axis that counts output channels: each has its own scale. None: one scale.

    Returns:
        int8 of the weight's shape within [-127, 127]; float32 scales [channels], or [] for None.

    Raises:
        ModelError: a weight is NaN or infinite.
    """
    others = (
        None if axis is None else tuple(a for a in range(weight.ndim) if a != axis % weight.ndim)
    )
    largest = np.max(np.abs(weight), axis=others, initial=0.0)
    if not np.isfinite(largest).all():
        raise ModelError("NaN or infinite weights cannot be quantized; use an earlier checkpoint.")
    scale = np.asarray(largest / 127, dtype=np.float32)
    scale = np.where(scale > 0, scale, np.float32(1))  # a channel of zeros stays zeros
    spread = scale if others is None else np.expand_dims(scale, others)
    whole = np.clip(np.rint(weight / spread), -127, 127)
    return whole.astype(np.int8), scale
