"""Joint lines: a table of joint counts, whose lines stand for many rows each.

The columns ``label``, ``baseline`` and ``candidate`` hold decisions or labels already, ``n`` how
many rows have these three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import narwhals as nw

from prunegate.counting.column_reading import BASELINE, CANDIDATE, LABEL
from prunegate.counting.decisions import Decisions
from prunegate.counting.labels import Labels
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


def flag_of(value: Any, name: str, place: int) -> int:
    """A decision of a line.

    Raises:
        TableError: it is not 1 or 0.
    """
    if value in (0, 1) and not isinstance(value, str):
        return int(value)
    raise TableError(f"counts row {place}: {name} is {value!r}; it must be 1 or 0")


def label_of(value: Any, name: str, place: int) -> str:
    """A label of a line, as text.

    Raises:
        TableError: there is none.
    """
    if value is None or value != value or value == "":  # noqa: PLR0124  # NaN differs from itself
        raise TableError(f"counts row {place}: {name} has no label")
    return value_text(value)


def whole_of(value: Any, place: int) -> int:
    """How many rows a line stands for.

    Raises:
        TableError: not a whole number, below 0, or more than any table has.
    """
    # Decimal: the sum of an integer column in DuckDB
    number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    if number and 0 <= value <= _MOST_ROWS and value == int(value):
        return int(value)
    raise TableError(
        f"counts row {place}: n is {value!r}; it must be a whole number from 0 to {_MOST_ROWS:,}"
    )
