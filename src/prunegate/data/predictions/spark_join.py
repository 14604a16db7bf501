"""Separate tables joined in Spark, and refused for the reasons and in the words of every engine.

Nothing but counts and the ids that a message shows comes to the driver. The join is part of the
frame, so it is made anew for every question that is put to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import narwhals as nw

from prunegate.data.predictions.columns import EXAMPLES
from prunegate.data.predictions.separate_tables import (
    SeparateTable,
    SeparateTables,
    bad_ids,
    columns_by_table,
    contradiction,
    disagreement,
    in_one_only,
    of_first_id,
    one_sign_sql,
    refuse_if_not_one,
    repeats,
    some_ids,
)
from prunegate.data.predictions.spark_cells import WHOLE, cell_sql
from prunegate.data.predictions.spark_files import (
    SparkFiles,
    columns_of,
    is_for_spark,
    scan_files,
    select_columns,
    sql_name,
)
from prunegate.errors import TableError


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One table under the joined table's names."""

    label: str
    """For messages: file name (or kind of frame) and role."""
    frame: Any
    columns: tuple[str, ...]
    shared: tuple[str, ...]
    """Of the columns, those that any table may have."""
    repeated: tuple[str, ...]
    """As of the part that DuckDB joins."""
    files: tuple[Path, ...]
    role: str


def spark_name(source: Any) -> str:
    """What a source is called in messages and in the record."""
    if isinstance(source, SeparateTables):
        return " + ".join(spark_name(table.source) for table in source.tables)
    return source.name if isinstance(source, SparkFiles) else "pyspark DataFrame"


def join_frames(
    separate: SeparateTables, numeric: frozenset[str]
) -> tuple[Any, tuple[Path, ...], tuple[str, ...]]:
    """Join tables that Spark computes on their ids.

    Args:
        separate: the tables.
        numeric: columns of the joined table whose texts become numbers if all spell such.

    Returns:
        The frame; and where all files are local, these and what each gives.

    Raises:
        TableError: listing everything that keeps them from being one table.
    """
    labels = [f"{_short(table.source)} ({table.words})" for table in separate.tables]
    _require_spark(separate, labels)
    there = [_names(table) for table in separate.tables]
    names = columns_by_table(separate, there, labels)
    again = repeats(separate, there, names)
    scans = [
        _scanned(table, (*columns.items(), *more.items()), numeric)
        for table, columns, more in zip(separate.tables, names, again, strict=True)
    ]
    whole = all(
        _types(frame)[columns[separate.id]] in WHOLE
        for (frame, _), columns in zip(scans, names, strict=True)
    )
    parts = [
        _part(separate, place, scans[place], names[place], numeric, again[place], whole=whole)
        for place in range(len(scans))
    ]
    joined = _joined(parts, separate.id)
    _require_one_table(parts, separate.id, joined)
    kept = dict.fromkeys(column for part in parts for column in part.columns)
    local = all(part.files for part in parts)
    files = [(file, part.role) for part in parts for file in part.files] if local else []
    return (
        joined.selectExpr(*map(sql_name, kept)),
        tuple(file for file, _ in files),
        tuple(role for _, role in files),
    )


def _short(source: Any) -> str:
    if isinstance(source, SparkFiles) and len(source.paths) == 1:
        return PurePosixPath(source.paths[0]).name
    return spark_name(source) if is_for_spark(source) else type(source).__name__


def _require_spark(separate: SeparateTables, labels: Sequence[str]) -> None:
    others = [
        label
        for table, label in zip(separate.tables, labels, strict=True)
        if not is_for_spark(table.source)
    ]
    if others:
        raise TableError(
            f"{', '.join(others)}: not a table of Spark's, as the others are; give every table to "
            "Spark, or none"
        )


def _names(table: SeparateTable) -> Sequence[str]:
    if isinstance(table.source, SparkFiles):
        return columns_of(table.source, tuple(table.columns.values()))
    names: Sequence[str] = nw.to_native(table.source, pass_through=True).columns
    return names


def _scanned(
    table: SeparateTable, columns: Sequence[tuple[str, str]], numeric: frozenset[str]
) -> tuple[Any, tuple[Path, ...]]:
    """The table's own columns under its own names."""
    own = tuple(dict.fromkeys(spelt for _, spelt in columns))
    if isinstance(table.source, SparkFiles):
        numbers = frozenset(spelt for column, spelt in columns if column in numeric)
        return scan_files(table.source, own, numbers)
    frame = nw.to_native(table.source, pass_through=True)
    return select_columns(frame, own, _short(table.source)), ()


def _part(  # noqa: PLR0913  # one table of several, with what is known of it
    separate: SeparateTables,
    place: int,
    scanned: tuple[Any, tuple[Path, ...]],
    columns: Mapping[str, str],
    numeric: frozenset[str],
    again: Mapping[str, str],
    *,
    whole: bool,
) -> _Part:
    table, (frame, files) = separate.tables[place], scanned
    types = _types(frame)
    shared = tuple(c for c in columns if c not in table.columns)
    cells = []
    for column, spelt in columns.items():
        cell = sql_name(spelt)
        if column == separate.id and not whole:
            cell = f"nullif({cell_sql(cell, types[spelt], 'text')}, '')"
        elif column in shared and column not in numeric:
            cell = cell_sql(cell, types[spelt], "text")
        named = _apart(place, column) if column in shared else column
        cells.append(f"{cell} AS {sql_name(named)}")
    for column, spelt in again.items():
        text = one_sign_sql(cell_sql(sql_name(spelt), types[spelt], "text"))
        cells.append(f"{text} AS {sql_name(_said(place, column))}")
    return _Part(
        label=f"{_short(table.source)} ({table.words})",
        frame=frame.selectExpr(*cells),
        columns=tuple(columns),
        shared=shared,
        repeated=tuple(again),
        files=files,
        role=table.role,
    )


def _types(frame: Any) -> dict[str, str]:
    """Spark's names of the columns' types."""
    return {field.name: field.dataType.typeName() for field in frame.schema.fields}


def _apart(place: int, column: str) -> str:
    """A shared column as one of the tables has it."""
    return f"prunegate__{place} {column}"


def _agrees(column: str) -> str:
    return sql_name(f"prunegate__agrees {column}")


def _said(place: int, column: str) -> str:
    """A repeated column as one of the tables has it."""
    return f"prunegate__said {place} {column}"


def _said_again(parts: Sequence[_Part]) -> Iterator[tuple[str, int, int]]:
    """Repeated columns: the place of the table that gives one, and of another that has it."""
    for home, part in enumerate(parts):
        for column in part.repeated:
            for place, other in enumerate(parts if column in part.columns else ()):
                if column in other.repeated and place != home:
                    yield column, home, place


def _joined(parts: Sequence[_Part], key: str) -> Any:
    """The joined rows, and for each column that several tables have whether they agree."""
    frame = parts[0].frame
    for part in parts[1:]:
        frame = frame.join(part.frame, on=key, how="inner")
    own = dict.fromkeys(c for part in parts for c in part.columns if c not in part.shared)
    cells = list(map(sql_name, own))
    for column, places in _homes(parts).items():
        first, *others = (sql_name(_apart(place, column)) for place in places)
        cells.append(f"{first} AS {sql_name(column)}")
        if others:
            alike = " AND ".join(f"{first} <=> {other}" for other in others)
            cells.append(f"{alike} AS {_agrees(column)}")
    for column, home, place in _said_again(parts):
        one, two = (sql_name(_said(at, column)) for at in (home, place))
        cells.append(f"({two} IS NULL OR {one} <=> {two}) AS {_agrees(f'{place} {column}')}")
    return frame.selectExpr(*cells)


def _homes(parts: Sequence[_Part]) -> dict[str, list[int]]:
    """The places of the tables that have each shared column."""
    found: dict[str, list[int]] = {}
    for place, part in enumerate(parts):
        for column in part.shared:
            found.setdefault(column, []).append(place)
    return found


def _require_one_table(parts: Sequence[_Part], key: str, joined: Any) -> None:
    """Refuse tables that are not one, listing why."""
    rows = joined.count()
    problems = list(_disagreements(parts, key, joined))
    if any(part.frame.count() != rows for part in parts):
        problems = [
            *(problem for part in parts for problem in _bad_ids(part, key)),
            *(
                problem
                for part in parts
                for other in parts
                if other is not part
                for problem in _not_in(part, other, key)
            ),
            *problems,
        ]
    refuse_if_not_one(len(parts), problems)


def _bad_ids(part: _Part, key: str) -> Iterator[str]:
    """Rows without an id, and ids that occur twice."""
    cell = sql_name(key)
    missing, present, distinct = part.frame.selectExpr(
        f"count(*) - count({cell})", f"count({cell})", f"count(DISTINCT {cell})"
    ).head()
    some = ""
    if present > distinct:
        ids = part.frame.selectExpr(f"{cell} AS id").where("id IS NOT NULL").groupBy("id").count()
        some = _examples(ids.where("`count` > 1"), "id")
    yield from bad_ids(part.label, missing, present - distinct, some)


def _not_in(part: _Part, other: _Part, key: str) -> Iterator[str]:
    """Ids of one table that another lacks."""
    cell = sql_name(key)
    ids = part.frame.where(f"{cell} IS NOT NULL").selectExpr(cell).distinct()
    absent = ids.join(other.frame.selectExpr(cell), on=key, how="left_anti")
    if number := absent.count():
        some = _examples(absent, key)
        unlabelled = other.role == "labels"
        yield in_one_only(number, part.label, other.label, some, unlabelled=unlabelled)


def _disagreements(parts: Sequence[_Part], key: str, joined: Any) -> Iterator[str]:
    """Columns in which tables that both have them say different things of one id."""
    for column, places in _homes(parts).items():
        if len(places) > 1:
            differ = joined.where(f"NOT {_agrees(column)}")
            if number := differ.count():
                homes, some = [parts[place].label for place in places], _examples(differ, key)
                said = _said_of_first(differ, parts, key, column)
                yield disagreement(column, homes, number, some) + said
    for column, home, place in _said_again(parts):
        differ = joined.where(f"NOT {_agrees(f'{place} {column}')}")
        if number := differ.count():
            labels = [parts[home].label, parts[place].label]
            yield contradiction(column, labels, number, _examples(differ, key))


def _said_of_first(differ: Any, parts: Sequence[_Part], key: str, column: str) -> str:
    """What each table says of the first id on which they disagree."""
    from pyspark.sql import functions

    (first,) = differ.selectExpr(f"min({sql_name(key)})").head()
    is_first = functions.col(sql_name(key)) == functions.lit(first)
    rows = (
        parts[place].frame.where(is_first).selectExpr(sql_name(_apart(place, column))).head()
        for place in _homes(parts)[column]
    )
    return of_first_id([row[0] for row in rows if row is not None])


def _examples(ids: Any, key: str) -> str:
    """Three ids, the smallest."""
    cell = sql_name(key)
    found = ids.selectExpr(f"{cell} AS id").distinct().orderBy("id").head(EXAMPLES + 1)
    return some_ids([row[0] for row in found])
