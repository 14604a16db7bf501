"""Label columns: one column for each of several labels, the table's own or read off lists.

Rows with several labels come in two shapes: a column for each label (``label_hate``), or one column
that lists the names (``[violence, hate]``; in texts ``violence|hate``) or the scores of all labels.
Here both become the first. Which it is follows from the columns that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from prunegate.data.predictions.columns import nfc, quoted, shown, sql_text
from prunegate.data.predictions.scanned import TEXTS, Scanned
from prunegate.errors import TableError

SEPARATED = r"\s*[|;,]\s*"
"""Between the names in a text."""
NONE = "none"
"""A text that lists no name."""
YES, NO = ("yes", "true", "1", "y", "t"), ("no", "false", "0", "n", "f")
"""Texts that are a yes or a no, in capitals or not."""


class FoundColumn(Protocol):
    """A column that follows from others, once it is known from which."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read."""

    @property
    def column(self) -> str | None:
        """Of these, the one that may hold lists or structures."""

    def sql(self, scanned: Scanned) -> str:
        """SQL for its values."""


class DerivedColumn(Protocol):
    """A column that does not lie in the table, but follows from others."""

    def found(self, available: Sequence[str]) -> FoundColumn:
        """What it follows from, given the columns that the table has besides."""


@dataclass(frozen=True, kw_only=True)
class OwnColumn:
    """A column as the table has it."""

    name: str
    column: None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.name,)

    def sql(self, scanned: Scanned) -> str:
        """The column itself, in its own precision."""
        del scanned
        return quoted(self.name)


@dataclass(frozen=True, kw_only=True)
class Constant:
    """The same text in every row."""

    text: str
    columns: tuple[str, ...] = ()
    column: None = None

    def sql(self, scanned: Scanned) -> str:
        """The text."""
        del scanned
        return sql_text(self.text)


@dataclass(frozen=True, kw_only=True)
class NamedLabel:
    """Whether a label is among the names that a row lists.

    Where no label is asked for: the row's names if any of them is unknown, else an empty text.
    """

    column: str
    label: str | None
    labels: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of lists."""
        return (self.column,)

    def sql(self, scanned: Scanned) -> str:
        """True or false, and false too where there is no list; or a text, null where there is none.

        Raises:
            TableError: the column holds no names.
        """
        names = names_in_list(scanned, self.column, self.labels)
        if self.label is not None:
            return f"coalesce(list_contains({names}, {sql_text(self.label)}), false)"
        known = f"list_has_all([{', '.join(map(sql_text, self.labels))}], {names})"
        return (
            f"CASE WHEN {names} IS NULL OR len({names}) > list_count({names}) THEN NULL "
            f"WHEN {known} THEN '' ELSE array_to_string({names}, '|') END"
        )


@dataclass(frozen=True, kw_only=True)
class LabelColumn:
    """What one model, or the truth, says of one label."""

    own: str
    """The label's own column, where the table has one for every label."""
    owns: tuple[str, ...]
    """Those of all labels."""
    lists: str
    """The column of lists, where the table has it instead."""
    of_own: FoundColumn
    of_lists: FoundColumn

    def found(self, available: Sequence[str]) -> FoundColumn:
        """As ``DerivedColumn`` says: own columns first, and those too where there is neither."""
        listed = there_whole(available, (self.lists,))
        return self.of_lists if listed and not there_whole(available, self.owns) else self.of_own


def there_whole(available: Sequence[str], columns: Sequence[str]) -> bool:
    """Whether all columns are among those available, however their names are composed."""
    there = set(map(nfc, available))
    return all(nfc(name) in there for name in columns)


def names_in_list(scanned: Scanned, column: str, labels: Sequence[str]) -> str:
    """SQL of the list of a row's names; null where there is none.

    Raises:
        TableError: the column holds no names.
    """
    cell, kind = quoted(column), scanned.types[column]
    if kind in ("list", "array"):
        return f"CAST({cell} AS VARCHAR[])"
    if kind == "json":
        text = _split_sql(f"({cell} ->> '$')", labels)
        return (
            f"CASE json_type({cell}) WHEN 'ARRAY' THEN json_extract_string({cell}, '$[*]') "
            f"WHEN 'VARCHAR' THEN {text} END"
        )
    if kind in TEXTS:
        return _split_sql(f"CAST({cell} AS VARCHAR)", labels)
    own = shown(f"{column}_{labels[0]}")
    raise TableError(
        f"{scanned.name}: column {shown(column)} holds {kind} values and no names of labels; give "
        f"a list of names, a text such as violence|hate, or a column {own} for each label"
    )


def _split_sql(text: str, labels: Sequence[str]) -> str:
    """A text's names: ``violence|hate``, ``["violence", "hate"]``; ``none`` and ``[]`` are none."""
    cell = f"trim({text})"
    nothing = "" if NONE in labels else f"WHEN lower({cell}) = '{NONE}' THEN [] "
    return (
        f"CASE WHEN {cell} = '' THEN NULL WHEN starts_with({cell}, '[') "
        f"THEN CASE WHEN json_valid({cell}) THEN json_extract_string({cell}, '$[*]') "
        f"ELSE TRY_CAST({cell} AS VARCHAR[]) END {nothing}"
        f"WHEN {cell} IS NOT NULL THEN string_split_regex({cell}, {sql_text(SEPARATED)}) END"
    )
