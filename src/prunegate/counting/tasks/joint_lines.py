"""Joint lines: a table of joint counts, whose lines stand for many rows each.

The columns ``label``, ``baseline`` and ``candidate`` hold decisions or labels already, ``n`` how
many rows have these three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import BASELINE, CANDIDATE, LABEL
from prunegate.counting.decisions import Decisions
from prunegate.counting.labels import Labels
from prunegate.data.predictions.columns import is_empty, value_shown
from prunegate.errors import TableError
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy
from prunegate.policy.weight_consistency import refuse_weights

DECISIONS = ("label", "baseline", "candidate")
ROWS = "n"
_MOST_ROWS = 10**12
"""Of one line; sums over all lines stay whole numbers in every engine."""
_PAIRS = tuple(zip((LABEL, BASELINE, CANDIDATE), DECISIONS, strict=True))


@dataclass(frozen=True, kw_only=True)
class DecisionLines(Decisions):
    """Decisions that are 1 or 0 already."""

    def derived(self) -> Mapping[str, nw.Expr]:
        """The three columns as whole numbers."""
        return {name: nw.col(column).cast(nw.Int64) for name, column in _PAIRS}

    def rows(self) -> nw.Expr:
        """How many rows a group of lines stands for."""
        return rows_of_lines()


@dataclass(frozen=True, kw_only=True)
class LabelLines(Labels):
    """Labels of several classes."""

    def derived(self) -> Mapping[str, nw.Expr]:
        """The three columns as they are."""
        return {name: nw.col(column) for name, column in _PAIRS}

    def rows(self) -> nw.Expr:
        """How many rows a group of lines stands for."""
        return rows_of_lines()


def refuse_weights_of_counts(policy: Policy) -> None:
    """Refuse a policy with design weights, which joint counts do not hold.

    Raises:
        UnsupportedError: it names weights.
    """
    refuse_weights(
        policy,
        "cannot be judged from joint counts, which do not say how much their rows weigh; give the "
        "predictions themselves to 'prunegate gate --predictions'",
    )


def rows_of_lines() -> nw.Expr:
    """Rows that lines stand for, added up."""
    return nw.col(ROWS).cast(nw.Int64).sum()


def decisions_of(values: Sequence[Any]) -> list[int]:
    """The three decisions of a line.

    Raises:
        TableError: naming all that are not 1 or 0.
    """
    odd = [
        f"{name} is {_said(value)}; it must be 1 or 0"
        for value, name in zip(values, DECISIONS, strict=True)
        if value not in (0, 1) or isinstance(value, str)
    ]
    if odd:
        raise TableError(", ".join(odd))
    return [int(value) for value in values]


def labels_of(values: Sequence[Any]) -> list[str]:
    """The three labels of a line, as text.

    Raises:
        TableError: naming all that are empty.
    """
    if empty := [n for v, n in zip(values, DECISIONS, strict=True) if is_empty(v)]:
        raise TableError(f"{' and '.join(empty)} {'has' if len(empty) == 1 else 'have'} no label")
    return [value_text(value) for value in values]


def whole_of(value: Any) -> int:
    """How many rows a line stands for.

    Raises:
        TableError: not a whole number, below 0, or more than any table has.
    """
    # Decimal: the sum of an integer column in DuckDB
    number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    if number and 0 <= value <= _MOST_ROWS and value == int(value):
        return int(value)
    raise TableError(f"n is {_said(value)}; it must be a whole number from 0 to {_MOST_ROWS:,}")


def _said(value: Any) -> str:
    """A value in words of the file."""
    return "empty" if is_empty(value) else value_shown(value)
