"""Misaligned: do a model's decisions fit the labels of other rows?

Labels that were shifted by a row, or decisions joined to ids that were sorted in another way, look
like a model that knows nothing. Only where a baseline does look so are the rows themselves asked:
once, ids, labels and decisions alone, and no more rows than are sorted in a moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from prunegate.counting.tasks.every import task_of
from prunegate.data.predictions.table import Table
from prunegate.policy.schema import Policy
from prunegate.stats.agreement import Agreement, agreement

MOST_ROWS = 1_000_000
"""Tables with more are not looked through."""
OFFSETS = (1, -1, 2, -2, 3, -3)
SURE, CLEAR = 1e-6, 0.2
"""Level, and agreement beyond chance gained, of what is named: many ways are tried."""
SURE_OF_STRETCH = 1e-15
"""The same level where the best of all stretches is taken, of which there are up to 1e12."""
Order = Literal["file", "number", "text", "backwards"]
"""As the table lies; by the numbers at the end of the ids; by the ids as texts; by number, from the
last."""
_NUMBERED = re.compile(r"(?s)(.*?)([0-9]{1,18})")


@dataclass(frozen=True, kw_only=True)
class Misalignment:
    """A way of putting decisions to other rows' labels in which they fit."""

    rows: int
    right: int
    """Rows decided rightly as they are."""
    right_if: float
    """Share of rows that would be."""
    order: Order
    """In which the labels are so many rows later, or in which the decisions' ids were sorted."""
    offset: int | None = None
    """Rows by which the labels come later; None: the order differs."""
    stretch: tuple[int, int] | None = None
    """The first and the last row, from 1, that this holds of; None: of all."""


def misalignment(policy: Policy, table: Table) -> Misalignment | None:
    """The way in which the baseline's decisions fit best, where one fits clearly.

    None where there is none, the table has no ids, too many rows, or is in Spark.
    """
    column = policy.columns.id
    if (
        column not in table.kinds
        or table.rows_hint > MOST_ROWS
        or table.frame.implementation.is_spark_like()
    ):
        return None
    reading = task_of(policy).reading(policy, table)
    if len(reading.cells) < 2:  # a row has more than one label
        return None
    label, baseline = reading.cells[:2]
    with table.reading():
        lines = reading.frame().select(column, label, baseline).head(MOST_ROWS + 1).collect().rows()
    if not 1 < len(lines) <= MOST_ROWS:
        return None
    ids, labels, decisions = zip(*lines, strict=True)
    names, coded = list(map(str, ids)), _coded(labels, decisions)
    return _best(names, coded) or _in_a_stretch(names, coded)


def _coded(labels: tuple[Any, ...], decisions: tuple[Any, ...]) -> tuple[Any, Any, list[str]]:
    """Labels and decisions as places in one list of names."""
    import numpy as np

    names = sorted({*map(str, labels), *map(str, decisions)})
    place = {name: index for index, name in enumerate(names)}
    coded = [np.array([place[str(value)] for value in values]) for values in (labels, decisions)]
    return coded[0], coded[1], names


def _best(ids: list[str], coded: tuple[Any, Any, list[str]]) -> Misalignment | None:
    labels, decisions, names = coded
    here = _agreement(labels, decisions, names)
    best: tuple[float, Misalignment] | None = None
    for order, offset, y, d in _ways(ids, labels, decisions):
        found = _agreement(y, d, names)
        clear = found.p_value <= SURE and found.kappa >= max(CLEAR, here.kappa + CLEAR)
        if clear and (best is None or found.kappa > best[0]):
            best = (
                found.kappa,
                Misalignment(
                    rows=here.rows,
                    right=here.right,
                    right_if=found.right / found.rows,
                    order=order,
                    offset=offset,
                ),
            )
    return None if best is None else best[1]


def _in_a_stretch(ids: list[str], coded: tuple[Any, Any, list[str]]) -> Misalignment | None:
    """The stretch of rows whose decisions fit the labels of their neighbours best.

    Of each order and offset, where the decisions that are right there outnumber most those that
    are right as they are.
    """
    import numpy as np

    labels, decisions, names = coded
    best: tuple[float, Misalignment] | None = None
    for order, rows in _orders(ids).items():
        y, d = labels[rows], decisions[rows]
        for offset in OFFSETS:
            moved = np.roll(y, -offset)
            gain = (moved == d).astype(np.int64) - (y == d)
            gain[len(y) - offset if offset > 0 else 0 : len(y) if offset > 0 else -offset] = 0
            first, last = _largest_sum(gain)
            part = slice(first, last)
            here = _agreement(y[part], d[part], names)
            found = _agreement(moved[part], d[part], names)
            clear = found.p_value <= SURE_OF_STRETCH and found.kappa >= max(
                CLEAR, here.kappa + CLEAR
            )
            if clear and (best is None or found.score > best[0]):
                misaligned = Misalignment(
                    rows=here.rows,
                    right=here.right,
                    right_if=found.right / found.rows,
                    order=order,
                    offset=offset,
                    stretch=(first + 1, last),
                )
                best = found.score, misaligned
    return None if best is None else best[1]


def _largest_sum(values: Any) -> tuple[int, int]:
    """First and past-the-end place of the stretch with the largest sum."""
    import numpy as np

    sums = np.concatenate(([0], np.cumsum(values)))
    lowest = np.minimum.accumulate(sums)
    last = int(np.argmax(sums - lowest))
    return int(np.argmin(sums[: last + 1])), last


def _ways(
    ids: list[str], labels: Any, decisions: Any
) -> Iterator[tuple[Order, int | None, Any, Any]]:
    """Every way that is tried: order, offset, and labels beside decisions."""
    orders = _orders(ids)
    for order, rows in orders.items():
        for offset in OFFSETS:
            first, second = rows[max(offset, 0) :], rows[: len(rows) - max(offset, 0)]
            if offset < 0:
                first, second = rows[:offset], rows[-offset:]
            if len(first):
                yield order, offset, labels[first], decisions[second]
    for order, rows in orders.items():
        for other, sorted_by in orders.items():
            if order != other:
                yield other, None, labels[rows], decisions[sorted_by]
        yield "backwards", None, labels[rows], decisions[rows[::-1]]


def _orders(ids: list[str]) -> dict[Order, Any]:
    """Places of the rows in every order that differs from those before."""
    import numpy as np

    found: dict[Order, Any] = {}
    split = [_NUMBERED.fullmatch(one) for one in ids]
    sorts: dict[Order, list[Any] | None] = {
        "number": [(m[1], int(m[2])) for m in split if m] if all(split) else None,
        "text": list(ids),
        "file": list(range(len(ids))),
    }
    for order, keys in sorts.items():
        if keys is None:
            continue
        rows = np.array(sorted(range(len(ids)), key=keys.__getitem__))
        if not any(np.array_equal(rows, known) for known in found.values()):
            found[order] = rows
    return found


def _agreement(labels: Any, decisions: Any, names: list[str]) -> Agreement:
    import numpy as np

    counts = np.bincount(labels * len(names) + decisions, minlength=len(names) ** 2)
    return agreement(
        {
            (names[cell // len(names)], names[cell % len(names)]): int(counts[cell])
            for cell in np.flatnonzero(counts)
        }
    )
