"""The loss of a batch by its kind of answer, with the checks that torch leaves out.

A label of -100 is skipped silently by torch, and a NaN loss trains on; both are refused here,
except where -100 is the mark of a token that was given.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prunegate.compress.answer_kinds import Reduction, answer_kind
from prunegate.errors import ModelError
from prunegate.models.batch import Batch, logits_of


def batch_loss(module: nn.Module, batch: Batch, reduction: Reduction) -> Tensor:
    """Return the loss of a batch, a finite scalar with its graph.

    Classifiers: the cross-entropy of each row, of several labels the mean over these. Regressors:
    the squared error. Language models: each document's mean negative log-likelihood per counted
    token under "sum" (one term a document), and the mean over all counted tokens under "mean", as
    is usual in training.

    Args:
        module: returns ``logits``, [B, classes], [B, 1] or [B, T, tokens].
        batch: on the module's device.
        reduction: over the rows.

    Raises:
        TableError: a label that is not one of the model's classes or no finite number, or a
            document without a counted token.
        ModelError: the loss is NaN or infinite.
    """
    logits = logits_of(module, batch.inputs)
    return loss_of(logits, batch.labels, reduction)


def loss_of(logits: Tensor, labels: Tensor, reduction: Reduction) -> Tensor:
    """Return the loss of logits that are known already: a finite scalar with its graph.

    Args:
        logits: [B, classes], [B, labels], [B, 1] or [B, T, tokens].
        labels: as of a ``Batch``.
        reduction: over the rows, as in ``batch_loss``.

    Raises:
        TableError, ModelError: as ``batch_loss``.
    """
    loss = answer_kind(labels).loss(logits, labels, reduction)
    if not bool(torch.isfinite(loss)):
        raise ModelError(
            "the loss is not finite; lower the learning rate, or check the pixel values."
        )
    return loss
