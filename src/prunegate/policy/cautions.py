"""Cautions: what a valid policy lets pass that its author hardly meant to.

A mistake is refused (``consistency.py``); a caution is only said, by ``policy validate``, because
the policy may be meant as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import change_check
from prunegate.policy.schema import Policy, Relative
from prunegate.text.numbers import exact

HALF = 0.5
"""Share of the baseline's value that a policy hardly means to give away."""


@dataclass(frozen=True, kw_only=True)
class Caution:
    """One thing in a policy to look at again."""

    kind: Literal["recall alone", "relative above half"]
    path: tuple[str | int, ...]
    """Where in the policy."""
    value: float | None = None
    """The limit that it is about."""


def cautions(policy: Policy) -> tuple[Caution, ...]:
    """Everything to look at again, in the order of the rules."""
    return (*_recall_alone(policy), *_large_shares(policy))


def _recall_alone(policy: Policy) -> Iterator[Caution]:
    forms = [
        METRICS[rule.metric].of_yes_no if rule.severity == "block" else None
        for rule in policy.rules
    ]
    of_positives = [n for n, form in enumerate(forms) if form and form.one_label == 1]
    guarded = any(form.guards_against_alarms for form in forms if form)
    if policy.task.traits.yes_no and of_positives and not guarded:
        yield Caution(kind="recall alone", path=("rules", of_positives[0]))


def _large_shares(policy: Policy) -> Iterator[Caution]:
    for index, rule in enumerate(policy.rules):
        for name, limit in rule.limits.items():
            check = change_check(name)
            drop = check is not None and check.moves == "drop"
            if drop and isinstance(limit, Relative) and limit.relative > HALF:
                path = ("rules", index, name, "relative")
                yield Caution(kind="relative above half", path=path, value=limit.relative)


def caution_sentence(caution: Caution) -> str:
    """What to look at again, and why."""
    if caution.kind == "recall alone":
        return (
            "recall is limited and nothing that false alarms would lower: a candidate that flags "
            "everything passes; add a rule on precision, specificity or negative_flip_rate"
        )
    value = caution.value or 0.0
    kept, drop = round(1 - value, 12), exact(value, 2)
    return (
        f"allows a drop of {drop} % of the baseline's value, so that {exact(kept, 2)} % of it is "
        f"enough; if {drop} % was meant to be kept, write {exact(kept)}"
    )
