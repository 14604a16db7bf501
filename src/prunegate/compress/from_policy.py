"""From the policy's ``compress`` section to a recipe, with the rows that each step asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prunegate.compress.examples import Examples
from prunegate.compress.finetune import Schedule
from prunegate.compress.prune import Cut
from prunegate.compress.recipe import FinetuneStep, PruneStep, Step
from prunegate.compress.select import Amount
from prunegate.errors import UnsupportedError
from prunegate.models.kept import KINDS
from prunegate.policy.naming import value_text
from prunegate.policy.recipe import RANKED_BY_DATA, Finetune, Keep, Prune, Rows, ShareBelow
from prunegate.policy.recipe import Step as PolicyStep


def steps_of(
    section: Sequence[PolicyStep], examples: Callable[[Rows], Examples]
) -> tuple[Step, ...]:
    """The steps of a policy, ready to run.

    Args:
        section: ``policy.compress``.
        examples: turns a step's row selection into labelled examples.
    """
    return tuple(
        _prune(step.prune, examples) if step.prune else _finetune(step.finetune, examples)
        for step in section
    )


def _prune(step: Prune, examples: Callable[[Rows], Examples]) -> PruneStep:
    if step.what not in KINDS or step.amount is None:
        raise UnsupportedError(f"pruning {step.what} is not supported yet")
    cut = Cut(
        what=step.what,
        amount=_amount(step.amount),
        criterion=step.criterion,
        scope=step.scope,
        min_per_layer=step.min_per_layer,
    )
    if step.criterion not in RANKED_BY_DATA:
        return PruneStep(cut=cut)
    return PruneStep(cut=cut, data=examples(step.data), data_name=rows_in_words(step.data))


def _finetune(step: Finetune | None, examples: Callable[[Rows], Examples]) -> FinetuneStep:
    assert step is not None  # noqa: S101  # the policy's schema: a step is one of the two
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


def stage_in_words(section: Sequence[PolicyStep], stage: str, model: str) -> str:
    """What ``compress`` is at, for people: ``rank heads (step 1 of 3)``.

    Args:
        section: the steps that ``compress`` was given.
        stage: as ``compress`` reports it: ``step 1 of 3: rank``.
        model: what is being made: candidate or control.
    """
    place = stage.partition(":")[0]
    step = section[int(place.split()[1]) - 1]
    verb = f"rank {step.prune.what}" if step.prune else f"fine-tune the {model}"
    return f"{verb} ({place})"
