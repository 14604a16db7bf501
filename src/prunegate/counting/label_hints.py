"""Label hints: rows whose label both models contradict with a clear score.

Two models that were trained alike err alike, so such a row may well be hard and rightly labelled;
a wrong label is the likeliest thing to look for first. That is advice: it changes no count, and
rows are never dropped because models disagree with them, which would flatter the models.
"""

from __future__ import annotations

import operator
from functools import reduce

import narwhals as nw

from prunegate.counting.column_reading import LABEL, number
from prunegate.counting.tasks.every import task_of
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.table import Table
from prunegate.policy.schema import Policy
from prunegate.policy.task import Role

CLEAR = 0.9
"""How far a clear score is, of the way from the threshold to the end of the scale."""
_SHOWN = 5
_ROLES: tuple[Role, ...] = ("baseline", "candidate")


def label_hint(policy: Policy, table: Table) -> str | None:
    """How many labels both models clearly contradict, with ids; None: none, or no scores to ask.

    Args:
        policy: the policy, which may keep ids back.
        table: a readable predictions table that also holds the id column.
    """
    if not policy.task.traits.yes_no or policy.task.threshold is None:
        return None
    against = [_against(policy, role) for role in _ROLES]
    found = (
        task_of(policy)
        .reading(policy, table)
        .frame()
        .filter(reduce(operator.and_, against))
        .select(nw.col(policy.columns.id).alias("id"))
    )
    with table.reading():
        rows = int(found.select(nw.len().alias("n")).collect().rows()[0][0])
        first = found.sort("id").head(_SHOWN).collect().rows()
    if not rows:
        return None
    ids = ", ".join(shown(row[0]) for row in first)
    more = f" and {rows - len(first):,} more" if rows > len(first) else ""
    named = "" if "id" in policy.redacted else f": {ids}{more}"
    noun = "label" if rows == 1 else "labels"
    return (
        f"Both models clearly contradict {rows:,} {noun}{named}. Look at them first; nothing was "
        "changed for it."
    )


def _against(policy: Policy, role: Role) -> nw.Expr:
    """Whether a model's score is clearly on the other side than the label."""
    threshold = policy.task.threshold_of(role)
    assert threshold is not None  # noqa: S101  # the caller has seen to it
    score = number(getattr(policy.columns, role))
    high = score >= threshold + CLEAR * (1 - threshold)
    low = (score <= (1 - CLEAR) * threshold) & (score < threshold)  # at 0, 0 is above
    return ((nw.col(LABEL) == 1) & low) | ((nw.col(LABEL) == 0) & high)
