"""Scanned: the columns of a file or frame as a DuckDB relation, nothing read into them yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from prunegate.data.predictions.columns import quoted

TEXTS = {"varchar", "enum"}
"""DuckDB's types of text."""
_SAMPLE = 2_000


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """A relation as it was scanned."""

    relation: Any
    name: str
    """Of the table, for messages."""
    loaded: str | None = None
    """The name of the connection's own table behind it; None: it is read anew each time."""

    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The classes of each column that is a list of probabilities, in its order."""

    @cached_property
    def types(self) -> Mapping[str, str]:
        """DuckDB's type of each column."""
        columns = zip(self.relation.columns, self.relation.types, strict=True)
        return {name: "json" if str(kind) == "JSON" else kind.id for name, kind in columns}

    def sample(self, column: str) -> list[str]:
        """Some of a column's texts that are not empty, enough to see that it is words."""
        known, whole = self._first
        found = [text for text in known[column] if text]
        return found if whole or len(found) == _SAMPLE else self._filled(column)

    @cached_property
    def _first(self) -> tuple[Mapping[str, list[str | None]], bool]:
        """The texts of the first rows, in one query for all columns, and whether these are all."""
        names = [name for name, kind in self.types.items() if kind in TEXTS]
        rows = self.relation.limit(_SAMPLE).project(", ".join(map(quoted, names))).fetchall()
        texts = zip(*rows, strict=True) if rows else ((),) * len(names)
        return {n: list(t) for n, t in zip(names, texts, strict=True)}, len(rows) < _SAMPLE

    def _filled(self, column: str) -> list[str]:
        """As many texts of a column that has empty cells."""
        cell = quoted(column)
        some = self.relation.filter(f"{cell} IS NOT NULL AND {cell} <> ''").limit(_SAMPLE)
        return [str(row[0]) for row in some.project(cell).fetchall()]
