"""What must agree in a policy whose rows have several labels: rules, columns, groups and scores."""

from __future__ import annotations

from collections.abc import Iterator

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.forms import EachLabel, Form, WholeRows
from prunegate.policy.messages import literal, suggest
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy, Rule

At = tuple[str | int, ...]
Mistaken = tuple[At, str]
ROLES = ("label", "baseline", "candidate")


def labels_disagreements(policy: Policy) -> Iterator[Mistaken]:
    """(path, message) for everything that does not fit the labels of a multilabel task."""
    for index, rule in enumerate(policy.rules):
        form = METRICS[rule.metric].form_of("label sets") if rule.metric in METRICS else None
        for at, message in _of_rule(policy, rule, form):
            yield ("rules", index, *at), message
    yield from _of_columns(policy)
    yield from _of_scores(policy)
    if policy.group is not None:
        message = "groups of rows are not built for a multilabel task, whose rows are groups of "
        yield ("group",), f"{message}their decisions already; judge each label by a binary policy"


def _of_rule(policy: Policy, rule: Rule, form: Form | None) -> Iterator[Mistaken]:
    if isinstance(rule.classes, tuple):
        for place, value in enumerate(rule.classes):
            if value_text(value) not in policy.task.labels:
                hint = suggest(value_text(value), policy.task.labels)
                yield ("classes", place), f"unknown label {literal(value)}; {hint}"
    if isinstance(form, EachLabel) and rule.classes == "macro":
        message = f"{rule.metric} has no average over labels; write classes: each, micro or a list"
        yield ("classes",), message
    whole = isinstance(form, WholeRows)
    if whole and rule.classes != "macro" and METRICS[rule.metric].of_yes_no is None:
        yield ("classes",), f"{rule.metric} is about whole rows; remove 'classes'"


def _of_columns(policy: Policy) -> Iterator[Mistaken]:
    taken = {
        policy.label_column(role, label): f"{role} of {label}"
        for role in ROLES
        for label in policy.task.labels
    }
    for index, spec in enumerate(policy.slices):
        for key in (*spec.keys, *(spec.where or {})):
            if key in taken:
                field = "by" if spec.keys else "where"
                message = f"{literal(key)} is the column of the {taken[key]}; name another one"
                yield ("slices", index, field), message


def _of_scores(policy: Policy) -> Iterator[Mistaken]:
    scores, task = policy.data.scores, policy.task
    if scores is None:
        return
    if task.threshold is None:
        message = "scores are compared with 'task: threshold', which is missing; give one such as"
        yield ("data", "scores"), f"{message} 0.5, or one for each label"
    if scores.activation == "softmax":
        message = "each label is decided by itself, so softmax does not fit; write sigmoid or none"
        yield ("data", "scores", "activation"), message
    if scores.classes and set(map(value_text, scores.classes)) != set(task.labels):
        message = "a list's scores are of other labels than 'task: labels'; name the same ones"
        yield ("data", "scores", "classes"), message
