"""Score images or texts: the probability of every class, or the numbers of a regressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from prunegate.errors import ModelError, TableError
from prunegate.io.progress import Progress, silent
from prunegate.models.activation import Activation
from prunegate.models.batch import logits_of
from prunegate.models.placement import placed
from prunegate.predict.inputs import Inputs

SCORED = 128
"""Rows per forward pass in scoring, at most, where nobody asks for another number."""


def probabilities(
    module: nn.Module,
    inputs: Inputs,
    *,
    batch_size: int = 128,
    device: str = "cpu",
    activation: Activation = "softmax",
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """Return the probability of every class for every row.

    Args:
        module: A classifier with ``logits`` of at least two classes, or of one where that is a
            sigmoid's; its mode and device are put back afterwards.
        inputs: At least one row.
        batch_size: Rows per forward pass, at most.
        device: "cpu" or "cuda".
        activation: What makes probabilities of the logits; none: they are probabilities.
        progress: Called with ("predict", rows done, rows).

    Returns:
        float64 [N, classes] in [0, 1], made in float64 of the model's own numbers; a model that
        answers with one number has two classes, the second of which is the one it speaks of.

    Raises:
        TableError: no rows.
        ModelError: fewer than two classes, or logits that are not finite.
        UnsupportedError: the device is unknown or not there.
    """
    return _answers(
        module,
        inputs,
        lambda logits: _shares(logits, activation),
        batch_size=batch_size,
        device=device,
        progress=progress,
    )


def numbers(
    module: nn.Module,
    inputs: Inputs,
    *,
    batch_size: int = SCORED,
    device: str = "cpu",
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """Return a regressor's answers as they stand, float64 [N, outputs].

    Args:
        module: A model with ``logits`` [N, outputs].
        inputs: At least one row.
        batch_size: Rows per forward pass, at most.
        device: "cpu" or "cuda".
        progress: As for ``probabilities``.

    Raises:
        TableError: no rows.
        ModelError: answers that are not finite, or no numbers a row.
        UnsupportedError: the device is unknown or not there.
    """
    return _answers(
        module, inputs, _numbers, batch_size=batch_size, device=device, progress=progress
    )


def positive_scores(  # noqa: PLR0913  # as probabilities, and which class
    module: nn.Module,
    inputs: Inputs,
    positive_index: int,
    *,
    batch_size: int = 128,
    device: str = "cpu",
    activation: Activation = "softmax",
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """Return the probability of one class for every row, float64 [N] in [0, 1].

    Args:
        module: As for ``probabilities``.
        inputs: At least one row.
        positive_index: The positive class's number.
        batch_size: Rows per forward pass, at most.
        device: "cpu" or "cuda".
        activation: As for ``probabilities``.
        progress: Called with ("predict", rows done, rows).

    Raises:
        TableError, ModelError, UnsupportedError: as ``probabilities``; no class of that number.
    """
    found = probabilities(
        module,
        inputs,
        batch_size=batch_size,
        device=device,
        activation=activation,
        progress=progress,
    )
    if not 0 <= positive_index < found.shape[1]:
        raise ModelError(
            f"the model has {found.shape[1]} classes; the positive one has number "
            f"{positive_index}. Expected a number among them."
        )
    return found[:, positive_index]


def chosen_labels(shares: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.object_]:
    """Return the name of each row's likeliest class; of equally likely ones, the first.

    Args:
        shares: float64 [N, classes].
        names: one name per class.

    Raises:
        ModelError: the model answers with another number of classes than its config names.
    """
    if shares.shape[1] != len(names):
        raise ModelError(
            f"the model answers with {shares.shape[1]} classes, its config.json names "
            f"{len(names)} (id2label); correct id2label."
        )
    chosen = [names[number] for number in shares.argmax(axis=1).tolist()]
    return np.array(chosen, dtype=np.object_)


def _answers(  # as probabilities, and what is made of each answer
    module: nn.Module,
    inputs: Inputs,
    made: Callable[[torch.Tensor], NDArray[np.float64]],
    *,
    batch_size: int,
    device: str,
    progress: Progress,
) -> NDArray[np.float64]:
    """What is made of the module's answers, float64 [N, columns], batch by batch."""
    if not len(inputs):
        raise TableError(f"no {inputs.noun} to score; the table has to list at least one.")
    if batch_size < 1:
        raise ModelError(f"batch size {batch_size} has to be at least 1.")
    found: NDArray[np.float64] | None = None
    done = 0
    with placed(module, device, training=False) as target, torch.inference_mode():
        for rows in inputs.batches(batch_size):
            given = {name: tensor.to(target) for name, tensor in inputs.inputs(rows).items()}
            part = made(logits_of(module, given))
            found = np.empty((len(inputs), part.shape[1])) if found is None else found
            found[rows] = part
            done += len(rows)
            progress("predict", done, len(inputs))
    assert found is not None  # noqa: S101  # there is a row, hence a batch
    return found


def _numbers(answers: torch.Tensor) -> NDArray[np.float64]:
    if answers.dim() != 2:
        raise ModelError(f"the model answers with {list(answers.shape)}; expected numbers a row.")
    _require_finite(answers)
    return cast("NDArray[np.float64]", answers.double().cpu().numpy())


def _require_finite(answers: torch.Tensor) -> None:
    if not bool(torch.isfinite(answers).all()):
        raise ModelError("the model's outputs are NaN or infinite; it cannot be judged.")


def _shares(logits: torch.Tensor, activation: Activation) -> NDArray[np.float64]:
    classes = logits.shape[-1]
    if logits.dim() != 2 or (classes < 2 and activation == "softmax"):
        # With a single class the softmax is 1 for every row: it would pass anything.
        raise ModelError(
            f"the model has {classes} classes; expected logits of at least two for every row. Of a "
            "model with one output, say 'activation: sigmoid' (or none) in the policy."
        )
    _require_finite(logits)
    shares = logits.double()
    if activation != "none":
        shares = shares.softmax(dim=-1) if activation == "softmax" else shares.sigmoid()
    if not bool(((shares >= 0) & (shares <= 1)).all()):
        raise ModelError(
            f"the model's outputs reach from {float(shares.min()):g} to {float(shares.max()):g}, "
            "so they are no probabilities; say 'activation: softmax' or 'activation: sigmoid' in "
            "the policy."
        )
    if classes == 1:
        shares = torch.cat([1 - shares, shares], dim=-1)
    return cast("NDArray[np.float64]", shares.cpu().numpy())
