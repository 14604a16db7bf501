"""Metadata: the columns of a table that nobody named, as far as they sort rows into a few kinds.

A labelled table often holds more than the policy asks for (season, device, source). Names come from
the header or the schema alone; of the columns only those with few different values are read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw

from prunegate.data.predictions.engine import connect, duckdb_errors
from prunegate.data.predictions.open_table import open_table
from prunegate.data.predictions.scan import names_of
from prunegate.data.predictions.table_files import find_files

MOST_VALUES = 20
"""Different values of a column that still sorts rows into kinds."""


def column_names(source: str | os.PathLike[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Every column name of a table file, in its order.

    Args:
        source: CSV, Parquet or Arrow.
        wanted: columns that the table has; a CSV's delimiter is the one under which it has them.

    Raises:
        TableError: no such file, or its header cannot be read.
    """
    files = find_files(source)
    with duckdb_errors(files.name):
        return tuple(names_of(connect(files.paths), source, files, wanted))


def few_valued(
    source: Any, identifier: str, names: Sequence[str], most: int
) -> dict[str, Mapping[str, str | None]]:
    """The columns with 2 to ``MOST_VALUES`` different values, as texts by row id.

    Args:
        source: a table with unique ids.
        identifier: the id column.
        names: columns to consider.
        most: how many to hand back; those with the fewest values come first.

    Raises:
        TableError: the table cannot be read.
    """
    table = open_table(source, (identifier, *names), text_columns=(identifier, *names))
    with table.reading():
        counts = table.frame.select(nw.col(*names).n_unique()).collect().row(0)
        few = sorted((n, place) for place, n in enumerate(counts) if 2 <= n <= MOST_VALUES)
        chosen = [names[place] for _, place in few[:most]]
        found = table.frame.select(identifier, *chosen).collect().to_dict(as_series=False)
    return {name: dict(zip(found[identifier], found[name], strict=True)) for name in chosen}
