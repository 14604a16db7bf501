"""Separate tables joined by DuckDB: files and frames of every kind that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
from narwhals import dependencies

from prunegate.data.predictions.columns import EXAMPLES, quoted, shown, sql_text
from prunegate.data.predictions.engine import WHOLE_NUMBERS
from prunegate.data.predictions.scan import names_of, scan_answers
from prunegate.data.predictions.scanned import Scanned
from prunegate.data.predictions.separate_tables import (
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
from prunegate.data.predictions.table_files import TableFiles
from prunegate.data.predictions.typed_columns import id_sql, key_sql

JOINED = "joined_rows"
_ALIKE = {
    "blanks around them": "trim({id})",
    "case": "lower(trim({id}))",
    "leading zeros": "coalesce(nullif(ltrim(trim({id}), '0'), ''), '0')",
    "the folder before them": r"regexp_replace({id}, '^.*[/\\]', '')",
    "folder and ending": r"regexp_replace({id}, '^.*[/\\]|[.][A-Za-z0-9]{{1,5}}$', '', 'g')",
}
"""What ids may differ in that are meant alike, and SQL of what is left without it."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A scanned table under the joined table's names."""

    label: str
    """For messages: file name (or kind of frame) and role."""
    view: str
    """What it is called on the connection."""
    relation: Any
    columns: tuple[str, ...]
    """The columns that only it gives."""
    shared: tuple[str, ...]
    """Of the shared columns, those that it has."""
    repeated: tuple[str, ...]
    """Of the repeated columns, those that it and another have."""
    labels: bool
    """Whether it is the labels' own table."""


def join_tables(
    connection: Any, separate: SeparateTables, files: Sequence[TableFiles | None]
) -> Scanned:
    """Join tables on their ids.

    Args:
        connection: reaches the files of all of them.
        separate: the tables.
        files: of each, or None for a frame.

    Raises:
        TableError: listing everything that keeps them from being one table.
    """
    there, called = _there(connection, separate, files)
    names = columns_by_table(separate, there, called)
    again = repeats(separate, there, names)
    places = range(len(separate.tables))
    scans = [
        scan_answers(
            connection,
            _portable(separate.tables[place].source),
            files[place],
            tuple(dict.fromkeys((*names[place].values(), *again[place].values()))),
            separate.tables[place].answers,
            into=f"file_{place}",
        )
        for place in places
    ]
    whole = all(
        scan.types[found[separate.id]] in WHOLE_NUMBERS
        for scan, found in zip(scans, names, strict=True)
    )
    parts = [
        _part(separate, place, scans[place], names[place], files[place], again[place], whole=whole)
        for place in places
    ]
    connection.execute(_join_sql(parts, separate.id))
    joined = connection.table(JOINED)
    _require_one_table(connection, parts, separate.id, joined)
    for scan in scans:
        if scan.loaded:
            connection.execute(f"DROP TABLE {scan.loaded} CASCADE")
    kept = dict.fromkeys(c for part in parts for c in (*part.columns, *part.shared))
    name = " + ".join(_name(scan, one) for scan, one in zip(scans, files, strict=True))
    relation = joined.project(", ".join(map(quoted, kept)))
    listed = {column: classes for scan in scans for column, classes in scan.classes.items()}
    return Scanned(relation=relation, name=name, loaded=JOINED, classes=listed)


def _there(
    connection: Any, separate: SeparateTables, files: Sequence[TableFiles | None]
) -> tuple[list[Sequence[str]], list[str]]:
    """The columns that each table has, and what it is called in messages."""
    columns: list[Sequence[str]] = []
    names: list[str] = []
    for table, one in zip(separate.tables, files, strict=True):
        own = tuple(table.columns.values())
        columns.append(names_of(connection, _portable(table.source), one, own))
        names.append(f"{one.name if one else 'the frame'} ({table.words})")
    return columns, names


def _portable(source: Any) -> Any:
    """A relation of the user's own connection as a frame that another connection can read."""
    native = nw.to_native(source, pass_through=True)
    return native.to_arrow_table() if dependencies.is_duckdb_relation(native) else source


def _name(scanned: Scanned, files: TableFiles | None) -> str:
    return files.paths[0].name if files and len(files.paths) == 1 else Path(scanned.name).name


def _part(  # noqa: PLR0913  # one table of several, with what is known of it
    separate: SeparateTables,
    place: int,
    scanned: Scanned,
    columns: Mapping[str, str],
    files: TableFiles | None,
    again: Mapping[str, str],
    *,
    whole: bool,
) -> _Part:
    table, view = separate.tables[place], f"part_{place}"
    shared = tuple(c for c in columns if c not in table.columns and c not in table.answers)
    cells = []
    for column, spelt in columns.items():
        cell = quoted(spelt)
        if column == separate.id and not whole:
            cell = id_sql(scanned, spelt)
        elif column in shared and column in separate.named:
            cell = key_sql(scanned, spelt, separate.named[column])
        cells.append(f"{cell} AS {quoted(column)}")
    for column, spelt in again.items():
        cells.append(f"{one_sign_sql(key_sql(scanned, spelt, frozenset()))} AS {_said(column)}")
    relation = scanned.relation.project(", ".join(cells))
    if files is not None and files.format != "arrow":
        relation.create_view(view)
    else:  # a view would not keep what is only in memory
        relation.create(view)
    label = f"{_name(scanned, files)} ({table.words})"
    own = (*table.columns, *table.answers)
    return _Part(
        label=label,
        view=view,
        relation=relation,
        columns=own,
        shared=shared,
        repeated=tuple(again),
        labels=table.role == "labels",
    )


def _join_sql(parts: Sequence[_Part], key: str) -> str:
    """The joined rows, and for each column that several tables have whether they agree."""
    cells: dict[str, list[str]] = {quoted(key): [f"part_0.{quoted(key)}"]}
    for part in parts:
        for column in (*part.columns, *part.shared):
            if column != key:
                cells.setdefault(quoted(column), []).append(f"{part.view}.{quoted(column)}")
    selected = [f"{found[0]} AS {column}" for column, found in cells.items()]
    for column, found in cells.items():
        alike = " AND ".join(f"{found[0]} IS NOT DISTINCT FROM {other}" for other in found[1:])
        if alike:
            selected.append(f"{alike} AS {_agrees(column)}")
    for column, home, other, agrees in _said_again(parts):
        one, two = (f"{part.view}.{_said(column)}" for part in (home, other))
        selected.append(f"({two} IS NULL OR {one} IS NOT DISTINCT FROM {two}) AS {agrees}")
    joins = " ".join(
        f"JOIN {part.view} ON part_0.{quoted(key)} = {part.view}.{quoted(key)}"
        for part in parts[1:]
    )
    return f"CREATE OR REPLACE TABLE {JOINED} AS SELECT {', '.join(selected)} FROM part_0 {joins}"  # noqa: S608  # quoted identifiers only


def _said_again(parts: Sequence[_Part]) -> Iterator[tuple[str, _Part, _Part, str]]:
    """Repeated columns: the table that gives one, another that has it, and whether they agree."""
    for home in parts:
        for column in home.repeated:
            others = [part for part in parts if column in part.repeated and part is not home]
            for other in others if column in home.columns else ():
                yield column, home, other, quoted(f"prunegate__agrees {other.view} {column}")


def _said(column: str) -> str:
    return quoted(f"prunegate__said {column}")


def _agrees(column: str) -> str:
    return '"prunegate__agrees ' + column[1:]


def _require_one_table(connection: Any, parts: Sequence[_Part], key: str, joined: Any) -> None:
    """Refuse tables that are not one, listing why."""
    rows = _count(joined)
    gaps = any(_count(part.relation) != rows for part in parts)
    problems = [*_disagreements(parts, key, joined)]
    if gaps:
        problems = [
            *(problem for part in parts for problem in _bad_ids(part, key)),
            *(
                problem
                for part in parts
                for other in parts
                if other is not part
                for problem in _not_in(connection, part, other, key)
            ),
            *problems,
        ]
    refuse_if_not_one(len(parts), problems)


def _count(relation: Any) -> int:
    return int(relation.aggregate("count(*)").fetchall()[0][0])


def _bad_ids(part: _Part, key: str) -> Iterator[str]:
    """Rows without an id, and ids that occur twice."""
    cell = quoted(key)
    missing, present, distinct = part.relation.aggregate(
        f"count(*) - count({cell}), count({cell}), count(DISTINCT {cell})"
    ).fetchall()[0]
    some = ""
    if present > distinct:
        twice = part.relation.aggregate(f"{cell}, count(*) AS n", cell).filter("n > 1")
        some = _examples(twice.filter(f"{cell} IS NOT NULL").project(cell))
    yield from bad_ids(part.label, missing, present - distinct, some)


def _not_in(connection: Any, part: _Part, other: _Part, key: str) -> Iterator[str]:
    """Ids of one table that another lacks."""
    cell = quoted(key)
    query = (
        f"SELECT DISTINCT {cell} FROM {part.view} ANTI JOIN {other.view} USING ({cell}) "  # noqa: S608  # quoted identifiers only
        f"WHERE {cell} IS NOT NULL"
    )
    absent = connection.sql(query)
    if number := _count(absent):
        some = _examples(absent)
        told = in_one_only(number, part.label, other.label, some, unlabelled=other.labels)
        back = f"SELECT {cell} FROM {other.view} ANTI JOIN {part.view} USING ({cell})"  # noqa: S608  # as above
        alike = _meant_alike(connection, query, back, cell) if part.view < other.view else ""
        yield told + alike


def _meant_alike(connection: Any, here: str, there: str, cell: str) -> str:
    """Why ids of two tables that the other lacks may be the same, spelled in two ways."""
    own, its = (f"CAST({side}.{cell} AS VARCHAR)" for side in ("a", "b"))
    for differ, without in _ALIKE.items():
        same = f"{without.format(id=own)} = {without.format(id=its)}"
        number, one, two = connection.sql(
            f"SELECT count(DISTINCT {own}), min({own}), arg_min({its}, {own}) "  # noqa: S608  # quoted identifiers only
            f"FROM ({here}) AS a JOIN ({there}) AS b ON {same}"
        ).fetchall()[0]
        if number:
            ids = "1 differs" if number == 1 else f"{number:,} differ"
            return f"; {ids} in {differ} only ({shown(one)} and {shown(two)}): spell ids alike"
    return ""


def _disagreements(parts: Sequence[_Part], key: str, joined: Any) -> Iterator[str]:
    """Columns in which tables that both have them say different things of one id."""
    columns = dict.fromkeys(column for part in parts for column in part.shared)
    for column in columns:
        homes = [part for part in parts if column in part.shared]
        if len(homes) > 1:
            differ = joined.filter(f"NOT {_agrees(quoted(column))}")
            if number := _count(differ):
                some = _examples(differ.project(quoted(key)))
                said = _said_of_first(differ, homes, key, column)
                labels = [part.label for part in homes]
                yield disagreement(column, labels, number, some) + said
    for column, home, other, agrees in _said_again(parts):
        differ = joined.filter(f"NOT {agrees}")
        if number := _count(differ):
            some = _examples(differ.project(quoted(key)))
            yield contradiction(column, [home.label, other.label], number, some)


def _said_of_first(differ: Any, homes: Sequence[_Part], key: str, column: str) -> str:
    """What each table says of the first id on which they disagree."""
    first = sql_text(str(differ.aggregate(f"min({quoted(key)})").fetchall()[0][0]))
    of_first = f"CAST({quoted(key)} AS VARCHAR) = {first}"
    found = (part.relation.filter(of_first).limit(1).project(quoted(column)) for part in homes)
    return of_first_id([cell for one in found for (cell,) in one.fetchall()])


def _examples(ids: Any) -> str:
    """Three ids, the smallest."""
    found = ids.distinct().order("1").limit(EXAMPLES + 1).fetchall()
    return some_ids([row[0] for row in found])
