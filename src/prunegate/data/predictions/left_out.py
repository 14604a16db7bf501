"""Left out: rows with a label that the policy does not judge, counted before they go.

They go before anything is read of the labels: ``unsure`` among 0 and 1 would make the whole column
one of texts. A row without a label does not go; it has to be put right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prunegate.data.predictions.columns import EXAMPLES, quoted, shown, sql_text
from prunegate.data.predictions.scanned import TEXTS, Scanned
from prunegate.data.predictions.spelled import canonical
from prunegate.errors import TableError
from prunegate.policy.naming import value_text

_TABLE = "prunegate__left_out"


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A table in two parts."""

    kept: Scanned
    """The rows that stay."""
    rows: Any = None
    """Relation of the others, with the columns as they were scanned; None: there are none."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many there were of each value."""


def leave_out(connection: Any, scanned: Scanned, values: Mapping[str, Sequence[Any]]) -> LeftOut:
    """Leave out the rows with certain values in a column.

    Raises:
        TableError: other rows have such a value but for blanks and case.
    """
    tests = {
        value_text(value): _is(scanned, column, value)
        for column, wanted in values.items()
        for value in wanted
    }
    if not tests:
        return LeftOut(kept=scanned)
    counts = ", ".join(f"count(*) FILTER ({test})" for test in tests.values())
    found = dict(zip(tests, scanned.relation.aggregate(counts).fetchall()[0], strict=True))
    out = " OR ".join(f"coalesce({test}, false)" for test in tests.values())
    for column, wanted in values.items():
        _refuse_alike(scanned, column, wanted, out)
    if not any(found.values()):
        return LeftOut(kept=scanned, counts=found)
    rows = scanned.relation.filter(out)
    if scanned.loaded is None:
        kept = scanned.relation.filter(f"NOT ({out})")
        return LeftOut(kept=replace(scanned, relation=kept), rows=rows, counts=found)
    rows.create(_TABLE)
    connection.execute(f"DELETE FROM {scanned.loaded} WHERE {out}")  # noqa: S608  # quoted identifiers and literals only
    columns = ", ".join(map(quoted, scanned.relation.columns))
    kept = replace(scanned, relation=connection.table(scanned.loaded).project(columns))
    return LeftOut(kept=kept, rows=connection.table(_TABLE), counts=found)


def _refuse_alike(scanned: Scanned, column: str, wanted: Sequence[Any], out: str) -> None:
    """A label that differs in blanks or case only is no other label, and would be judged as one."""
    if scanned.types[column] not in TEXTS:
        return
    seen = f"lower(trim(CAST({quoted(column)} AS VARCHAR)))"
    words = ", ".join(sql_text(value_text(value).strip().lower()) for value in wanted)
    odd = scanned.relation.filter(f"{seen} IN ({words}) AND NOT ({out})")
    found = odd.aggregate(f"{quoted(column)} AS v, count(*) AS n", quoted(column)).order("v")
    if rows := found.fetchall():
        some = ", ".join(shown(text) for text, _ in rows[:EXAMPLES])
        number = sum(n for _, n in rows)
        noun = "row" if number == 1 else "rows"
        raise TableError(
            f"{scanned.name}: column {shown(column)}: {number:,} {noun} with "
            f"{some}, which differ in blanks or case only from what 'task: ignore' leaves "
            "out; spell it alike, or name it there, too"
        )


def _is(scanned: Scanned, column: str, value: Any) -> str:
    """SQL that is true where a cell holds a value, however the table spells it."""
    cell, kind, text = quoted(column), scanned.types[column], value_text(value)
    number, boolean = canonical(text, "number"), canonical(text, "boolean")
    if kind in TEXTS:
        tests = [f"{cell} = {sql_text(str(value))}", f"{cell} = {sql_text(text)}"]
        if not isinstance(value, str) and number is not None:
            tests.append(f"TRY_CAST({cell} AS DOUBLE) = {float(value)!r}")
        if isinstance(value, bool):
            tests.append(f"lower({cell}) = {sql_text(text)}")
        return f"({' OR '.join(tests)})"
    if kind == "boolean":
        return f"({cell} = {boolean})" if boolean else "false"
    if number is None:
        return "false"
    return f"(TRY_CAST({cell} AS DOUBLE) = {float(number)!r})"
