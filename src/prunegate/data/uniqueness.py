"""Uniqueness of ids, exactly, reading nothing but the id column.

Equal ids have equal hashes, so ids whose 64-bit hashes all differ are unique: sorting ten million
hashes takes a tenth of the time of counting distinct ids (0.5 s against 2.5-3.5 s on two busy
cores). Whole numbers are hashed as they are stored, which spares writing each out as text. Of a
large table a share of the hashes is taken at a time, so that memory does not grow with the file.
Where two hashes meet, or where that would take too many passes, the engine counts the ids
themselves, spilling to disk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from prunegate.data.columns import quoted
from prunegate.data.tables import WHOLE_NUMBERS, Table

_EXAMPLES = 5
HASHED_ROWS = 20_000_000
"""About so many hashes are held in memory: 8 bytes each, twice during the hand-over."""
PASSES = 10
"""Readings of the ids up to which hashing them beats counting them."""


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
        if present <= HASHED_ROWS * PASSES and _hashes_differ(table, column, present):
            return Duplicates(rows=rows, missing=rows - present, surplus=0, examples=())
        distinct = table.relation.aggregate(f"count(DISTINCT {cell})").fetchall()[0][0]
        examples = _examples(table, cell) if distinct < present else ()
    return Duplicates(
        rows=rows, missing=rows - present, surplus=present - distinct, examples=examples
    )


def _hashes_differ(table: Table, column: str, present: int) -> bool:
    """Whether the hashes of all ids are different, looked at in shares of about HASHED_ROWS."""
    cell = quoted(column)
    hashed = _cheapest(table, column).filter(f"{cell} IS NOT NULL").project(f"hash({cell}) AS h")
    shares = max(1, math.ceil(present / max(1, HASHED_ROWS)))
    return all(
        _differ(hashed.filter(f"h % {shares} = {share}") if shares > 1 else hashed)
        for share in range(shares)
    )


def _differ(hashed: Any) -> bool:
    hashes = hashed.fetchnumpy()["h"]
    hashes.sort()  # in place: the array is nobody else's, and a copy costs as much as the sorting
    return not bool((hashes[1:] == hashes[:-1]).any())


def _cheapest(table: Table, column: str) -> Any:
    """The rows with whole-number ids as numbers, any others as the text that they are judged by."""
    stored = table.stored
    if stored is None:
        return table.relation
    kind = stored.types[stored.columns.index(column)].id
    return stored if kind in WHOLE_NUMBERS else table.relation


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
