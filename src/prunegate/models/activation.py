"""Activation: what makes probabilities of a classifier's logits, by its config alone.

A softmax where a row is of one of several classes; a sigmoid for each output where it may have any
number of several labels, and where there is one output. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Activation = Literal["softmax", "sigmoid", "none"]
"""None: the answers are probabilities."""
SEVERAL_LABELS = "multi_label_classification"
"""The ``problem_type`` of models that decide each of several labels by itself."""
CLASSIFYING = (None, "single_label_classification", SEVERAL_LABELS)
"""The values of ``problem_type`` with an answer for each class or label."""
REGRESSION = "regression"
"""The ``problem_type`` of models whose answers are numbers as they stand."""


def activation_of(config: Mapping[str, Any]) -> Activation:
    """What makes probabilities of a classifier's logits; a single one is a sigmoid's."""
    several = config.get("problem_type") == SEVERAL_LABELS
    return "sigmoid" if one_output(config) or several else "softmax"


def one_output(config: Mapping[str, Any]) -> bool:
    """Whether a model answers a row with a single number, by its config."""
    labels = config.get("id2label")
    return len(labels) == 1 if isinstance(labels, Mapping) else config.get("num_labels") == 1
