"""The table of a discovery: opened with the columns to look at, and checked as the gate checks it.

A column that would make thousands of slices (ids, times, measured numbers) is refused with what to
do: a slice is a set of rows that a policy can name by values, and a policy knows no ranges.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import narwhals as nw

from prunegate.counting.count import count_table, open_predictions
from prunegate.data.predictions.columns import shown
from prunegate.data.predictions.table import Table
from prunegate.errors import InputError
from prunegate.policy.naming import RESERVED_PREFIX, SEPARATORS
from prunegate.policy.schema import Policy, SliceSpec

MOST_COLUMNS = 20
MOST_VALUES = 1_000
MOST_NUMBERS = 20
"""Different values of a column in which every value is a number."""


def open_for_discovery(policy: Policy, source: Any, columns: Sequence[str]) -> Table:
    """Open a predictions table and make sure that it can be judged and looked through.

    Args:
        policy: from ``load_policy``.
        source: as for ``judge``.
        columns: the columns to look at; slicing keys may be among them.

    Raises:
        InputError: a column that has another use, is missing, or has too many values; or a table
            that the gate would refuse.
    """
    wanted = named_columns(policy, columns)
    opened = policy.model_copy(
        update={"slices": (*policy.slices, *(SliceSpec(by=name) for name in wanted))}
    )
    table = open_predictions(opened, source, with_ids=True)
    count_table(policy, table, most=None)
    _require_few_values(table, wanted)
    return table


def named_columns(policy: Policy, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns to look at, each once and in Unicode's NFC, as policies name them.

    Raises:
        InputError: none, too many, or one that the policy uses for something else.
    """
    found = tuple(dict.fromkeys(unicodedata.normalize("NFC", name.strip()) for name in columns))
    if not found or "" in found:
        raise InputError(
            "name the columns to look at, with commas between: --columns region,season"
        )
    if len(found) > MOST_COLUMNS:
        raise InputError(f"{len(found)} columns are too many to cross; name {MOST_COLUMNS} at most")
    mistakes = [reason for name in found if (reason := unusable(policy, name))]
    if mistakes:
        raise InputError("; ".join(mistakes) + ". Name columns that describe the rows")
    return found


def unusable(policy: Policy, name: str) -> str:
    """Why a column cannot slice the data, whatever it holds; empty if it can."""
    columns = policy.columns
    roles = {getattr(columns, role): role for role in policy.task.traits.roles}
    if name in roles:
        return f"column {shown(name)} is the {roles[name]} column"
    if name == policy.group:
        return f"column {shown(name)} is the group column: each slice would be one group"
    if name == policy.weight:
        return f"column {shown(name)} is the weight column: weights are no slices"
    if name.startswith(RESERVED_PREFIX):
        return f"column {shown(name)}: names that begin with {RESERVED_PREFIX} are taken"
    if SEPARATORS & set(name):
        return f"column {shown(name)} has one of , = \\ in its name, which separate slice names"
    return ""


def _require_few_values(table: Table, columns: Sequence[str]) -> None:
    mistakes = [reason for name in columns for reason in _too_many(table, name)]
    if mistakes:
        raise InputError(f"{table.name}: " + "; ".join(mistakes))


def _too_many(table: Table, name: str) -> Iterator[str]:
    found = table.frame.select(nw.col(name)).unique().head(MOST_VALUES + 2)
    with table.reading():
        texts = [row[0] for row in found.collect().rows() if row[0]]
    numbers = all(map(_is_number, texts))
    if numbers and len(texts) > MOST_NUMBERS:
        yield (
            f"column {shown(name)} holds numbers, more than {MOST_NUMBERS} different ones, and a "
            "policy's slice cannot be a range; bin them in the table (for example a column "
            "age_band with 18-34, 35-54, 55+) and name that, or, if the numbers are codes, put a "
            "letter in front"
        )
    elif len(texts) > MOST_VALUES:
        yield (
            f"column {shown(name)} has more than {MOST_VALUES:,} different values, as ids have; "
            "name a column that groups the rows"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
