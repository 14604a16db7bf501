"""Listed labels: whether those that came back on a list are labels of the task.

A slip of the pen in the labels' file is told as one of that file. Once its labels stand beside the
predictions they would look like the table's own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from prunegate.counting.partial_counting import spelled_as_text
from prunegate.data.predictions.columns import value_shown
from prunegate.data.predictions.table import Table
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy

_MOST = 1000
"""Different values of a column that are looked at; one with more holds no labels."""
Told = tuple[str, list[str]]
"""What is wrong, in words, and the ids of the rows."""


def unknown_labels(policy: Policy, table: Table, given: Mapping[str, Any]) -> list[Told]:
    """Labels of a list that the task does not have.

    Args:
        policy: the policy.
        table: the predictions, with their own labels where they have some.
        given: the list's labels by id.
    """
    if policy.task.traits.classes:
        known = {value_text(name) for name in policy.task.classes}
        odd = [key for key, label in given.items() if known and label not in known]
        return [(f"a label that 'task: classes' does not list{_of(given, odd)}", odd)]
    positive: Any = policy.task.positive
    positive = str(positive) if spelled_as_text(policy) else float(positive)
    others = Counter(label for label in given.values() if label != positive)
    usual = _negative(policy, table, positive) or others.most_common(1)[:1]
    odd = [key for key, label in given.items() if label in others and label not in dict(usual)]
    if not usual:
        return []
    two = " and ".join(map(value_shown, (policy.task.positive, usual[0][0])))
    words = f"a label beside {two}{_of(given, odd)}"
    return [(words, odd)]


def _of(given: Mapping[str, Any], ids: list[str]) -> str:
    """The labels that are meant, up to three."""
    found = sorted({str(given[key]) for key in ids})[:3]
    return f" ({', '.join(map(repr, found))})" if found else ""


def _negative(policy: Policy, table: Table, positive: Any) -> list[tuple[Any, int]]:
    """The other label as the table spells it, if it spells one: in its labels or the answers."""
    columns, found = policy.columns, set[Any]()
    answers = () if policy.task.threshold is not None else (columns.baseline, columns.candidate)
    kind = "text" if spelled_as_text(policy) else "number"
    for column in (columns.label, *answers):
        if table.kinds.get(column) == kind:
            with table.reading():
                values = table.frame.select(column).unique().head(_MOST).collect()
            found |= {v for v in values[column].to_list() if v not in (None, "") and v == v}  # noqa: PLR0124  # NaN
    others = found - {positive}
    return [(others.pop(), 1)] if len(others) == 1 else []
