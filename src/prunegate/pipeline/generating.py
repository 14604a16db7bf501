"""Generating: two language models timed as they write, in ``run`` and in ``measure``.

Only torch models keep keys and values here; an exported graph has none, so that nothing is timed,
and rules on it stay inconclusive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from prunegate.cost.generation_speed import Lengths, with_generation
from prunegate.cost.measurement import Measurements
from prunegate.io.progress import Progress
from prunegate.metrics.catalogue import of_writing
from prunegate.models.load import LoadedModel
from prunegate.pipeline.early_refusals import refuse_long_texts
from prunegate.policy.generate import Generate
from prunegate.policy.schema import Policy
from prunegate.predict.documents import Documents
from prunegate.predict.generate import keeps_cache
from prunegate.predict.inputs import Inputs
from prunegate.predict.random_inputs import vocabulary_of


def lengths_of(policy: Policy, rows: Inputs, *, texts: int, seed: int) -> Lengths | None:
    """How much is written; None: the policy says nothing of it, or its task is no language.

    Args:
        policy: its ``generate``, or rules on what that measures.
        rows: the documents whose prompts say how long a prompt is, where the policy does not.
        texts: written side by side.
        seed: of the prompts.
    """
    named = any(rule.metric in of_writing() for rule in policy.rules)
    asked = policy.generate or (Generate() if named else None)
    if asked is None or not isinstance(rows, Documents):
        return None
    given = asked.prompt_tokens or max(1, int(np.median(rows.given)))
    return Lengths(prompt_tokens=given, new_tokens=asked.new_tokens, texts=texts, seed=seed)


def require_room(lengths: Lengths, models: Sequence[LoadedModel]) -> None:
    """Insist that models take texts of these lengths.

    Raises:
        InputError: one does not.
    """
    for model in models:
        refuse_long_texts(model.place, model.config, lengths.prompt_tokens, lengths.new_tokens)


def timed_writing(  # noqa: PLR0913  # the settings of one experiment, by keyword
    taken: Measurements,
    models: Sequence[LoadedModel],
    lengths: Lengths,
    *,
    seconds: float,
    rounds: int = 20,
    device: str = "cpu",
    progress: Progress,
) -> Measurements:
    """The measurement with how fast both models write; as it is where one keeps no cache.

    Raises:
        MeasurementError: a model cannot go on from its cache.
    """
    modules = [model.module for model in models]
    if not all(map(keeps_cache, modules)):
        why = "not timed: one of the models runs without a cache of keys and values"
        return replace(taken, environment={**taken.environment, "generating": why})
    known = min(vocabulary_of(model.config) for model in models)
    prompts = lengths.prompts(known, torch.device(device))
    return with_generation(
        taken,
        modules,
        prompts,
        lengths.new_tokens,
        rounds=rounds,
        seconds=seconds,
        progress=lambda _stage, done, total: progress("time both models writing", done, total),
    )
