"""How good a model is on a step's own rows: what compensation and a teacher bought is told by it.

A figure for the record of a step, on rows that the step itself looked at; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from prunegate.compress.answer_kinds import Apart, answer_kind
from prunegate.compress.distillation import divergence
from prunegate.compress.loss import loss_of
from prunegate.compress.ranking_input import Examples
from prunegate.models.batch import logits_of
from prunegate.models.placement import placed

MEASURED = 1_000
"""The first rows of a step, at most so many."""
_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class StepQuality:
    """A model on some rows."""

    rows: int
    loss: float
    """Cross-entropy per row, of several labels the mean over these; of language, the mean over
    documents of theirs per token; of numbers the mean squared error."""
    accuracy: float | None
    """Share of rows that are classified right; None where rows have no one class."""
    divergence: float | None = None
    """How far answers are from the teacher's; None without a teacher."""
    apart: Apart = "divergence"
    """What that is: KL(teacher || model) per row or counted token in nats, or the mean squared
    difference of numbers."""


def step_quality(
    module: nn.Module, data: Examples, device: str, teacher: nn.Module | None = None
) -> StepQuality:
    """Measure a model on the first rows of a step.

    Raises:
        TableError: a label that is not a class.
        ModelError: the loss is not finite.
    """
    rows = min(len(data), MEASURED)
    sums = _Sums()
    with ExitStack() as stack:
        target = stack.enter_context(placed(module, device, training=False))
        if teacher is not None:
            stack.enter_context(placed(teacher, device, training=False))
        stack.enter_context(torch.inference_mode())
        for start in range(0, rows, _BATCH):
            batch = data.batch(np.arange(start, min(start + _BATCH, rows))).to(target)
            logits = logits_of(module, batch.inputs)
            sums.add(logits, batch.labels)
            if teacher is not None:
                sums.compare(logits, logits_of(teacher, batch.inputs), batch.labels)
    return sums.found(rows)


class _Sums:
    """What is summed over batches."""

    def __init__(self) -> None:
        self.loss = 0.0
        self.right: int | None = 0
        self.apart: float | None = None
        self.kind: Apart = "divergence"
        self.answers = 0

    def add(self, logits: Tensor, labels: Tensor) -> None:
        self.loss += float(loss_of(logits, labels, "sum"))
        right = answer_kind(labels).right(logits, labels)
        self.right = None if right is None or self.right is None else self.right + right

    def compare(self, logits: Tensor, wanted: Tensor, labels: Tensor) -> None:
        kind = answer_kind(labels)
        self.kind = kind.apart
        self.apart = (self.apart or 0.0) + float(
            divergence(logits, wanted, labels, reduction="sum")
        )
        self.answers += kind.answers(labels)

    def found(self, rows: int) -> StepQuality:
        return StepQuality(
            rows=rows,
            loss=self.loss / rows,
            accuracy=None if self.right is None else self.right / rows,
            divergence=None if self.apart is None else self.apart / self.answers,
            apart=self.kind,
        )


def quality_values(found: Mapping[str, StepQuality]) -> dict[str, Any]:
    """Spell out what was measured, by when: ``loss_before``, ``accuracy_after``, to six digits."""
    if not found:
        return {}
    rows = next(iter(found.values())).rows
    losses = {f"loss_{when}": _digits(one.loss) for when, one in found.items()}
    shares = {
        f"accuracy_{when}": _digits(one.accuracy)
        for when, one in found.items()
        if one.accuracy is not None
    }
    apart = {
        f"{one.apart}_{when}": _digits(one.divergence)
        for when, one in found.items()
        if one.divergence is not None
    }
    return {"measured_rows": rows, **losses, **shares, **apart}


def _digits(value: float) -> float:
    return float(f"{value:.6g}")
