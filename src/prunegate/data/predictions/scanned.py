"""Scanned: the columns of a file or frame as a DuckDB relation, nothing read into them yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TEXTS = {"varchar", "enum"}
"""DuckDB's types of text."""


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

    @property
    def types(self) -> dict[str, str]:
        """DuckDB's type of each column."""
        columns = zip(self.relation.columns, self.relation.types, strict=True)
        return {name: "json" if str(kind) == "JSON" else kind.id for name, kind in columns}
