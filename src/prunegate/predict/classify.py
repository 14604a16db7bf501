"""Score images with a classifier: the softmax probability of the positive class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from prunegate.errors import ModelError, TableError
from prunegate.models.placement import placed
from prunegate.predict.images import ImageSet


def positive_scores(
    module: nn.Module,
    images: ImageSet,
    positive_index: int,
    *,
    batch_size: int = 128,
    device: str = "cpu",
    progress: Callable[[str, int, int], None] | None = None,
) -> NDArray[np.float64]:
    """Return the probability of one class for every image.

    Args:
        module: A classifier with ``logits`` of at least two classes; its mode and device are put
            back afterwards.
        images: At least one.
        positive_index: The positive class's number.
        batch_size: Images per forward pass; the last batch is smaller, nothing is padded.
        device: "cpu" or "cuda".
        progress: Called with ("predict", images done, images).

    Returns:
        float64 [N] in [0, 1]: softmax in float64 of the model's float32 logits.

    Raises:
        TableError: no images.
        ModelError: fewer than two classes, no such class, or logits that are not finite.
        UnsupportedError: the device is unknown or not there.
    """
    if not len(images):
        raise TableError("no images to score; the table has to list at least one.")
    if batch_size < 1:
        raise ModelError(f"batch size {batch_size} has to be at least 1.")
    scores = np.empty(len(images), dtype=np.float64)
    with placed(module, device, training=False) as target, torch.inference_mode():
        for start in range(0, len(images), batch_size):
            rows = np.arange(start, min(start + batch_size, len(images)))
            inputs = images.pixel_values(rows).to(target)
            logits = cast("Any", module)(inputs).logits
            scores[rows] = _probability(logits, positive_index)
            if progress is not None:
                progress("predict", int(rows[-1]) + 1, len(images))
    return scores


def _probability(logits: torch.Tensor, positive_index: int) -> NDArray[np.float64]:
    classes = logits.shape[-1]
    # With a single class the softmax is 1 for every image: it would pass anything.
    if classes < 2 or not 0 <= positive_index < classes:
        raise ModelError(
            f"the model has {classes} classes; the positive one has number {positive_index}. "
            "Expected at least two, and a number among them."
        )
    if not bool(torch.isfinite(logits).all()):
        raise ModelError("the model's outputs are NaN or infinite; it cannot be judged.")
    return cast(
        "NDArray[np.float64]", logits.double().softmax(dim=-1)[:, positive_index].cpu().numpy()
    )
