"""Tables with a score for each of several classes, and the heads of policies on scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from tests.unit.counting import kinds

TWO = "task: {kind: binary, positive: unsafe, threshold: 0.5}\n"
SEVERAL = "task: {kind: multiclass}\ndata: {scores: {%s}}\n"
CLASSES = ["u", "v", "w", "x"]


def several(seed: int, rows: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table without scores, and both models' logits; rounded, so that some are equal."""
    random = np.random.default_rng(seed)
    data = kinds.table("multiclass", seed, rows).drop(columns=["baseline", "candidate"])
    label = random.integers(0, len(CLASSES), rows)
    logits = random.normal(0, 1, (rows, len(CLASSES)))
    logits[np.arange(rows), label] += 1.5
    data["label"] = np.array(CLASSES)[label]
    changed = logits + random.normal(0, 0.3, logits.shape)
    return data, {"baseline": logits.round(1), "candidate": changed.round(1)}


def softmax(logits: Any) -> Any:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def with_columns(data: pd.DataFrame, scores: dict[str, Any]) -> pd.DataFrame:
    columns = {
        f"{model}_p_{name}": values[:, place]
        for model, values in scores.items()
        for place, name in enumerate(CLASSES)
    }
    return data.assign(**columns)
