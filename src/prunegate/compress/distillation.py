"""Distillation: a model learns what its baseline answers, beside what the labels say.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015): both models'
logits are divided by a temperature T, and the loss is (1 - w) cross-entropy + w T^2 KL(teacher ||
student). Of language models each counted token is an answer; where a row may have several labels,
each label is one, a sigmoid's, and a row's divergence the mean over them.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from prunegate.compress.loss import loss_of
from prunegate.errors import ModelError
from prunegate.models.batch import NOT_COUNTED, Batch


def distillation_loss(
    module: nn.Module, teacher: nn.Module, batch: Batch, *, weight: float, temperature: float
) -> Tensor:
    """Return the loss of a batch, a finite scalar with its graph; the teacher has none.

    Args:
        module: Learns.
        teacher: In evaluation mode, on the same device; asked once.
        batch: On the device.
        weight: Of the teacher, from 0 to 1; the labels have the rest.
        temperature: Above 1 lets the teacher's smaller probabilities count.

    Raises:
        TableError: as of ``loss_of``.
        ModelError: the loss is NaN or infinite.
    """
    with torch.no_grad():
        wanted = cast("Any", teacher)(**batch.inputs).logits
    logits = cast("Any", module)(**batch.inputs).logits
    labelled = loss_of(logits, batch.labels, "mean")
    soft = divergence(logits, wanted, batch.labels, temperature=temperature)
    loss = (1 - weight) * labelled + weight * temperature**2 * soft
    if not bool(torch.isfinite(loss)):
        raise ModelError(
            "the loss is not finite; lower the learning rate or raise the temperature."
        )
    return loss


def divergence(
    logits: Tensor,
    wanted: Tensor,
    labels: Tensor,
    *,
    temperature: float = 1.0,
    reduction: Literal["mean", "sum"] = "mean",
) -> Tensor:
    """Return KL(wanted || logits) per row in nats, of language models per counted token.

    Args:
        logits: [B, classes], [B, labels] or [B, T, tokens].
        wanted: The other model's, of the same shape.
        labels: Of the batch; they say which tokens count, and whether classes exclude each other.
        temperature: What both are divided by.
        reduction: The mean over rows or counted tokens, or their sum.
    """
    if labels.is_floating_point():
        rows = _of_label_sets(logits / temperature, wanted / temperature)
        return rows.mean() if reduction == "mean" else rows.sum()
    if labels.dim() > 1:
        counted = labels[:, 1:] != NOT_COUNTED
        logits, wanted = logits[:, :-1][counted], wanted[:, :-1][counted]
    return functional.kl_div(
        functional.log_softmax(logits / temperature, dim=-1),
        functional.log_softmax(wanted / temperature, dim=-1),
        reduction="batchmean" if reduction == "mean" else "sum",
        log_target=True,
    )


def _of_label_sets(logits: Tensor, wanted: Tensor) -> Tensor:
    """The mean over labels of the divergence between yes and no, of each row."""
    apart = torch.zeros_like(logits)
    for sign in (1, -1):  # yes, then no
        asked, found = functional.logsigmoid(sign * wanted), functional.logsigmoid(sign * logits)
        apart = apart + asked.exp() * (asked - found)
    return apart.mean(dim=-1)
