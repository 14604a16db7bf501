"""Class columns: where the policy says that scores per class, or a row's several labels, are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from prunegate.data.predictions.class_scores import ClassScores
from prunegate.data.predictions.label_columns import (
    Constant,
    DerivedColumn,
    FoundColumn,
    LabelColumn,
    NamedLabel,
    OwnColumn,
)
from prunegate.data.predictions.lists_beside import ListsBeside
from prunegate.data.predictions.true_class import OfTrue, TrueClass
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.score_consistency import score_metrics
from prunegate.policy.task import Role

_ROLES: tuple[Role, ...] = ("baseline", "candidate")
LISTED: dict[Role, str] = {role: f"prunegate__scores_{role}" for role in _ROLES}
"""The models' probabilities, a list a row, where a rule asks for more than the highest."""
_OF_TRUE: dict[OfTrue, frozenset[str]] = {
    "probability": frozenset({"log_loss"}),
    "squares": frozenset({"brier"}),
    "at_least": frozenset({"top_k_accuracy", "log_loss", "brier"}),
    "highest": frozenset({"log_loss", "brier"}),
    "improper": frozenset({"log_loss", "brier"}),
}
"""What is asked of the true class, and the metrics that need it."""


def class_scores(policy: Policy, *, apart: bool) -> Iterator[tuple[str, DerivedColumn]]:
    """The columns that follow from others, and from which; none where the table holds answers.

    Args:
        policy: says what the columns hold.
        apart: whether each model's answers are in a file of their own, so that no column's name
            has to say whose it is.
    """
    if policy.task.traits.sets:
        yield from _of_labels(policy, apart=apart)
        return
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
    asked = set(score_metrics(policy))
    if not policy.task.traits.classes or not asked:
        return {}
    needed = [what for what, metrics in _OF_TRUE.items() if asked & metrics]
    return {
        of_true(role, what): TrueClass(scores=LISTED[role], label=policy.columns.label, what=what)
        for role in _ROLES
        for what in needed
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


def names_column(policy: Policy, role: str) -> str:
    """A derived column: the names that a row lists, where one of them is unknown; else empty."""
    return f"{getattr(policy.columns, role)} (names)"


def beside_column(policy: Policy, role: str) -> str:
    """A derived column: what a row lists, where its column for each label says otherwise."""
    return f"{getattr(policy.columns, role)} (beside columns)"


def lists_of_names(policy: Policy) -> tuple[str, ...]:
    """The derived columns of texts; empty where a row has one label."""
    roles = ("label", *_ROLES) if policy.task.traits.sets else ()
    named = (names_column, beside_column)
    return tuple(column(policy, role) for role in roles for column in named)


def _of_labels(policy: Policy, *, apart: bool) -> Iterator[tuple[str, DerivedColumn]]:
    """A column for each label of a multilabel task, and those that say which names are unknown."""
    columns = policy.data.columns if apart else policy.columns
    for role in ("label", *_ROLES):
        lists, names = getattr(columns, role), policy.task.labels
        scored = role != "label" and policy.task.threshold is not None
        named = policy.score_column if scored else policy.label_column
        owns = tuple(named(role, name, apart=apart) for name in names)
        scores = (_scores(policy, lists, *of_one)[1] for of_one in zip(owns, names, strict=True))
        yield (
            beside_column(policy, role),
            ListsBeside(
                owns=owns,
                lists=lists,
                labels=names,
                scored=tuple(scores) if scored else (),
            ),
        )
        for label, own in zip((*names, None), (*owns, ""), strict=True):
            if label is None:
                key = names_column(policy, role)
                of_own: FoundColumn = Constant(text="")
                of_lists: FoundColumn = NamedLabel(column=lists, label=None, labels=names)
                of_lists = of_own if scored else of_lists
            else:
                key = policy.label_column(role, label)
                of_own = OwnColumn(name=own)
                of_lists = NamedLabel(column=lists, label=label, labels=names)
                if scored:
                    of_own, of_lists = _scores(policy, lists, own, label)
            yield (
                key,
                LabelColumn(own=own, owns=owns, lists=lists, of_own=of_own, of_lists=of_lists),
            )


def _scores(policy: Policy, lists: str, own: str, label: str) -> tuple[FoundColumn, ClassScores]:
    """A model's score of one label: from its own column, and from a list."""
    given = policy.data.scores
    activation = "none" if given is None else given.activation
    order = tuple(map(value_text, given.classes)) if given is not None else ()
    alone = ClassScores(
        prefix=own[: len(own) - len(label)], classes=(label,), positive=label, activation=activation
    )
    listed = ClassScores(
        column=lists, classes=order or policy.task.labels, positive=label, activation=activation
    )
    plain = OwnColumn(name=own)
    return (plain if activation == "none" else alone), listed
