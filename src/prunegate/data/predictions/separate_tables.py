"""Separate tables: labels and two models' answers in files of their own, joined on the id.

The join is one inner join inside the engine (``duckdb_join.py``, ``spark_join.py``), whatever the
order of rows and the kinds of files. It is right only where every table has the same ids, each
once: then, and only then, the joined rows are as many as those of every table, and no id occurs
twice among them (which whoever counts them looks at). Otherwise what is missing, doubled or empty
is counted and shown, and nothing is judged: an inner join that drops rows unseen is the mistake
that this is here to prevent. What is said of it is said here, whatever the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prunegate.data.predictions.columns import EXAMPLES, match_columns, nfc, shown
from prunegate.data.predictions.label_columns import DerivedColumn
from prunegate.data.predictions.spark_files import is_for_spark
from prunegate.errors import MissingColumnsError, TableError


@dataclass(frozen=True, kw_only=True)
class SeparateTable:
    """One of several tables with the same rows."""

    role: str
    """What it gives: ``labels``, ``baseline_predictions``, ``candidate_predictions`` or
    ``predictions`` (of both models)."""
    source: Any
    """As for ``open_table``."""
    columns: Mapping[str, str]
    """What each of its own columns is called in the joined table, and in this one."""
    answers: Mapping[str, DerivedColumn] = field(default_factory=dict)
    """Columns of the joined table that follow from this one's scores per class."""

    @property
    def words(self) -> str:
        """The role for people."""
        return self.role.replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class SeparateTables:
    """Several tables with the same rows."""

    tables: tuple[SeparateTable, ...]
    id: str
    """The column that they are joined on, as the joined table calls it."""
    shared: tuple[str, ...] = ()
    """Columns that any of them may have; where several do, they have to agree."""
    repeated: tuple[str, ...] = ()
    """Columns that one table gives; another that has one of that name may not contradict it."""
    named: Mapping[str, frozenset[str]]
    """As of ``WantedColumns``."""

    @property
    def any_for_spark(self) -> bool:
        """Whether Spark computes one of them."""
        return any(is_for_spark(table.source) for table in self.tables)


def columns_by_table(
    separate: SeparateTables, there: Sequence[Sequence[str]], names: Sequence[str]
) -> list[dict[str, str]]:
    """For each table, the joined table's names of its columns and its own.

    Args:
        separate: the tables.
        there: every column name of each.
        names: what each is called in messages.

    Raises:
        MissingColumnsError: for all tables together.
    """
    found: list[dict[str, str]] = []
    missing: list[str] = []
    texts: list[str] = []
    for table, columns_there, name in zip(separate.tables, there, names, strict=True):
        try:
            spelt = match_columns(tuple(table.columns.values()), columns_there, name)
        except MissingColumnsError as error:
            missing += error.missing
            texts.append(str(error))
            continue
        known = {nfc(column) for column in columns_there}
        also = [c for c in separate.shared if c not in table.columns]
        also = [c for c in also if nfc(c) in known]
        columns = {column: spelt[called] for column, called in table.columns.items()}
        columns |= {column: column for column in table.answers}
        found.append(columns | match_columns(also, columns_there, name))
    nowhere = [c for c in separate.shared if not texts and all(c not in one for one in found)]
    if nowhere:
        some = ", ".join(map(shown, nowhere))
        texts.append(f"none of the files has the column {some}; add it to one of them")
    if texts:
        raise MissingColumnsError("\n".join(texts), [*missing, *nowhere])
    return found


def repeats(
    separate: SeparateTables,
    there: Sequence[Sequence[str]],
    found: Sequence[Mapping[str, str]],
) -> list[dict[str, str]]:
    """For each table, its own name of every repeated column that it has, where two have it.

    Args:
        separate: the tables.
        there: every column name of each.
        found: the columns that each gives, as ``columns_by_table`` says.
    """
    homes: list[dict[str, str]] = [{} for _ in separate.tables]
    for column in separate.repeated:
        home = next(one for one, table in enumerate(separate.tables) if column in table.columns)
        called = nfc(separate.tables[home].columns[column])
        having = {home: found[home][column]}
        for place, names in enumerate(there):
            spelt = next((name for name in names if nfc(name) == called), None)
            if spelt is not None and spelt not in found[place].values():
                having[place] = spelt
        if len(having) > 1:
            for place, spelt in having.items():
                homes[place][column] = spelt
    return homes


def one_sign_sql(text: str) -> str:
    """Text of a label, with yes and no as the numbers that they are elsewhere; empty as null."""
    sign = f"CASE {text} WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE {text} END"
    return f"nullif({sign}, '')"


def refuse_if_not_one(tables: int, problems: Sequence[str]) -> None:
    """Pass if there is no problem.

    Raises:
        TableError: listing everything that keeps so many tables from being one.
    """
    if not problems:
        return
    lines = "\n".join(f"  {problem}" for problem in problems)
    many = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise TableError(f"{tables} tables: {many}; nothing was judged, correct the files:\n{lines}")


def bad_ids(label: str, missing: int, surplus: int, some: str) -> Iterator[str]:
    """Rows of a table without an id, and those whose id another row has; some of these."""
    if missing:
        yield f"{label}: {missing:,} {_noun(missing)} without an id"
    if surplus:
        words = f"{surplus:,} {_noun(surplus)} with an id that another row has already"
        yield f"{label}: {words}: {some}"


def in_one_only(number: int, label: str, other: str, some: str, *, unlabelled: bool = False) -> str:
    """Ids of one table that another lacks; unlabelled: that one holds labels."""
    ids = "id is" if number == 1 else "ids are"
    hint = "; labels of some rows are given with their list: --labelling" if unlabelled else ""
    return f"{number:,} {ids} in {label} and not in {other}: {some}{hint}"


def disagreement(column: str, homes: Sequence[str], number: int, some: str) -> str:
    """Rows of which tables say different things."""
    return (
        f"column {shown(column)}: {' and '.join(homes)} disagree on {number:,} "
        f"{_noun(number)}: id {some}"
    )


def of_first_id(values: Sequence[Any]) -> str:
    """What tables that disagree say of the first such id."""
    return f" (of the first: {', '.join(map(shown, values))})" if values else ""


def contradiction(column: str, homes: Sequence[str], number: int, some: str) -> str:
    """Rows of which a table says otherwise than the one that gives the column."""
    told = disagreement(column, homes, number, some)
    return f"{told}; if it means something else in {homes[-1]}, give it another name there"


def some_ids(smallest: Sequence[Any]) -> str:
    """Three ids, of four that are the smallest."""
    some = ", ".join(shown(str(one)) for one in smallest[:EXAMPLES])
    return f"{some}, ..." if len(smallest) > EXAMPLES else some


def _noun(number: int) -> str:
    return "row" if number == 1 else "rows"
