"""Class columns: where the policy says that the models' scores per class are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from prunegate.data.predictions.class_scores import ClassScores
from prunegate.data.predictions.true_class import OfTrue, TrueClass
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import score_metrics
from prunegate.policy.task import Role

_ROLES: tuple[Role, ...] = ("baseline", "candidate")
LISTED: dict[Role, str] = {role: f"prunegate__scores_{role}" for role in _ROLES}
"""The models' probabilities, a list a row, where a rule asks for more than the highest."""
_OF_TRUE: tuple[OfTrue, ...] = ("probability", "squares", "at_least", "improper")


def class_scores(policy: Policy, *, apart: bool) -> Iterator[tuple[str, ClassScores]]:
    """The models' columns and the scores that they follow from; none where they hold answers.

    Args:
        policy: says what the columns hold.
        apart: whether each model's answers are in a file of their own, so that no column's name
            has to say whose it is.
    """
    given, task = policy.data.scores, policy.task
    if given is None:
        return
    positive = value_text(task.positive) if task.positive is not None else None
    for role in _ROLES:
        column = getattr(policy.data.columns if apart else policy.columns, role)
        prefix = given.prefix if apart or given.prefix is None else f"{role}_{given.prefix}"
        yield (
            getattr(policy.columns, role),
            ClassScores(
                column=column if prefix is None else None,
                prefix=prefix,
                classes=tuple(map(value_text, given.classes or task.classes)),
                positive=positive,
                activation=given.activation,
            ),
        )


def true_class_columns(policy: Policy) -> dict[str, TrueClass]:
    """The columns that say how both models' probabilities treat the label; none if nobody asks."""
    if not policy.task.traits.classes or not score_metrics(policy):
        return {}
    return {
        of_true(role, what): TrueClass(scores=LISTED[role], label=policy.columns.label, what=what)
        for role in _ROLES
        for what in _OF_TRUE
    }


def of_true(role: Role, what: OfTrue) -> str:
    """What a column of these is called."""
    return f"prunegate__{what}_{role}"


def listed_scores(
    policy: Policy, scores: Sequence[tuple[str, ClassScores]]
) -> dict[str, ClassScores]:
    """The lists of probabilities that these columns need, from where the answers come from."""
    homes = {getattr(policy.columns, role): LISTED[role] for role in _ROLES}
    return {homes[column]: replace(found, listed=True) for column, found in scores}
