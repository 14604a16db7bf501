"""Score: what one model makes of a split, in the form that the predictions table holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from prunegate.policy.model import Policy
from prunegate.predict.classes import classes_of
from prunegate.predict.classify import chosen_labels, positive_scores, probabilities
from prunegate.predict.documents import Documents
from prunegate.predict.inputs import Inputs
from prunegate.predict.likelihood import likelihoods
from prunegate.predict.table import Scored


def score(
    policy: Policy,
    module: nn.Module,
    config: Mapping[str, Any],
    inputs: Inputs,
    *,
    device: str = "cpu",
    progress: Callable[[str, int, int], None] | None = None,
) -> Scored:
    """Score a split as the task asks.

    Args:
        policy: says what the task is.
        module: the model.
        config: its config.json, which names its classes.
        inputs: the split, in the order of its rows.
        device: "cpu" or "cuda".
        progress: called with ("predict", rows done, rows).

    Returns:
        The positive class's probabilities, the labels chosen, or the documents' likelihoods.

    Raises:
        ModelError: the model does not answer the policy's question.
    """
    if isinstance(inputs, Documents):
        return likelihoods(module, inputs, device=device, progress=progress)
    classes = classes_of(policy, config)
    if classes.positive is not None:
        return positive_scores(module, inputs, classes.positive, device=device, progress=progress)
    shares = probabilities(module, inputs, device=device, progress=progress)
    return chosen_labels(shares, classes.names)
