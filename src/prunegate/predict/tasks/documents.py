"""Answers of language models: how likely each document is, and how good what they write."""

# ruff: noqa: D102  # the base class says what each member means
from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from prunegate.data.labelled.rows import Indices, LabelledRows
from prunegate.errors import InternalError
from prunegate.metrics.task_traits import TRAITS
from prunegate.models.load import LoadedModel
from prunegate.policy.schema import Policy
from prunegate.predict.documents import Documents
from prunegate.predict.inputs import Inputs
from prunegate.predict.likelihood import DOCUMENTS, Likelihoods, likelihoods
from prunegate.predict.tasks.task_answers import (
    Forward,
    Scored,
    Targets,
    TaskAnswers,
    require_width,
)


class LanguageAnswers(TaskAnswers):
    """Likelihoods; documents are their own answer."""

    traits: ClassVar = TRAITS["language"]
    models: ClassVar = "language models"
    answers: ClassVar = "next token"
    most: ClassVar = DOCUMENTS

    def targets(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, model: LoadedModel
    ) -> Targets | None:
        del policy, rows, chosen, model
        return None

    def require(self, policy: Policy, model: LoadedModel, shape: tuple[int, ...]) -> None:
        del policy
        require_width(model, shape, len(shape) == 3, "one per place and token")

    def scored(self, policy: Policy, model: LoadedModel, inputs: Inputs, how: Forward) -> Scored:
        del policy
        assert isinstance(inputs, Documents)  # noqa: S101  # what rows of the task are opened as
        return likelihoods(model.module, inputs, **how.options)

    def columns(
        self, policy: Policy, rows: LabelledRows, chosen: Indices, scores: Mapping[str, Scored]
    ) -> dict[str, object]:
        del rows, chosen
        names, baseline, candidate = policy.columns, scores["baseline"], scores["candidate"]
        if not isinstance(baseline, Likelihoods) or not isinstance(candidate, Likelihoods):
            raise InternalError("a language task needs likelihoods of both models")
        if not np.array_equal(baseline.tokens, candidate.tokens):
            raise InternalError("the two models were asked about different tokens")
        columns: dict[str, object] = {
            names.baseline: baseline.nll,
            names.candidate: candidate.nll,
            names.tokens: baseline.tokens,
        }
        if baseline.quality is not None and candidate.quality is not None:
            columns[names.baseline_quality] = baseline.quality
            columns[names.candidate_quality] = candidate.quality
        return columns
