"""Cross-entropy with the checks that torch leaves out.

Where a row may have several labels, each is a yes or no of its own: the mean of their binary
cross-entropies. A label of -100 is skipped silently by torch, and a NaN loss trains on; both are
refused here, except where -100 is the mark of a token that was given.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from prunegate.errors import ModelError, TableError
from prunegate.models.batch import NOT_COUNTED, Batch


def cross_entropy(module: nn.Module, batch: Batch, reduction: Literal["mean", "sum"]) -> Tensor:
    """Return the loss of a batch, a finite scalar with its graph.

    Classifiers: the cross-entropy of each row, of several labels the mean over these. Language
    models: each document's mean negative log-likelihood per counted token under "sum" (one term a
    document), and the mean over all counted tokens under "mean", as is usual in training.

    Args:
        module: returns ``logits``, [B, classes] or [B, T, tokens].
        batch: on the module's device.
        reduction: over the rows.

    Raises:
        TableError: a label that is not one of the model's classes, or a document without a counted
            token.
        ModelError: the loss is NaN or infinite.
    """
    logits = cast("Tensor", cast("Any", module)(**batch.inputs).logits)
    return loss_of(logits, batch.labels, reduction)


def loss_of(logits: Tensor, labels: Tensor, reduction: Literal["mean", "sum"]) -> Tensor:
    """Return the loss of logits that are known already; otherwise as ``cross_entropy``."""
    if labels.is_floating_point():
        loss = _of_label_sets(logits, labels, reduction)
    elif labels.dim() == 1:
        loss = _of_classes(logits, labels, reduction)
    else:
        loss = _of_tokens(logits, labels, reduction)
    if not bool(torch.isfinite(loss)):
        raise ModelError(
            "the loss is not finite; lower the learning rate, or check the pixel values."
        )
    return loss


def _of_classes(logits: Tensor, labels: Tensor, reduction: Literal["mean", "sum"]) -> Tensor:
    classes = logits.shape[-1]
    if bool(((labels < 0) | (labels >= classes)).any()):
        raise TableError(f"labels have to be class numbers from 0 to {classes - 1} of the model.")
    return functional.cross_entropy(logits, labels, reduction=reduction)


def _of_label_sets(logits: Tensor, labels: Tensor, reduction: Literal["mean", "sum"]) -> Tensor:
    if labels.shape != logits.shape or bool(((labels != 0) & (labels != 1)).any()):
        raise TableError(
            f"a row has 1 or 0 for each of the model's {logits.shape[-1]} labels; the labels are "
            f"{list(labels.shape[1:])} numbers a row, or others."
        )
    losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    rows = losses.mean(dim=-1)
    return rows.mean() if reduction == "mean" else rows.sum()


def _of_tokens(logits: Tensor, labels: Tensor, reduction: Literal["mean", "sum"]) -> Tensor:
    following = labels[:, 1:]
    counted = following != NOT_COUNTED
    if not bool(counted.any(dim=1).all()):
        raise TableError("a document without a token to predict; its reference may be empty.")
    losses = functional.cross_entropy(
        logits[:, :-1].flatten(0, 1),
        following.flatten(),
        ignore_index=NOT_COUNTED,
        reduction="none",
    ).view(following.shape)
    if reduction == "mean":
        return losses.sum() / counted.sum()
    return (losses.sum(dim=1) / counted.sum(dim=1)).sum()
