"""Uniqueness of ids, exactly, reading nothing but the id column.

Equal ids have equal hashes, so ids whose 64-bit hashes all differ are unique: sorting ten million
hashes takes a tenth of the time of counting distinct ids (0.5 s against 2.5-3.5 s on two busy
cores). Where two hashes meet, or where the hashes would not fit in memory, the engine counts the
ids themselves, spilling to disk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prunegate.data.columns import quoted
from prunegate.data.tables import Table

_EXAMPLES = 5
HASHED_ROWS = 30_000_000
"""Up to this many rows the hashes are held in memory: 8 bytes each, twice during the hand-over."""


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """What is wrong with the ids of a table."""

    rows: int
    """Rows of the table."""
    missing: int
    """Rows without an id."""
    surplus: int
    """Rows whose id another row has already: rows with an id minus distinct ids."""
    examples: tuple[str, ...]
    """Some ids that occur more than once, in order; at most five."""

    @property
    def unique(self) -> bool:
        """Whether every row has an id of its own."""
        return not self.missing and not self.surplus


def duplicate_ids(table: Table, column: str) -> Duplicates:
    """Count the rows of a table that have no id of their own.

    Raises:
        TableError: the table cannot be read to its end.
    """
    cell = quoted(column)
    with table.reading():
        rows, present = table.relation.aggregate(f"count(*), count({cell})").fetchall()[0]
        if present <= HASHED_ROWS and _hashes_differ(table, cell):
            return Duplicates(rows=rows, missing=rows - present, surplus=0, examples=())
        distinct = table.relation.aggregate(f"count(DISTINCT {cell})").fetchall()[0][0]
        examples = _examples(table, cell) if distinct < present else ()
    return Duplicates(
        rows=rows, missing=rows - present, surplus=present - distinct, examples=examples
    )


def _hashes_differ(table: Table, cell: str) -> bool:
    present = table.relation.filter(f"{cell} IS NOT NULL").project(f"hash({cell}) AS h")
    hashes = np.sort(present.fetchnumpy()["h"])
    return not bool((hashes[1:] == hashes[:-1]).any())


def _examples(table: Table, cell: str) -> tuple[str, ...]:
    repeated = (
        table.relation.filter(f"{cell} IS NOT NULL")
        .aggregate(f"{cell} AS id, count(*) AS n", cell)
        .filter("n > 1")
        .order("id")
        .limit(_EXAMPLES)
        .fetchall()
    )
    return tuple(str(identifier) for identifier, _ in repeated)
