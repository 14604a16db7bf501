"""Misaligned: do a model's decisions fit the labels of other rows?

Labels that were shifted, or decisions joined to ids that were sorted in another way, look like a
model that knows nothing. Only where a model does look so are the rows themselves asked: once, ids,
labels and decisions alone, and no more rows than are sorted in a moment. Of all shifts the one in
which labels and decisions go together most is found by their cross-correlation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from prunegate.counting.tasks.every import task_of
from prunegate.data.predictions.table import Table
from prunegate.policy.schema import Policy
from prunegate.policy.task import ROLES, Role
from prunegate.stats.agreement import Agreement, agreement

MOST_ROWS = 1_000_000
"""Tables with more are not looked through."""
OFFSETS = (1, -1, 2, -2, 3, -3)
"""Shifts that are tried by themselves; of all others it is the one that fits best."""
SURE, CLEAR = 1e-6, 0.2
"""Level, and agreement beyond chance gained, of what is named: many ways are tried."""
SURE_OF_STRETCH = 1e-15
"""The same level where the best of all stretches is taken, of which there are up to 1e12."""
_CODES = 8
"""Classes that a cross-correlation tells apart by columns of their own; more share so many."""
Order = Literal["file", "number", "text", "backwards"]
"""As the table lies; by the numbers at the end of the ids; by the ids as texts; by number, from the
last."""
_Orders = dict[Order, Any]
"""Places of the rows in each order."""
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


@dataclass(frozen=True, kw_only=True)
class _Way:
    """Labels beside the decisions that they may belong to, by their places in a list of names."""

    order: Order
    offset: int | None
    labels: Any
    decisions: Any
    tried: int = 1
    """Ways of which this is the best; the level is divided by them."""


def misalignment(policy: Policy, table: Table, model: Role = "baseline") -> Misalignment | None:
    """The way in which a model's decisions fit best, where one fits clearly.

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
    label, decision = reading.cells[0], reading.cells[1 + ROLES.index(model)]
    with table.reading():
        lines = reading.frame().select(column, label, decision).head(MOST_ROWS + 1).collect().rows()
    if not 1 < len(lines) <= MOST_ROWS:
        return None
    ids, labels, decisions = zip(*lines, strict=True)
    orders, coded = _orders(list(map(str, ids))), _coded(labels, decisions)
    return _best(orders, coded) or _in_a_stretch(orders, coded)


def _coded(labels: tuple[Any, ...], decisions: tuple[Any, ...]) -> tuple[Any, Any, list[str]]:
    """Labels and decisions as places in one list of names."""
    import numpy as np

    names = sorted({*map(str, labels), *map(str, decisions)})
    place = {name: index for index, name in enumerate(names)}
    coded = [np.array([place[str(value)] for value in values]) for values in (labels, decisions)]
    return coded[0], coded[1], names


def _best(orders: _Orders, coded: tuple[Any, Any, list[str]]) -> Misalignment | None:
    labels, decisions, names = coded
    here = _agreement(labels, decisions, names)
    best: tuple[float, Misalignment] | None = None
    for way in _ways(orders, labels, decisions, len(names)):
        found = _agreement(way.labels, way.decisions, names)
        sure = found.p_value <= SURE / way.tried
        clear = sure and found.kappa >= max(CLEAR, here.kappa + CLEAR)
        if clear and (best is None or found.kappa > best[0]):
            best = (
                found.kappa,
                Misalignment(
                    rows=here.rows,
                    right=here.right,
                    right_if=found.right / found.rows,
                    order=way.order,
                    offset=way.offset,
                ),
            )
    return None if best is None else best[1]


def _in_a_stretch(orders: _Orders, coded: tuple[Any, Any, list[str]]) -> Misalignment | None:
    """The stretch of rows whose decisions fit the labels of their neighbours best.

    Of each order and offset, where the decisions that are right there outnumber most those that
    are right as they are.
    """
    import numpy as np

    labels, decisions, names = coded
    best: tuple[float, Misalignment] | None = None
    for order, rows in orders.items():
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


def _ways(orders: _Orders, labels: Any, decisions: Any, names: int) -> Iterator[_Way]:
    """Every way that is tried."""
    for order, rows in orders.items():
        here = _Way(order=order, offset=0, labels=labels[rows], decisions=decisions[rows])
        yield from (_shifted(here, offset) for offset in OFFSETS if abs(offset) < len(rows))
        best = _best_offset(here.labels, here.decisions, names)
        if best not in (0, *OFFSETS):
            yield replace(_shifted(here, best), tried=2 * len(rows))
    for order, rows in orders.items():
        for other, sorted_by in orders.items():
            if order != other:
                yield _Way(
                    order=other, offset=None, labels=labels[rows], decisions=decisions[sorted_by]
                )
        yield _Way(
            order="backwards", offset=None, labels=labels[rows], decisions=decisions[rows[::-1]]
        )


def _shifted(here: _Way, offset: int) -> _Way:
    """The rows whose labels come so many places later."""
    y, d = here.labels, here.decisions
    y, d = (y[offset:], d[:-offset]) if offset > 0 else (y[:offset], d[-offset:])
    return replace(here, offset=offset, labels=y, decisions=d)


def _best_offset(labels: Any, decisions: Any, names: int) -> int:
    """By how many places labels have to come later to go with the decisions most."""
    import numpy as np
    from scipy import fft

    n = len(labels)
    codes = np.eye(names, dtype=np.float32)
    if names > _CODES:
        codes = np.random.default_rng(0).choice([-1.0, 1.0], (names, _CODES)).astype("f4")
    size = fft.next_fast_len(2 * n, real=True)
    total = np.zeros(size // 2 + 1, dtype=np.complex64)
    for code in codes.T:
        y, d = (fft.rfft(code[part] - code[part].mean(), size) for part in (labels, decisions))
        total += y * d.conj()
    offset = int(np.argmax(fft.irfft(total, size)))
    return offset if offset < n else offset - size


def _orders(ids: list[str]) -> _Orders:
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
