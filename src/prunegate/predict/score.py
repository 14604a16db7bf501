"""Score: what one model makes of a split, in the form that the predictions table holds."""

from __future__ import annotations

from typing import Any

from prunegate.io.progress import Progress, silent
from prunegate.models.load import LoadedModel
from prunegate.policy.schema import Policy
from prunegate.predict.classes import model_classes
from prunegate.predict.classify import chosen_labels, positive_scores, probabilities
from prunegate.predict.documents import Documents
from prunegate.predict.inputs import Inputs
from prunegate.predict.likelihood import DOCUMENTS, likelihoods
from prunegate.predict.predictions_table import Scored


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
        size = min(batch_size, DOCUMENTS)
        return likelihoods(model.module, inputs, batch_size=size, device=device, progress=progress)
    classes = model_classes(policy, model.config)
    run: Any = {
        "batch_size": batch_size,
        "device": device,
        "activation": model.activation,
        "progress": progress,
    }
    if classes.positive is not None:
        return positive_scores(model.module, inputs, classes.positive, **run)
    shares = probabilities(model.module, inputs, **run)
    if classes.sets:
        return shares[:, [classes.names.index(name) for name in policy.task.labels]]
    return chosen_labels(shares, classes.names)
