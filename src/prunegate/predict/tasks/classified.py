"""Answers of classifiers: one of two, one of several, or any of several."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from prunegate.data.labelled.rows import Indices, LabelledRows, has_label
from prunegate.metrics.task_traits import TRAITS
from prunegate.models.load import LoadedModel
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role, Task
from prunegate.predict.classes import model_classes, require_sigmoids
from prunegate.predict.classify import chosen_labels, positive_scores, probabilities
from prunegate.predict.inputs import Inputs
from prunegate.predict.tasks.task_answers import (
    Forward,
    Scored,
    Targets,
    TaskAnswers,
    pair_columns,
    require_width,
)


class ClassAnswers(TaskAnswers):
    """What every classifier has: classes, and a probability of each."""

    models: ClassVar = "classifiers"

    def targets(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, model: LoadedModel
    ) -> Targets | None:
        classes = model_classes(policy, model.config)
        numbers = classes.numbers(rows, policy)[chosen]
        classes.require_known(rows, chosen, numbers)
        return numbers

    def require(self, policy: Policy, model: LoadedModel, shape: tuple[int, ...]) -> None:
        classes = model_classes(policy, model.config)
        require_sigmoids(policy, model.activation, model.config, model.place)
        right = len(shape) == 2 and classes.fits(shape[1])
        counted = classes.outputs or len(classes.names)
        require_width(model, shape, right, f"{counted}, one per class")


class BinaryAnswers(ClassAnswers):
    """The probability of the positive class."""

    traits: ClassVar = TRAITS["binary"]

    def scored(self, policy: Policy, model: LoadedModel, inputs: Inputs, how: Forward) -> Scored:
        positive = model_classes(policy, model.config).positive
        assert positive is not None  # noqa: S101  # of two classes one is
        return positive_scores(model.module, inputs, positive, **_options(model, how))

    def columns(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, scores: Mapping[str, Scored]
    ) -> dict[str, object]:
        return pair_columns(policy, [rows.labels[i] for i in chosen], scores)

    def changed(self, task: Task, role: Role, one: Scored, other: Scored) -> int | None:
        threshold = cast("float", task.threshold_of(role))
        before, after = (cast("NDArray[np.float64]", scores) for scores in (one, other))
        return int(np.count_nonzero((before >= threshold) != (after >= threshold)))


class MulticlassAnswers(ClassAnswers):
    """The name of the likeliest class."""

    traits: ClassVar = TRAITS["multiclass"]

    def scored(self, policy: Policy, model: LoadedModel, inputs: Inputs, how: Forward) -> Scored:
        shares = probabilities(model.module, inputs, **_options(model, how))
        return chosen_labels(shares, model_classes(policy, model.config).names)

    def columns(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, scores: Mapping[str, Scored]
    ) -> dict[str, object]:
        """Labels as text, as which they are compared with names."""
        return pair_columns(policy, [value_text(rows.labels[i]) for i in chosen], scores)

    def changed(self, task: Task, role: Role, one: Scored, other: Scored) -> int | None:
        del task, role
        return int(np.count_nonzero(one != other))


class MultilabelAnswers(ClassAnswers):
    """Each label's probability, in the policy's order."""

    traits: ClassVar = TRAITS["multilabel"]

    def targets(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, model: LoadedModel
    ) -> Targets | None:
        return model_classes(policy, model.config).flags(rows)[chosen]

    def scored(self, policy: Policy, model: LoadedModel, inputs: Inputs, how: Forward) -> Scored:
        names = model_classes(policy, model.config).names
        shares = probabilities(model.module, inputs, **_options(model, how))
        return shares[:, [names.index(name) for name in policy.task.labels]]

    def columns(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, scores: Mapping[str, Scored]
    ) -> dict[str, object]:
        """A column for each label of the truth (1 or 0) and of both models."""
        found: dict[str, object] = {}
        for label in policy.task.labels:
            has = has_label(rows, label)[chosen]
            found[policy.label_column("label", label)] = has.astype(np.int8)
        for role in ("baseline", "candidate"):
            shares = cast("NDArray[np.float64]", scores[role])
            for place, label in enumerate(policy.task.labels):
                found[policy.score_column(role, label)] = shares[:, place]
        return found

    def changed(self, task: Task, role: Role, one: Scored, other: Scored) -> int | None:
        limits = np.array([task.threshold_of(role, label) for label in task.labels])
        before, after = (cast("NDArray[np.float64]", scores) for scores in (one, other))
        return int(np.count_nonzero(((before >= limits) != (after >= limits)).any(axis=1)))


def _options(model: LoadedModel, how: Forward) -> dict[str, Any]:
    return {**how.options, "activation": model.activation}
