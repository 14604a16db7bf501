"""Task answers: all that scoring has to know of one kind of task, in one object.

What models are asked for, what they should have said of each row, how their answers are read off
and which columns these become. Whoever prepares, scores or writes predictions asks the object
(``every.py``) and never compares names; how the columns are counted is the matter of
``counting/tasks``, and the loss that models are trained by follows from the form of ``targets``
(``compress/answer_kinds.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from prunegate.data.labelled.rows import Indices, LabelledRows
from prunegate.errors import ModelError
from prunegate.io.progress import Progress
from prunegate.metrics.task_traits import TaskTraits
from prunegate.models.family import Answers
from prunegate.models.load import LoadedModel
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role, Task
from prunegate.predict.inputs import Inputs
from prunegate.predict.likelihood import Likelihoods

Scored = NDArray[np.float64] | NDArray[np.object_] | Likelihoods
"""What one model makes of a split, in the order of its rows: the positive class's probabilities
(binary), the labels it chooses (multiclass), each label's probabilities (multilabel: [N, labels] in
the policy's order), its numbers (score), or how likely it finds each document (language)."""
Targets = NDArray[np.int64] | NDArray[np.float32]
"""What models should say: a class number a row, 1 or 0 for each of several labels, or a number."""


@dataclass(frozen=True, kw_only=True)
class Forward:
    """How a split goes through a model."""

    batch_size: int
    device: str
    progress: Progress

    @property
    def options(self) -> dict[str, Any]:
        """The same as keyword arguments."""
        return vars(self)


class TaskAnswers(ABC):
    """What models answer in one kind of task; stateless."""

    traits: ClassVar[TaskTraits]
    models: ClassVar[str]
    """What models are called that give such answers."""
    answers: ClassVar[Answers] = "classes"
    """What families call their form."""
    probabilities: ClassVar[bool] = True
    """Whether it has to be known how probabilities follow from them."""
    most: ClassVar[int | None] = None
    """Rows of a forward pass, at most; None: any number."""

    @abstractmethod
    def targets(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, model: LoadedModel
    ) -> Targets | None:
        """What a model should say of the chosen rows, in its own numbers; None: rows say it.

        Raises:
            ModelError: the model does not answer what the policy asks.
        """

    @abstractmethod
    def require(self, policy: Policy, model: LoadedModel, shape: tuple[int, ...]) -> None:
        """Pass if a model gives such answers.

        Args:
            policy: the policy.
            model: the model.
            shape: of its logits for one row.

        Raises:
            ModelError: it does not.
        """

    @abstractmethod
    def scored(self, policy: Policy, model: LoadedModel, inputs: Inputs, how: Forward) -> Scored:
        """What a model makes of some rows."""

    @abstractmethod
    def columns(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, scores: Mapping[str, Scored]
    ) -> dict[str, object]:
        """The columns of the predictions table that hold the truth and both models' answers.

        Args:
            policy: names them.
            rows: the labelled rows.
            chosen: those that were scored.
            scores: ``baseline`` and ``candidate``.
        """

    def changed(self, task: Task, role: Role, one: Scored, other: Scored) -> int | None:
        """Rows that two sets of answers decide otherwise; None: such answers decide nothing."""
        del task, role, one, other
        return None


def require_width(model: LoadedModel, shape: tuple[int, ...], right: bool, expected: str) -> None:
    """Pass if a model's answer to one row has the right form.

    Raises:
        ModelError: saying what was expected.
    """
    if not right:
        raise ModelError(
            f"{model.place}: answers one row with {list(shape)} numbers; expected {expected}."
        )


def pair_columns(policy: Policy, labels: object, scores: Mapping[str, Scored]) -> dict[str, object]:
    """A column of labels and one of each model; no labels: None."""
    names = policy.columns
    truth = {} if labels is None else {names.label: labels}
    return {
        **truth,
        names.baseline: scores["baseline"],
        names.candidate: scores["candidate"],
    }
