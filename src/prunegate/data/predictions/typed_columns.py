"""Typed columns: what each column of a scanned table is handed over as.

Text, number or boolean, whatever the file: texts that all spell numbers or booleans become such
where a column of answers is meant, and values of slicing keys get their one spelling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from prunegate.data.predictions.columns import quoted, sql_text
from prunegate.data.predictions.engine import WHOLE_NUMBERS
from prunegate.data.predictions.scanned import TEXTS, Scanned
from prunegate.data.predictions.spelled import (
    Spelling,
    canonical_sql,
    number_sql,
    renamed_sql,
    spelling_of,
    time_sql,
)
from prunegate.data.predictions.table import Kind, not_one_value
from prunegate.data.predictions.wanted import WantedColumns

_NUMBERS = {*WHOLE_NUMBERS, "float", "double", "decimal"}
_INEXACT = {"float", "decimal"}
"""Compared as DOUBLE, so that ``score >= threshold`` means one thing for every source."""
_TIMES = {"date", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"}
_MOMENT = "timestamp with time zone"
_AS_TEXT = {*TEXTS, *_TIMES, _MOMENT, "uuid", "time", "null", "json"}
MOST_SPELLED = 10_000
"""Different texts up to which a column's values get their one spelling."""
_DECIMAL = re.compile(
    r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*|[+-]?(nan|inf.*)", re.I
)
_WHOLE_WITH_POINT = re.compile(r"-?[0-9]+\.0")


@dataclass(frozen=True, kw_only=True)
class TypedColumn:
    """How a column is handed over."""

    sql: str
    """Over the scanned relation."""
    kind: Kind
    parsed: str | None = None
    """The SQL type that its texts were made, where they were."""


def typed_columns(scanned: Scanned, wanted: WantedColumns) -> dict[str, TypedColumn]:
    """How each column is handed over; refuses what is no single value.

    Raises:
        TableError: a column of lists, structures, bytes and the like.
    """
    return {
        column: _typed(scanned, column, kind, wanted)
        for column, kind in scanned.types.items()
        if column not in scanned.classes
    }


def singles(types: Mapping[str, str]) -> frozenset[str]:
    """The columns of 32-bit floats."""
    return frozenset(column for column, kind in types.items() if kind == "float")


def id_sql(scanned: Scanned, column: str) -> str:
    """An id as text: 1 and 1.0 are one id; empty as null."""
    kind = scanned.types[column]
    if kind not in TEXTS:
        return text_sql(quoted(column), kind)
    cell = f"nullif(CAST({quoted(column)} AS VARCHAR), '')"
    return _without_point(scanned, column, cell)


def text_sql(cell: str, kind: str) -> str:
    """A typed cell in its one spelling."""
    if kind in TEXTS:
        return cell if kind == "varchar" else f"CAST({cell} AS VARCHAR)"
    if kind in _TIMES:
        return time_sql(f"CAST({cell} AS VARCHAR)")
    if kind == "float":  # the shortest decimal of 32 bits, not of the 64 that it would become
        return number_sql(f"CAST({_shortest(cell)} AS DOUBLE)")
    return (
        number_sql(f"CAST({cell} AS DOUBLE)")
        if kind in _NUMBERS - WHOLE_NUMBERS
        else (f"CAST({cell} AS VARCHAR)")
    )


def _shortest(cell: str) -> str:
    """The fewest digits that mean a 32-bit float, as writers of text choose them.

    DuckDB's own text has a digit too many in one of some hundred thousand.
    """
    texts = [f"printf('%.{digits}g', CAST({cell} AS DOUBLE))" for digits in range(1, 10)]
    cases = " ".join(f"WHEN CAST({text} AS FLOAT) = {cell} THEN {text}" for text in texts[:-1])
    return f"CASE {cases} ELSE {texts[-1]} END"


def key_sql(scanned: Scanned, column: str, named: frozenset[str]) -> str:
    """A slicing value in its one spelling, or as the policy calls it."""
    kind, cell = scanned.types[column], quoted(column)
    text = text_sql(cell, kind)
    spelling = _spelling_of(kind) or (_spelled(scanned, column) if kind in TEXTS else None)
    if spelling is None:
        return text
    if kind in TEXTS:
        text = canonical_sql(text, spelling)
    return renamed_sql(text, spelling, named)


def _typed(scanned: Scanned, column: str, kind: str, wanted: WantedColumns) -> TypedColumn:
    cell, found = quoted(column), _kind(kind, column, scanned.name)
    if column in wanted.numeric and kind in TEXTS and (made := _number_type(scanned, column)):
        number = f"(lower({cell}) = 'true')" if made == "boolean" else f"TRY_CAST({cell} AS {made})"
        if column not in wanted.text:
            return TypedColumn(
                sql=number, kind="boolean" if made == "boolean" else "number", parsed=made
            )
        return TypedColumn(sql=text_sql(number, made.lower()), kind="text", parsed="varchar")
    if column in wanted.named:
        sql = key_sql(scanned, column, wanted.named[column])
        parsed = "varchar" if kind in TEXTS and sql != cell else None
        return TypedColumn(sql=sql, kind="text", parsed=parsed)
    if column in wanted.text:
        text = text_sql(cell, kind)
        named = kind in TEXTS and column in wanted.names_rows
        sql = _without_point(scanned, column, text) if named else text
        return TypedColumn(sql=sql, kind="text")
    if found == "number":
        return TypedColumn(sql=f"CAST({cell} AS DOUBLE)" if kind in _INEXACT else cell, kind=found)
    return TypedColumn(sql=cell if found == "boolean" else text_sql(cell, kind), kind=found)


def _kind(kind: str, column: str, name: str) -> Kind:
    if kind == "boolean":
        return "boolean"
    if kind in _NUMBERS:
        return "number"
    if kind in _AS_TEXT:
        return "text"
    raise not_one_value(name, column, kind)


def _spelling_of(kind: str) -> Spelling | None:
    if kind == "boolean":
        return "boolean"
    if kind in _NUMBERS:
        return "number"
    return "time" if kind in _TIMES else "moment" if kind == _MOMENT else None


def _spelled(scanned: Scanned, column: str) -> Spelling | None:
    """What a column's different texts spell; None: texts, or too many of them to look at."""
    cell = quoted(column)
    if spelling_of(scanned.sample(column)) is None:
        return None
    there = scanned.relation.filter(f"{cell} IS NOT NULL AND {cell} <> ''")
    found = there.project(cell).distinct().limit(MOST_SPELLED + 1).fetchall()
    texts = [str(row[0]) for row in found]
    return None if len(texts) > MOST_SPELLED else spelling_of(texts)


def _number_type(scanned: Scanned, column: str) -> str | None:
    """BIGINT, DOUBLE or boolean, where every text of a column spells one; None: texts.

    ``1_000`` is a number to DuckDB, not to us. BIGINT keeps long integer labels exact.
    """
    cell, sample = quoted(column), scanned.sample(column)
    if not sample:
        return None
    if spelling_of(sample) == "boolean":
        others = f"{cell} <> '' AND lower({cell}) NOT IN ('true', 'false')"
        distinct = f"count(DISTINCT nullif({cell}, ''))"
        found = _counted(scanned, f"count(*) FILTER ({others}), {distinct}")
        return "boolean" if found[0] == 0 and found[1] <= 2 else None
    if not all(map(_DECIMAL.fullmatch, sample)):
        return None
    unread, fractions = _counted(
        scanned,
        f"count(*) FILTER ({cell} <> '' AND (TRY_CAST({cell} AS DOUBLE) IS NULL"
        f" OR contains({cell}, '_'))), "
        rf"count(*) FILTER (NOT regexp_full_match({cell}, '\s*[+-]?\d{{1,18}}\s*'))",
    )
    if unread:
        return None
    return "DOUBLE" if fractions else "BIGINT"


def _without_point(scanned: Scanned, column: str, cell: str) -> str:
    """Whole numbers that were written as floats, as ids with gaps are: 7.0 is 7."""
    sample = scanned.sample(column)
    if not sample or not all(map(_WHOLE_WITH_POINT.fullmatch, sample)):
        return cell
    text = f"CAST({quoted(column)} AS VARCHAR)"
    other = f"NOT regexp_full_match({text}, {sql_text(_WHOLE_WITH_POINT.pattern)}) AND {text} <> ''"
    (others,) = _counted(scanned, f"count(*) FILTER ({other})")
    return cell if others else f"regexp_replace({cell}, '\\.0$', '')"


def _counted(scanned: Scanned, what: str) -> tuple[int, ...]:
    return tuple(map(int, scanned.relation.aggregate(what).fetchall()[0]))
