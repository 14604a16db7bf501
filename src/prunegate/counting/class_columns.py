"""Class columns: where the policy says that the models' scores per class are."""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.data.predictions.class_scores import ClassScores
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role

_ROLES: tuple[Role, ...] = ("baseline", "candidate")


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
