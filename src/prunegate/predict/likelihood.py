"""Likelihood: how unexpected each document's counted tokens are to a language model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from prunegate.errors import ModelError, TableError
from prunegate.io.progress import Progress, silent
from prunegate.models.batch import NOT_COUNTED, logits_of
from prunegate.models.placement import placed
from prunegate.predict.documents import Documents

_POSITIONS = 256
"""Tokens whose log-softmax is taken at once: float64 over a whole vocabulary is large."""


DOCUMENTS = 32
"""Documents per forward pass, at most."""


@dataclass(frozen=True, kw_only=True)
class Likelihoods:
    """What a language model thinks of documents."""

    nll: NDArray[np.float64]
    """Negative log-likelihood of each document's counted tokens, summed, in nats."""
    tokens: NDArray[np.int64]
    """Counted tokens of each document."""
    quality: NDArray[np.float64] | None = None
    """How good the text is that the model writes after each prompt; None: nobody asks."""


def likelihoods(
    module: nn.Module,
    documents: Documents,
    *,
    batch_size: int = DOCUMENTS,
    device: str = "cpu",
    progress: Progress = silent,
) -> Likelihoods:
    """Return the summed negative log-likelihood of every document.

    Args:
        module: A language model with ``logits`` [B, T, tokens]; its mode and device are put back.
        documents: At least one.
        batch_size: Documents per forward pass, at most.
        device: "cpu" or "cuda".
        progress: Called with ("predict", documents done, documents).

    Returns:
        Float64 sums of float64 log-softmaxes of the model's float32 logits. Documents do not see
        each other: batches and padding change nothing beyond the forward pass's rounding.

    Raises:
        TableError: no documents.
        ModelError: logits of another shape, or not finite.
        UnsupportedError: the device is unknown or not there.
    """
    if not len(documents):
        raise TableError("no documents to score; the table has to list at least one.")
    if batch_size < 1:
        raise ModelError(f"batch size {batch_size} has to be at least 1.")
    nll, done = np.empty(len(documents)), 0
    with placed(module, device, training=False) as target, torch.inference_mode():
        for rows in documents.batches(batch_size):
            batch = documents.batch(rows).to(target)
            logits = logits_of(module, batch.inputs)
            nll[rows] = [
                _surprise(of_one[:-1], labels[1:])
                for of_one, labels in zip(_checked(logits, batch.labels), batch.labels, strict=True)
            ]
            done += len(rows)
            progress("predict", done, len(documents))
    return Likelihoods(nll=nll, tokens=documents.counted)


def _checked(logits: Tensor, labels: Tensor) -> Tensor:
    if logits.dim() != 3 or logits.shape[:2] != labels.shape:
        raise ModelError(
            f"the model's logits are {list(logits.shape)}; a language model answers with "
            f"[documents, tokens, vocabulary], here {list(labels.shape)} and its vocabulary."
        )
    return logits


def _surprise(logits: Tensor, labels: Tensor) -> float:
    """The summed negative log-likelihood of one document's counted tokens."""
    counted = labels != NOT_COUNTED
    wanted = labels[counted]
    total = 0.0
    for start in range(0, len(wanted), _POSITIONS):
        some = slice(start, start + _POSITIONS)
        shares = logits[counted][some].double().log_softmax(dim=-1)
        total -= float(shares.gather(1, wanted[some, None]).sum())
    if not np.isfinite(total):
        raise ModelError("the model's outputs are NaN or infinite; it cannot be judged.")
    return total
