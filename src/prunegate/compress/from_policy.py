"""From the policy's ``compress`` section to a recipe, with the rows that each step asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from prunegate.compress.finetune import Schedule
from prunegate.compress.ranking_input import Examples
from prunegate.compress.select import Amount
from prunegate.compress.steps import (
    ExportStep,
    FinetuneStep,
    PruneStep,
    QuantizeStep,
    Rewind,
    Step,
)
from prunegate.compress.structured import Cut
from prunegate.compress.unstructured import Thinning
from prunegate.models.load import LoadedModel
from prunegate.policy.naming import value_text
from prunegate.policy.steps import (
    RANKED_BY_DATA,
    Finetune,
    Keep,
    Prune,
    Quantize,
    Rows,
    ShareBelow,
)
from prunegate.policy.steps import Step as PolicyStep

Find = Callable[[Rows], Examples]
Earlier = Callable[[Literal["initial", "early"]], LoadedModel]


def steps_of(section: Sequence[PolicyStep], examples: Find, earlier: Earlier) -> tuple[Step, ...]:
    """The steps of a policy, ready to run.

    Args:
        section: ``policy.compress``.
        examples: turns a step's row selection into labelled examples.
        earlier: loads the weights that a step rewinds to.
    """
    return tuple(_step(step, examples, earlier) for step in section)


def _step(step: PolicyStep, examples: Find, earlier: Earlier) -> Step:
    if step.prune is not None:
        return _prune(step.prune, examples, earlier)
    if step.finetune is not None:
        return _finetune(step.finetune, examples)
    if step.quantize is not None:
        return _quantize(step.quantize, examples)
    return ExportStep()


def _prune(step: Prune, examples: Find, earlier: Earlier) -> PruneStep:
    ranked = step.criterion in RANKED_BY_DATA
    return PruneStep(
        cut=_cut(step),
        data=examples(step.data) if ranked else None,
        data_name=rows_in_words(step.data) if ranked else "",
        cycles=step.cycles,
        rewind=None
        if step.rewind == "none"
        else Rewind(to=step.rewind, weights=earlier(step.rewind)),
    )


def _cut(step: Prune) -> Cut | Thinning:
    amount = None if step.amount is None else _amount(step.amount)
    if step.what == "weights" or step.what == "2:4":  # noqa: PLR1714  # narrows the type
        return Thinning(
            what=step.what,
            amount=amount,
            criterion=step.criterion,
            scope=step.scope,
            min_per_layer=step.min_per_layer,
        )
    assert amount is not None  # noqa: S101  # the policy's schema: only 2:4 has none
    return Cut(
        what=step.what,
        amount=amount,
        criterion=step.criterion,
        scope=step.scope,
        min_per_layer=step.min_per_layer,
    )


def _finetune(step: Finetune, examples: Find) -> FinetuneStep:
    schedule = Schedule(
        epochs=step.epochs,
        steps=step.steps,
        learning_rate=step.learning_rate,
        batch_size=step.batch_size,
        weight_decay=step.weight_decay,
        flip=step.flips is not False,
    )
    return FinetuneStep(
        schedule=schedule, data=examples(step.rows), data_name=rows_in_words(step.rows)
    )


def _quantize(step: Quantize, examples: Find) -> QuantizeStep:
    static = step.kind == "static"
    return QuantizeStep(
        kind=step.kind,
        engine=step.engine,
        per_channel=step.per_channel,
        embeddings=step.embeddings,
        data=examples(step.data) if static else None,
        data_name=rows_in_words(step.data) if static else "",
    )


def _amount(amount: float | ShareBelow | Keep) -> Amount:
    if isinstance(amount, ShareBelow):
        return Amount(share_below=amount.share_below)
    if isinstance(amount, Keep):
        return Amount(keep=amount.keep)
    return Amount(fraction=amount)


def rows_in_words(rows: Rows) -> str:
    """What a row selection is, for the record: ``train, content_type=display, at most 9,000``."""
    filters = [
        f"{key}={'|'.join(map(value_text, value if isinstance(value, tuple) else (value,)))}"
        for key, value in rows.where.items()
    ]
    limit = [f"at most {rows.limit:,}"] if rows.limit else []
    return ", ".join([rows.split, *filters, *limit])


def stage_in_words(stage: str, model: str) -> str:
    """What ``compress`` is at, for people: ``rank heads (step 1 of 3)``.

    Args:
        stage: as ``compress`` reports it: ``step 1 of 3: rank heads``.
        model: what is being made: candidate or control.
    """
    place, _, verb = stage.partition(": ")
    told = verb if verb.startswith("rank") else f"{verb} the {model}"
    return f"{told} ({place})"
