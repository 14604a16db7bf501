"""Distillation: a model learns what its baseline answers, beside what the labels say.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015): both models'
logits are divided by a temperature T, and the loss is (1 - w) cross-entropy + w T^2 KL(teacher ||
student). Of language models each counted token is an answer; where a row may have several labels,
each label is one, a sigmoid's, and a row's divergence the mean over them. Of regressors the loss is
(1 - w) (number - label)^2 + w (number - teacher's)^2, from which any temperature cancels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prunegate.compress.answer_kinds import Reduction, answer_kind
from prunegate.compress.loss import loss_of
from prunegate.errors import ModelError
from prunegate.models.batch import Batch, logits_of


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
        wanted = logits_of(teacher, batch.inputs)
    logits = logits_of(module, batch.inputs)
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
    reduction: Reduction = "mean",
) -> Tensor:
    """Return how far a model's answers are from another's.

    Of classes, labels and tokens KL(wanted || logits) in nats; of numbers the squared difference.

    Args:
        logits: [B, classes], [B, labels], [B, 1] or [B, T, tokens].
        wanted: The other model's, of the same shape.
        labels: Of the batch; they say which tokens count, and what kind the answers are.
        temperature: What both are divided by.
        reduction: The mean over rows or counted tokens, or their sum.
    """
    kind = answer_kind(labels)
    return kind.distance(logits / temperature, wanted / temperature, labels, reduction)
