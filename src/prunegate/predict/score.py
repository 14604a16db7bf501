"""Score: what one model makes of a split, in the form that the predictions table holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from prunegate.io.progress import Progress, silent
from prunegate.models.load import LoadedModel
from prunegate.policy.schema import Policy
from prunegate.predict.classes import model_classes
from prunegate.predict.classify import chosen_labels, positive_scores, probabilities
from prunegate.predict.documents import Documents
from prunegate.predict.inputs import Inputs
from prunegate.predict.likelihood import DOCUMENTS, likelihoods
from prunegate.predict.predictions_table import Scored

Answers = TypeVar("Answers")


def score(
    policy: Policy,
    model: LoadedModel,
    inputs: Inputs,
    *,
    batch_size: int = 128,
    device: str = "cpu",
    progress: Progress = silent,
) -> Scored:
    """Score a split as the task asks.

    Args:
        policy: says what the task is.
        model: its config.json names its classes.
        inputs: the split, in the order of its rows.
        batch_size: rows per forward pass, at most; documents go in smaller batches.
        device: "cpu" or "cuda".
        progress: called with ("predict", rows done, rows).

    Returns:
        The positive class's probabilities, the labels chosen, each label's probabilities in the
        policy's order, or the documents' likelihoods.

    Raises:
        ModelError: the model does not answer the policy's question.
    """
    if isinstance(inputs, Documents):
        return within_memory(
            lambda size: likelihoods(
                model.module, inputs, batch_size=size, device=device, progress=progress
            ),
            min(batch_size, DOCUMENTS),
        )
    classes = model_classes(policy, model.config)
    run: Any = {
        "device": device,
        "activation": model.activation,
        "progress": progress,
    }

    def scored(size: int) -> Scored:
        if classes.positive is not None:
            return positive_scores(model.module, inputs, classes.positive, batch_size=size, **run)
        shares = probabilities(model.module, inputs, batch_size=size, **run)
        if classes.sets:
            return shares[:, [classes.names.index(name) for name in policy.task.labels]]
        return chosen_labels(shares, classes.names)

    if scales_by_batch(model):  # in other batches it would answer otherwise
        return scored(batch_size)
    return within_memory(scored, batch_size)


def scales_by_batch(model: LoadedModel) -> bool:
    """Whether a row's answer depends on the rows beside it.

    Dynamic int8 in onnxruntime takes one scale for the activations of a whole batch; such a model
    is scored in the batches that it is timed in, and that production is expected to send.
    """
    return (
        model.storage.engine == "onnxruntime" and model.storage.quantized.get("kind") == "dynamic"
    )


def within_memory(work: Callable[[int], Answers], batch: int) -> Answers:
    """What work gives in batches of some size: halved where memory ends, down to single rows.

    Args:
        work: given the batch; begins anew each time.
        batch: rows, at most.

    Raises:
        MemoryError, RuntimeError: also of one row; what the work raised.
    """
    while True:
        try:
            return work(batch)
        except (MemoryError, RuntimeError):  # torch has no type of its own for the CPU's
            if batch == 1:
                raise
            batch //= 2
