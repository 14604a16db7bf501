"""Laws over a whole table, judged by Great Expectations: a fixed handful, however many rows.

Expectations over rows are vacuous on an empty table and pass over missing values. So a table
without rows is refused, and a law on a column is asked as a count: as many rows lie inside as the
table has. A missing number, a missing column or a lost expectation cannot be agreement.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prunegate.data.contract.great_expectations import (
    answers_in_order,
    load_great_expectations,
    run_suite,
)
from prunegate.errors import InternalError

if TYPE_CHECKING:
    import pandas as pd

FINITE = sys.float_info.max
"""The end of a range that only NaN and the infinities lie outside of."""


@dataclass(frozen=True, kw_only=True)
class Law(ABC):
    """Something that holds for every row of a table."""

    name: str
    """What is said to hold, in our own words."""

    @abstractmethod
    def outside(self, table: pd.DataFrame) -> list[int]:
        """Places of the rows that break the law, by plain comparison."""

    @abstractmethod
    def expectation(self, rows: int, place: int) -> Any:
        """The same law for Great Expectations."""

    def holds(self, table: pd.DataFrame) -> bool:
        """The same judgement by plain comparison."""
        return not self.outside(table)


@dataclass(frozen=True, kw_only=True)
class TableSize(Law):
    """The table has exactly so many rows."""

    rows: int

    def holds(self, table: pd.DataFrame) -> bool:
        """No single row is to blame for a wrong size."""
        return len(table) == self.rows

    def outside(self, table: pd.DataFrame) -> list[int]:
        """No row."""
        del table
        return []

    def expectation(self, rows: int, place: int) -> Any:
        """The size."""
        from great_expectations.expectations import ExpectTableRowCountToEqual

        del rows
        return ExpectTableRowCountToEqual(value=self.rows, meta={"place": place})


@dataclass(frozen=True, kw_only=True)
class Unique(Law):
    """No two rows agree in all of these columns."""

    columns: tuple[str, ...]

    def outside(self, table: pd.DataFrame) -> list[int]:
        """Every row that another one repeats."""
        return _places(table.duplicated(list(self.columns), keep=False))

    def expectation(self, rows: int, place: int) -> Any:
        """The uniqueness; a missing value is a value like any other."""
        from great_expectations.expectations import ExpectCompoundColumnsToBeUnique

        del rows
        return ExpectCompoundColumnsToBeUnique(
            column_list=list(self.columns), ignore_row_if="never", meta={"place": place}
        )


@dataclass(frozen=True, kw_only=True)
class Inside(Law):
    """Every row's number lies in a range, ends included; a missing one does not."""

    column: str
    at_least: float = -FINITE
    at_most: float = FINITE

    def outside(self, table: pd.DataFrame) -> list[int]:
        """Every row whose number is outside or missing."""
        return _places(~table[self.column].between(self.at_least, self.at_most))

    def expectation(self, rows: int, place: int) -> Any:
        """All rows are among those inside."""
        from great_expectations.expectations import ExpectTableRowCountToEqual
        from great_expectations.expectations.row_conditions import Column

        column = Column(self.column)
        inside = (column >= float(self.at_least)) & (column <= float(self.at_most))
        return ExpectTableRowCountToEqual(value=rows, row_condition=inside, meta={"place": place})


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A law that does not hold, and the places of the rows that break it."""

    law: Law
    rows: tuple[int, ...]


def broken(columns: Mapping[str, Sequence[float]], laws: Sequence[Law]) -> tuple[Broken, ...]:
    """Let Great Expectations judge every law; return those that do not hold.

    Args:
        columns: numbers by column name, all of one length; names of ours, never of the data.
        laws: at least one.

    Raises:
        InternalError: there is nothing to judge; an expectation was dropped, could not be
            evaluated, or contradicts plain comparison.
    """
    import pandas as pd

    table = pd.DataFrame(columns).astype("float64")
    if table.empty or not laws:
        raise InternalError("there is nothing to judge; a table needs rows and laws")
    answers = answers_in_order(_validate(columns, len(table), laws), len(laws))
    for law, holds in zip(laws, answers, strict=True):
        if holds is not law.holds(table):
            raise InternalError(f"Great Expectations contradicts plain comparison on: {law.name}")
    return tuple(
        Broken(law=law, rows=tuple(law.outside(table)))
        for law, holds in zip(laws, answers, strict=True)
        if not holds
    )


def _validate(columns: Mapping[str, Sequence[float]], rows: int, laws: Sequence[Law]) -> list[Any]:
    load_great_expectations()  # quietly, before an expectation is made
    return run_suite(columns, [law.expectation(rows, place) for place, law in enumerate(laws)])


def _places(broken: pd.Series[bool]) -> list[int]:
    return [place for place, found in enumerate(broken) if found]
