"""Answers of regressors: one number a row, as it stands."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from prunegate.data.labelled.rows import Indices, LabelledRows
from prunegate.errors import ModelError
from prunegate.metrics.task_traits import TRAITS
from prunegate.models.load import LoadedModel
from prunegate.policy.schema import Policy
from prunegate.predict.classify import numbers
from prunegate.predict.inputs import Inputs
from prunegate.predict.one_number import require_one_number
from prunegate.predict.tasks.task_answers import (
    Forward,
    Scored,
    Targets,
    TaskAnswers,
    pair_columns,
    require_width,
)


class ScoreAnswers(TaskAnswers):
    """A number; a row whose label nobody needs may have none, which is NaN among the targets."""

    traits: ClassVar = TRAITS["score"]
    models: ClassVar = "regressors"
    probabilities: ClassVar = False

    def targets(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, model: LoadedModel
    ) -> Targets | None:
        del policy, model
        found = (rows.labels[i] for i in chosen)
        return np.array([np.nan if one is None else one for one in found], dtype=np.float32)

    def require(self, policy: Policy, model: LoadedModel, shape: tuple[int, ...]) -> None:
        require_one_number(model.config, model.place, prune=bool(policy.compress))
        require_width(model, shape, shape == (1, 1), "one, the score")

    def scored(self, policy: Policy, model: LoadedModel, inputs: Inputs, how: Forward) -> Scored:
        """Numbers within the task's bounds, by which the tests reckon with what no row shows.

        Raises:
            ModelError: some lie beyond them.
        """
        found = numbers(model.module, inputs, **how.options)[:, 0]
        low, high = policy.task.score_bounds
        if beyond := int(np.count_nonzero((found < low) | (found > high))):
            raise ModelError(
                f"{model.place}: {beyond:,} of {len(found):,} numbers do not lie between {low:,g} "
                f"and {high:,g}: they reach from {found.min():g} to {found.max():g}. Give the "
                "range that its numbers can have: 'task: {range: [LOW, HIGH]}'"
            )
        return found

    def columns(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, scores: Mapping[str, Scored]
    ) -> dict[str, object]:
        labels = [rows.labels[i] for i in chosen]
        known = any(label is not None for label in labels)
        return pair_columns(policy, labels if known else None, scores)
