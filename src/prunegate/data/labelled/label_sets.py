"""Label sets: the several labels of each labelled row, from a column for each or from lists.

What a labelled table may hold is what a predictions table may (``label_hate``, or ``label`` with a
list of names), read off by the same code. A row whose labels cannot be read is no row without
labels: all such rows are told at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from prunegate.data.predictions.columns import EXAMPLES, shown
from prunegate.data.predictions.label_columns import (
    NO,
    YES,
    Constant,
    DerivedColumn,
    LabelColumn,
    NamedLabel,
    OwnColumn,
)
from prunegate.data.predictions.lists_beside import NAMES_DIFFER, ListsBeside
from prunegate.errors import TableError
from prunegate.policy.schema import Policy

BESIDE = "prunegate__labels_beside"
"""A derived column: a row's names where its column for each label says otherwise; else empty."""
UNKNOWN = "prunegate__unknown_labels"
"""A derived column: a row's names where one of them is unknown; empty where all are known, null
where the row has no list."""


def label_set_columns(policy: Policy) -> dict[str, DerivedColumn]:
    """The columns to read a row's labels from, by name; none where a row has one label."""
    if not policy.task.traits.sets:
        return {}
    names, lists = policy.task.labels, policy.data.columns.label
    owns = tuple(policy.label_column("label", name) for name in names)

    def column(own: str, label: str | None) -> LabelColumn:
        return LabelColumn(
            own=own,
            owns=owns,
            lists=lists,
            of_own=OwnColumn(name=own) if label is not None else Constant(text=""),
            of_lists=NamedLabel(column=lists, label=label, labels=names),
        )

    found = {own: column(own, name) for own, name in zip(owns, names, strict=True)}
    beside = ListsBeside(owns=owns, lists=lists, labels=names)
    return {**found, UNKNOWN: column("", None), BESIDE: beside}


def read_label_sets(
    policy: Policy, found: Mapping[str, Sequence[Any]], ids: Sequence[Any], table: str
) -> tuple[tuple[str, ...], ...]:
    """The labels of each row, in the policy's order.

    Args:
        policy: its labels.
        found: the columns of ``label_set_columns``.
        ids: of the rows, for messages.
        table: its name, for messages.

    Raises:
        TableError: rows whose labels cannot be read, with counts and some ids.
    """
    flags = {
        name: [_flag(value) for value in found[policy.label_column("label", name)]]
        for name in policy.task.labels
    }
    _require_readable(policy, flags, found, ids, table)
    return tuple(
        tuple(name for name in policy.task.labels if flags[name][row]) for row in range(len(ids))
    )


def _flag(value: Any) -> bool | None:
    """A yes or no, however the table spells it; None: neither."""
    if isinstance(value, str):
        word = value.strip().lower()
        return word in YES if word in (*YES, *NO) else None
    return bool(value) if value in (0, 1) else None


def _require_readable(
    policy: Policy,
    flags: Mapping[str, Sequence[bool | None]],
    found: Mapping[str, Sequence[Any]],
    ids: Sequence[Any],
    table: str,
) -> None:
    lists, unknown = policy.data.columns.label, found[UNKNOWN]
    problems = [
        (policy.label_column("label", name), "no yes or no (1 or 0)", [f is None for f in of_one])
        for name, of_one in flags.items()
    ]
    problems.append((lists, "no list of labels", [names is None for names in unknown]))
    strange = "a label that 'task: labels' does not list"
    problems.append((lists, strange, [bool(names) for names in unknown]))
    problems.append((lists, NAMES_DIFFER, [bool(names) for names in found[BESIDE]]))
    lines = []
    for column, words, broken in problems:
        if count := sum(broken):
            rows = [shown(one) for one, bad in zip(ids, broken, strict=True) if bad][:EXAMPLES]
            some = ", ".join(rows)
            noun = "row" if count == 1 else "rows"
            lines.append(f"  column {shown(column)}: {count:,} {noun} with {words}: {some}")
    if lines:
        raise TableError(
            f"{table}: the labels of some rows cannot be read; correct them, or 'task: labels':\n"
            + "\n".join(lines)
        )
