"""Two labels: a binary task's table holds the positive label and one other, nothing else.

A third label would count as a negative, and a positive label that never occurs would make every
recall undefined; both are nearly always a slip in the policy or the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import N, Reading, number, text
from prunegate.counting.problems import Problem, examples
from prunegate.data.predictions.columns import EXAMPLES, shown, value_shown
from prunegate.data.predictions.lookalikes import look
from prunegate.policy.naming import value_text

LOWEST, HIGHEST = "prunegate__lowest", "prunegate__highest"
"""Smallest and largest label of a line of the engine's answer."""
Lines = Sequence[Mapping[str, Any]]


def two_labels(reading: Reading, lines: Lines, *, every: bool = True) -> list[str]:
    """What is wrong with the labels themselves; ``every`` row has one, or only some rows do."""
    column, positive = reading.policy.columns.label, reading.policy.task.positive
    others = _others(reading, lines)
    absent = every and bool(others) and not any(line[reading.cells[0]] for line in lines)
    if len(others) > 1 and not (absent and len(_counted(reading, column)) == 2):
        return [_more_than_two(reading, column)]
    if absent:
        return [
            (
                f"no row of column {shown(column)} has the positive label {positive!r} (found: "
                f"{', '.join(map(value_shown, others))}); correct 'task: positive' or the table"
                f"{_alike(positive, others)}"
            )
        ]
    return []


def _alike(positive: Any, others: Sequence[Any]) -> str:
    """That a label is the positive one to a reader's eye."""
    same = [one for one in others if look(value_text(one)) == look(value_text(positive))]
    if not same:
        return ""
    return f": {same[0]!r} differs from it in blanks, case or spelling only"


def known_decisions(reading: Reading, lines: Lines) -> list[str]:
    """Without a threshold the models' columns hold the positive label or the other one."""
    columns = reading.policy.columns
    others = _others(reading, lines)
    known = {reading.positive, *others}
    pair = (columns.baseline, columns.candidate)
    found = {column: set(_counted(reading, column)) - known for column in pair}
    unknown: set[Any] = set().union(*found.values())
    # A table without negatives does not show how their label is spelled: then one may be new.
    if not unknown or not (others or len(unknown) > 1):
        return []
    return [
        _unknown(reading, column, sorted(values, key=repr))
        for column, values in found.items()
        if values
    ]


def _others(reading: Reading, lines: Lines) -> list[Any]:
    """Labels that are not the positive one: all of them, where there are at most two."""
    label = reading.cells[0]
    found = {line[end] for line in lines for end in (LOWEST, HIGHEST) if line[label] == 0}
    return sorted(found, key=repr)


def _more_than_two(reading: Reading, column: str) -> str:
    """A binary task has two labels: the positive one, and the most frequent other."""
    positive = reading.policy.task.positive
    counts = _counted(reading, column)
    counts.pop(reading.positive, None)
    usual = max(counts, key=lambda label: (counts[label], repr(label)))
    odd = sorted((label for label in counts if label != usual), key=repr)
    some = ", ".join(map(value_shown, odd[:EXAMPLES]))
    words = f"a label beside {value_shown(positive)} and {value_shown(usual)} ({some})"
    problem = Problem(
        column=column,
        rows=sum(counts[label] for label in odd),
        words=words,
        examples=examples(reading, _value(reading, column).is_in(odd), column),
    )
    alike = _alike(positive, odd)
    leave_out = ""
    if len(odd) <= EXAMPLES and not alike:
        leave_out = f"; to leave such rows out, list {some} under 'task: ignore' in the policy"
    return f"{problem}; a binary task has two labels{leave_out}{alike}"


def _unknown(reading: Reading, column: str, values: list[Any]) -> str:
    counts = _counted(reading, column)
    label = reading.policy.columns.label
    problem = Problem(
        column=column,
        rows=sum(counts[value] for value in values),
        words=f"a label that column {shown(label)} does not hold",
        examples=examples(reading, _value(reading, column).is_in(values), column),
    )
    return f"{problem}; if it holds scores, give 'task: threshold' in the policy"


def _counted(reading: Reading, column: str) -> dict[Any, int]:
    """Rows of each value, the most frequent thousand."""
    frame = reading.frame().with_columns(_value(reading, column).alias("prunegate__value"))
    found = frame.group_by("prunegate__value").agg(reading.rows().alias(N)).sort(N, descending=True)
    with reading.table.reading():
        rows = found.head(_MANY).collect().rows(named=True)
    return {
        row["prunegate__value"]: int(row[N]) for row in rows if row["prunegate__value"] is not None
    }


_MANY = 1000
"""Different labels looked at; a table with more holds no labels."""


def _value(reading: Reading, column: str) -> nw.Expr:
    return text(column) if reading.table.kinds[column] == "text" else number(column)
