"""Scanning: any one source, a file or a frame, as a DuckDB relation of the columns needed."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from prunegate.data.predictions.class_scores import ClassScores, classes_listed
from prunegate.data.predictions.columns import quoted
from prunegate.data.predictions.csv import header_of, load_csv
from prunegate.data.predictions.frames import names_of_frame, scan_frame
from prunegate.data.predictions.json_lines import keys_of_lines, load_json_lines
from prunegate.data.predictions.label_columns import DerivedColumn
from prunegate.data.predictions.parquet_arrow import names_in, scan_arrow, scan_parquet
from prunegate.data.predictions.scanned import Scanned
from prunegate.data.predictions.table_files import TableFiles, find_files

ROWS = "rows_of_file"
"""What a table that was loaded is called on its connection."""


def named_files(source: Any) -> TableFiles | None:
    """Return the files that a source names; None for a frame."""
    is_list = isinstance(source, list | tuple) and all(
        isinstance(item, str | os.PathLike) for item in source
    )
    return find_files(source) if is_list or isinstance(source, str | os.PathLike) else None


def scan_source(
    connection: Any,
    source: Any,
    files: TableFiles | None,
    wanted: Sequence[str],
    *,
    into: str = ROWS,
    nested: Collection[str] = (),
) -> Scanned:
    """Scan the wanted columns of a file or frame.

    Args:
        connection: reaches the files.
        source: a frame, where there are no files.
        files: as ``named_files`` says.
        wanted: names of columns.
        into: what to call it if it has to be loaded.
        nested: columns that may hold lists and structures.

    Raises:
        TableError: it cannot be read, or lacks a column.
    """
    if files is None:
        relation, name = scan_frame(connection, source, wanted)
        return Scanned(relation=relation, name=name)
    if files.format == "csv":
        relation = load_csv(connection, files, wanted, into)
    elif files.format == "json":
        relation = load_json_lines(connection, files, wanted, into, nested)
    else:
        scan = {"parquet": scan_parquet, "arrow": scan_arrow}[files.format]
        relation = scan(connection, files.paths, wanted, files.name)
        return Scanned(relation=relation, name=files.name)
    return Scanned(relation=relation, name=files.name, loaded=into)


def scan_answers(  # as ``scan_source``, and what follows from what was scanned
    connection: Any,
    source: Any,
    files: TableFiles | None,
    wanted: Sequence[str],
    answers: Mapping[str, DerivedColumn],
    *,
    into: str = ROWS,
) -> Scanned:
    """Scan the wanted columns, and work out those that follow from scores per class.

    Args:
        connection: as for ``scan_source``.
        source: as for ``scan_source``.
        files: as for ``scan_source``.
        wanted: names of columns; those of ``answers`` need not be there.
        answers: what to work out, by the column's name.
        into: as for ``scan_source``.

    Raises:
        TableError: as ``scan_source``, or columns that hold no scores per class.
    """
    if not answers:
        return scan_source(connection, source, files, wanted, into=into)
    own = [name for name in wanted if name not in answers]
    available = [n for n in names_of(connection, source, files, own) if n not in own]
    scores = {name: given.found(available) for name, given in answers.items()}
    below = [column for found in scores.values() for column in found.columns]
    nested = {found.column for found in scores.values() if found.column is not None}
    names = tuple(dict.fromkeys((*own, *below)))
    scanned = scan_source(connection, source, files, names, into=into, nested=nested)
    cells = [quoted(name) for name in own]
    cells += [f"{found.sql(scanned)} AS {quoted(name)}" for name, found in scores.items()]
    relation = scanned.relation.project(", ".join(cells))
    listed = {
        name: classes_listed(scanned, found)
        for name, found in scores.items()
        if isinstance(found, ClassScores) and found.listed
    }
    if scanned.loaded is None:
        return Scanned(relation=relation, name=scanned.name, classes=listed)
    relation.create(f"{into}_answered")
    connection.execute(f"DROP TABLE {into}")
    answered = connection.table(f"{into}_answered")
    return Scanned(relation=answered, name=scanned.name, loaded=f"{into}_answered", classes=listed)


def names_of(
    connection: Any, source: Any, files: TableFiles | None, wanted: Sequence[str]
) -> list[str]:
    """Return every column name of a source.

    Args:
        connection: reaches the files.
        source: a frame, where there are no files.
        files: as ``named_files`` says.
        wanted: names that it should have; a CSV's delimiter is the one under which it does.

    Raises:
        TableError: it has no names that can be read.
    """
    if files is None:
        return names_of_frame(source)
    if files.format == "csv":
        return header_of(files.paths[0], wanted)
    if files.format == "json":
        return keys_of_lines(connection, files)
    return names_in(files.paths[0], files.format)
