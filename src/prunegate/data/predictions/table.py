"""Tables: any source of predictions as one lazy frame that holds only the columns needed.

The one door for tables. Files and frames become a narwhals LazyFrame over a DuckDB relation whose
columns are text, number or boolean; Spark's become one over a Spark frame of the same meaning
(``spark.py``). What reads it (counting, uniqueness) stays lazy and bounded in memory. What a value
*means* (label, score, slice) is decided by the reader, not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import narwhals as nw

from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.engine import Engine
from prunegate.errors import TableError

Kind = Literal["text", "number", "boolean"]


@dataclass(frozen=True, kw_only=True)
class Table:
    """An open table."""

    name: str
    """For messages: a path, or the kind of frame."""
    frame: nw.LazyFrame[Any]
    """The columns asked for, under the names asked for."""
    kinds: Mapping[str, Kind]
    """What each column holds."""
    rows_hint: int
    """How many rows there were when it was opened; at least one."""
    files: tuple[Path, ...] = ()
    """The files it is read from; empty for a frame."""
    engine: Engine
    """Computes ``frame``."""
    roles: tuple[str, ...] = ()
    """What each of the files gives, where they are several tables that were joined."""
    singles: frozenset[str] = frozenset()
    """Columns of 32-bit floats: a threshold is compared with them as such a float."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """Rows that were left out, by the label for which the policy leaves them out."""
    left_out: nw.LazyFrame[Any] | None = None
    """These rows, with the same columns; what cannot be read of them is missing. None: no rows."""
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The classes that each model's probabilities are of, where a rule looks at these."""
    beside: tuple[str, ...] = ()
    """Names of the source's other columns, which nobody asked for; of Spark's none are known."""
    edges: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """The edges between the quantiles of each key that is sliced by such."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Wrap every collect in this: damage found while reading becomes a TableError."""
        with self.engine.reading(self.name):
            yield


def require_rows(rows: int, name: str) -> None:
    """Refuse an empty table.

    Raises:
        TableError: there are no rows.
    """
    if rows == 0:
        raise TableError(f"{name}: there are no rows; give a table with at least one row.")


def not_one_value(name: str, column: str, kind: str) -> TableError:
    """Return the refusal of a column of lists, structures, bytes and the like."""
    return TableError(
        f"{name}: column {shown(column)} holds {kind} values; give text, numbers or booleans, one "
        "value per row, or say under 'data: scores:' that they are a model's scores per class."
    )
