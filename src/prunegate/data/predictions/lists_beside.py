"""Lists beside columns: a table that says a row's labels twice has to say the same.

Where a table has a column for every label, these are read. If it also has the column of lists that
would be read without them, and a row of it says something else, one of the two is wrong, and which
is not for a gate to guess. A row without a list contradicts nothing, nor does a column of single
values (one verdict a row, say), which is no list of labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prunegate.data.predictions.class_scores import ClassScores
from prunegate.data.predictions.columns import quoted, sql_text
from prunegate.data.predictions.label_columns import (
    NONE,
    YES,
    Constant,
    FoundColumn,
    names_in_list,
    there_whole,
)
from prunegate.data.predictions.scanned import TEXTS, Scanned
from prunegate.data.predictions.score_cells import scores_of_column

NAMES_DIFFER = "other labels listed than its column for each label says"
SCORES_DIFFER = "other scores listed than its column for each label holds"
"""What such rows have, for people."""


@dataclass(frozen=True, kw_only=True)
class ListsBeside:
    """What the lists say in rows where the columns say otherwise: a text, else an empty one."""

    owns: tuple[str, ...]
    """The columns, in the order of the labels."""
    lists: str
    labels: tuple[str, ...]
    scored: tuple[ClassScores, ...] = ()
    """How each label's score is read off a list; none where lists and columns say yes or no."""

    def found(self, available: Sequence[str]) -> FoundColumn:
        """As ``DerivedColumn`` says: nothing to compare unless the table has both."""
        if there_whole(available, (*self.owns, self.lists)):
            return _Compared(beside=self)
        return Constant(text="")


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """Both are there."""

    beside: ListsBeside

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.beside.owns, self.beside.lists)

    @property
    def column(self) -> str:
        return self.beside.lists

    def sql(self, scanned: Scanned) -> str:
        """SQL of the text."""
        beside = self.beside
        if beside.scored:
            found = scores_of_column(scanned, beside.lists, beside.scored[0].classes)
            return "''" if found is None else _scores_sql(scanned, beside)
        named = scanned.types[beside.lists] in ("list", "array", "json", *TEXTS)
        return self._names(scanned) if named else "''"

    def _names(self, scanned: Scanned) -> str:
        beside = self.beside
        names = names_in_list(scanned, beside.lists, beside.labels)
        pairs = zip(beside.owns, beside.labels, strict=True)
        same = [
            f"list_contains({names}, {sql_text(name)}) = {_yes_sql(own)}" for own, name in pairs
        ]
        known = f"list_has_all([{', '.join(map(sql_text, beside.labels))}], {names})"
        said = f"coalesce(nullif(array_to_string({names}, '|'), ''), {sql_text(NONE)})"
        return (
            f"CASE WHEN {names} IS NULL OR ({known} AND {' AND '.join(same)}) THEN '' "
            f"ELSE {said} END"
        )


def _yes_sql(own: str) -> str:
    """Whether a column says yes; what is neither a yes nor a no is told by itself."""
    cell = quoted(own)
    words = ", ".join(map(sql_text, YES))
    spelt = f"lower(trim(CAST({cell} AS VARCHAR))) IN ({words})"
    return f"coalesce({spelt} OR TRY_CAST({cell} AS DOUBLE) = 1, false)"


def _scores_sql(scanned: Scanned, beside: ListsBeside) -> str:
    """In 32 bits, which one of the two may be stored in; a row whose list has no score is told."""
    cases = []
    for own, scores in zip(beside.owns, beside.scored, strict=True):
        one, other = f"TRY_CAST({quoted(own)} AS FLOAT)", f"CAST({scores.sql(scanned)} AS FLOAT)"
        said = f"coalesce(CAST({other} AS VARCHAR), {sql_text(NONE)})"
        label = sql_text(f"{scores.positive} ")
        cases.append(f"WHEN {one} IS DISTINCT FROM {other} THEN {label} || {said}")
    return f"CASE WHEN {quoted(beside.lists)} IS NULL THEN '' {' '.join(cases)} ELSE '' END"
