"""Cross-entropy with the checks that torch leaves out.

A label of -100 is skipped silently by torch, and a NaN loss trains on; both are refused here.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from prunegate.errors import ModelError, TableError


def cross_entropy(
    module: nn.Module, inputs: Tensor, labels: Tensor, reduction: Literal["mean", "sum"]
) -> Tensor:
    """Return the loss of a batch, a finite scalar with its graph.

    Raises:
        TableError: a label that is not one of the model's classes.
        ModelError: the loss is NaN or infinite.
    """
    logits = cast("Tensor", cast("Any", module)(inputs).logits)
    classes = logits.shape[-1]
    if bool(((labels < 0) | (labels >= classes)).any()):
        raise TableError(f"labels have to be class numbers from 0 to {classes - 1} of the model.")
    loss = functional.cross_entropy(logits, labels, reduction=reduction)
    if not bool(torch.isfinite(loss)):
        raise ModelError(
            "the loss is not finite; lower the learning rate, or check the pixel values."
        )
    return loss
