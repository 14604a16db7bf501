"""Expected: what Great Expectations says of a table's rows, by the user's own expectations.

Rows come from the engine in batches. What is asked of each row by itself is counted batch by batch
and added up: a share of all rows is judged, never a share of a batch. What is asked of a whole
column (uniqueness, means, different values) is judged on the whole column at once, and refused
where that would not fit. An expectation that finds nothing to look at is not met, where the library
would let it pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from numbers import Real
from typing import TYPE_CHECKING, Any

import narwhals as nw

from prunegate.data.contract.expected_kinds import (
    KINDS,
    Reads,
    RowColumn,
    asks_for_numbers,
    given_name,
    how_read,
    library_expectation,
    pattern_of,
    row_columns,
)
from prunegate.data.contract.expected_rows import batches_of, examples_in, frame_of, results_of
from prunegate.data.contract.great_expectations import load_great_expectations
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.table import Table
from prunegate.errors import TableError, UnsupportedError
from prunegate.policy.expectations import Expectation
from prunegate.policy.schema import Policy

if TYPE_CHECKING:
    import pandas as pd

BATCH = 500_000
"""Rows that are handed over at a time."""
WHOLE = 5_000_000
"""Rows up to which a whole column is judged at once."""

Open = Callable[[Sequence[str], Reads], Table]
"""Opens a table with some columns and the ids, to be read as an expectation reads them."""


@dataclass(frozen=True, kw_only=True)
class MetExpectation:
    """What became of one expectation; of the data, it holds counts and ids alone."""

    name: str
    """As Great Expectations calls it."""
    columns: tuple[str, ...]
    """What it is about; empty: the table."""
    arguments: dict[str, Any]
    """As the policy gives them, with defaults."""
    holds: bool
    rows: int
    """Rows that were looked at, without those that it leaves out as missing."""
    unexpected: int | None
    """Of those, rows that are not as expected; None: it is about a whole column."""
    observed: float | None
    """The number that a whole column has; None: it is about no such number."""
    examples: tuple[str, ...] = ()
    """Ids of up to three unexpected rows; none where the policy keeps ids back."""


@dataclass(frozen=True, kw_only=True)
class JudgedExpectations:
    """What Great Expectations said of a table: the evidence that is kept."""

    engine: str
    """Name and version."""
    rows: int
    """Of the table."""
    batches: int
    """Parts that rows were handed over in."""
    expectations: tuple[MetExpectation, ...]

    @property
    def holds(self) -> bool:
        """Whether every one of them is met."""
        return bool(self.expectations) and all(one.holds for one in self.expectations)


@dataclass(kw_only=True)
class _Sums:
    """One expectation's counts, added up over batches."""

    asked: Expectation
    rows: int = 0
    unexpected: int | None = None
    observed: float | None = None
    said: bool | None = None
    """What the library answered of the whole; None: counts decide."""
    examples: tuple[str, ...] = ()


def judge_expectations(policy: Policy, open_columns: Open) -> JudgedExpectations:
    """Let Great Expectations judge the user's expectations on a table's rows.

    Args:
        policy: has at least one, names the ids and may keep them back.
        open_columns: opens the table.

    Raises:
        InputError: a pattern is no regular expression.
        TableError: the table cannot be read, lacks a column, or holds texts where numbers are
            asked for.
        UnsupportedError: it has more rows than a whole column is judged on, or lies in Spark, or
            this Great Expectations has no such expectation.
        InternalError: the library failed, or dropped an expectation.
    """
    load_great_expectations()  # quietly, before an expectation is made
    expected, own = policy.data.expect, policy.columns.id
    sums = [_Sums(asked=one) for one in expected]
    rows, batches = 0, 1
    for reads in dict.fromkeys(how_read(one) for one in expected):
        chosen = [one for one in sums if how_read(one.asked) == reads]
        columns = row_columns(one.asked for one in chosen)
        table = open_columns(tuple(dict.fromkeys(one.name for one in columns)), reads)
        rows, batches = table.rows_hint, max(batches, _count(table, own, columns, chosen))
    return JudgedExpectations(
        engine=f"great_expectations {version('great_expectations')}",
        rows=rows,
        batches=batches,
        expectations=tuple(_met(one, shown_ids="id" not in policy.redacted) for one in sums),
    )


def _count(
    table: Table, id_column: str, columns: Sequence[RowColumn], sums: Sequence[_Sums]
) -> int:
    """Count what a table's rows do; in how many batches."""
    _require_readable(table, sums)
    of_table = [one for one in sums if not one.asked.columns]
    if of_table:
        _add(of_table, frame_of(table.rows_hint), columns)
    whole = [one for one in sums if KINDS[one.asked.name].whole]
    by_row = [one for one in sums if one not in whole and one not in of_table]
    batches = 0
    for part, most in ((whole, WHOLE), (by_row, BATCH)):
        if part:
            batches = max(batches, _count_batches(table, id_column, columns, part, most))
    return batches


def _count_batches(
    table: Table, id_column: str, columns: Sequence[RowColumn], sums: Sequence[_Sums], most: int
) -> int:
    asked = {name for one in sums for name in one.asked.columns}
    patterns = {pattern_of(one.asked) for one in sums}
    needed = [one for one in columns if one.name in asked and one.regex in patterns]
    number, read = 0, 0
    for batch in batches_of(table, id_column, needed, most):
        _require_finite(table, batch, sums, needed)
        _add(sums, batch, needed)
        number, read = number + 1, read + len(batch)
    if read != table.rows_hint:
        raise TableError(f"{table.name}: was changed while it was read; judge it again.")
    return number


def _require_readable(table: Table, sums: Sequence[_Sums]) -> None:
    for one in sums:
        kind, name = KINDS[one.asked.name], one.asked.name
        wrong = [column for column in one.asked.columns if table.kinds[column] != "number"]
        if wrong and asks_for_numbers(one.asked):
            holds = "nothing" if _holds_nothing(table, wrong[0]) else "something else than numbers"
            raise TableError(
                f"{table.name}: column {shown(wrong[0])} holds {holds}, and {name} asks for "
                "numbers; correct the column, or 'data: expect:' in the policy."
            )
        if kind.alike and len({table.kinds[column] for column in one.asked.columns}) > 1:
            raise TableError(
                f"{table.name}: {name} compares {', '.join(map(shown, one.asked.columns))}, "
                "of which some hold numbers and some texts; correct the columns, or 'data: "
                "expect:' in the policy."
            )
        if kind.whole and table.rows_hint > WHOLE:
            raise UnsupportedError(
                f"{table.name}: {name} looks at a whole column at once, which is done for up to "
                f"{WHOLE:,} rows; this table has {table.rows_hint:,}. Remove it from 'data: "
                "expect:', or judge fewer rows"
            )


def _holds_nothing(table: Table, column: str) -> bool:
    """Whether no row has a value, so that there is no telling of what kind they would be."""
    with table.reading():
        return not table.frame.select(nw.col(column).count()).collect().item()


def _require_finite(
    table: Table, batch: pd.DataFrame, sums: Sequence[_Sums], columns: Sequence[RowColumn]
) -> None:
    for one in sums:
        for name in one.asked.columns if KINDS[one.asked.name].finite else ():
            values = batch[given_name(columns.index(RowColumn(name=name)))]
            if infinite := int(values.isin([math.inf, -math.inf]).sum()):
                raise TableError(
                    f"{table.name}: column {shown(name)} holds {infinite:,} infinite numbers, "
                    f"beside which {one.asked.name} could say nothing of the others; correct the "
                    "column, or 'data: expect:' in the policy."
                )


def _add(sums: Sequence[_Sums], batch: pd.DataFrame, columns: Sequence[RowColumn]) -> None:
    """What the library says of a batch, added to what it said before."""
    asked = [one for one in sums if not _is_empty(one, batch, columns)]
    if not asked:
        return
    made = [library_expectation(one.asked, columns, place) for place, one in enumerate(asked)]
    for one, result in zip(asked, results_of(batch, made), strict=True):
        told = result.result
        if "element_count" not in told:
            observed = told.get("observed_value")
            one.observed = float(observed) if _is_finite(observed) else None
            one.rows, one.said = len(batch), bool(result.success)
            continue
        one.rows += int(told["element_count"]) - int(told.get("missing_count") or 0)
        one.unexpected = (one.unexpected or 0) + int(told["unexpected_count"])
    wanted = [place for place, one in enumerate(asked) if one.unexpected and not one.examples]
    for place, examples in examples_in(batch, [made[place] for place in wanted]).items():
        asked[place].examples = examples


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _is_empty(one: _Sums, batch: pd.DataFrame, columns: Sequence[RowColumn]) -> bool:
    """Whether a whole column has no value, of which the library would say anything."""
    kind = KINDS[one.asked.name]
    if kind.of_missing or not kind.whole:
        return False
    names = [given_name(columns.index(RowColumn(name=name))) for name in one.asked.columns]
    return all(bool(batch[name].isna().all()) for name in names)


def _met(one: _Sums, *, shown_ids: bool) -> MetExpectation:
    return MetExpectation(
        name=one.asked.name,
        columns=one.asked.columns,
        arguments=one.asked.arguments.model_dump(mode="json"),
        holds=_holds(one),
        rows=one.rows,
        unexpected=one.unexpected,
        observed=one.observed,
        examples=one.examples if shown_ids else (),
    )


def _holds(one: _Sums) -> bool:
    """The library's own rule, over all rows; never by having looked at none."""
    if one.rows == 0:
        return False
    if one.said is not None:
        return one.said
    mostly: float = getattr(one.asked.arguments, "mostly", 1.0)
    return one.unexpected is not None and (one.rows - one.unexpected) / one.rows >= mostly
