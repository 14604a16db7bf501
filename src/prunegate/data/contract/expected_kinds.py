"""Kinds of expectations: how each reads its columns, and whether it looks at rows one by one.

One entry for each expectation that a policy can name (``policy/expectations.py``). A pattern is
matched by the engine, whose time is bounded whatever the pattern; Great Expectations then judges
which rows matched. It is given columns by names of ours, never a name from the data.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from prunegate.errors import UnsupportedError
from prunegate.policy.expectations import Expectation

Reads = Literal["numbers", "texts", "stored"]
"""Texts that all spell numbers are numbers; everything is text; everything is as it is stored."""


@dataclass(frozen=True, kw_only=True)
class ExpectationKind:
    """What an expectation needs."""

    reads: Reads | None = "numbers"
    """None: numbers where its values are such, else texts."""
    whole: bool = False
    """Whether it looks at a whole column at once."""
    numbers: bool = False
    """Whether anything but numbers is a mistake."""
    of_missing: bool = False
    """Whether it has something to say of a column without any value."""
    alike: bool = False
    """Whether it compares its columns with each other, which then hold values of one kind."""
    finite: bool = False
    """Whether an infinite number leaves it nothing to say of the others."""


_EACH_NUMBER = ExpectationKind(numbers=True)
_WHOLE_NUMBERS = ExpectationKind(whole=True, numbers=True)
_WHOLE_STORED = ExpectationKind(whole=True, reads="stored")
_EACH_VALUE, _WHOLE_VALUE = ExpectationKind(reads=None), ExpectationKind(whole=True, reads=None)
_EACH_TEXT = ExpectationKind(reads="texts")
_ALIKE = ExpectationKind(alike=True)
_PRESENT = ExpectationKind(of_missing=True)  # a NaN of a CSV file is missing here as elsewhere
_TABLE = ExpectationKind(reads="stored", of_missing=True)

KINDS: dict[str, ExpectationKind] = {
    "expect_column_values_to_not_be_null": _PRESENT,
    "expect_column_values_to_be_null": _PRESENT,
    "expect_column_values_to_be_unique": _WHOLE_STORED,
    "expect_column_values_to_be_between": _EACH_NUMBER,
    "expect_column_values_to_be_in_set": _EACH_VALUE,
    "expect_column_values_to_not_be_in_set": _EACH_VALUE,
    "expect_column_value_lengths_to_be_between": _EACH_TEXT,
    "expect_column_value_lengths_to_equal": _EACH_TEXT,
    "expect_column_values_to_match_regex": _EACH_TEXT,
    "expect_column_values_to_not_match_regex": _EACH_TEXT,
    "expect_column_value_z_scores_to_be_less_than": ExpectationKind(
        whole=True, numbers=True, finite=True
    ),
    "expect_column_values_to_not_be_outliers": _WHOLE_NUMBERS,
    "expect_column_pair_values_to_be_equal": _ALIKE,
    "expect_column_pair_values_a_to_be_greater_than_b": _EACH_NUMBER,
    "expect_column_pair_values_to_be_in_set": _EACH_VALUE,
    "expect_multicolumn_sum_to_equal": _EACH_NUMBER,
    "expect_multicolumn_values_to_be_equal": _ALIKE,
    "expect_select_column_values_to_be_unique_within_record": _ALIKE,
    "expect_compound_columns_to_be_unique": _WHOLE_STORED,
    "expect_column_distinct_values_to_be_in_set": _WHOLE_VALUE,
    "expect_column_distinct_values_to_contain_set": _WHOLE_VALUE,
    "expect_column_distinct_values_to_equal_set": _WHOLE_VALUE,
    "expect_column_most_common_value_to_be_in_set": _WHOLE_VALUE,
    "expect_column_unique_value_count_to_be_between": _WHOLE_STORED,
    "expect_column_proportion_of_unique_values_to_be_between": _WHOLE_STORED,
    "expect_column_proportion_of_non_null_values_to_be_between": ExpectationKind(
        whole=True, of_missing=True
    ),
    "expect_column_min_to_be_between": _WHOLE_NUMBERS,
    "expect_column_max_to_be_between": _WHOLE_NUMBERS,
    "expect_column_mean_to_be_between": _WHOLE_NUMBERS,
    "expect_column_median_to_be_between": _WHOLE_NUMBERS,
    "expect_column_stdev_to_be_between": _WHOLE_NUMBERS,
    "expect_column_sum_to_be_between": _WHOLE_NUMBERS,
    "expect_column_quantile_values_to_be_between": _WHOLE_NUMBERS,
    "expect_table_row_count_to_be_between": _TABLE,
    "expect_table_row_count_to_equal": _TABLE,
}


def how_read(asked: Expectation) -> Reads:
    """How the columns of an expectation are read."""
    reads = KINDS[asked.name].reads
    if reads is not None:
        return reads
    return "texts" if isinstance(_first_value(asked), str) else "numbers"


def asks_for_numbers(asked: Expectation) -> bool:
    """Whether anything but numbers in its columns is a mistake: it could never be told apart."""
    kind = KINDS[asked.name]
    return kind.numbers or (kind.reads is None and not isinstance(_first_value(asked), str | bool))


def _first_value(asked: Expectation) -> Any:
    arguments: Any = asked.arguments  # has values, or pairs of them
    found = getattr(arguments, "value_set", None)
    return found[0] if found else arguments.value_pairs_set[0][0]


@dataclass(frozen=True, kw_only=True)
class RowColumn:
    """A column of the rows that the library sees, or where one of its texts matches a pattern."""

    name: str
    """In the table."""
    regex: str | None = None
    """None: the column itself."""


def row_columns(asked: Iterable[Expectation]) -> tuple[RowColumn, ...]:
    """The columns that some expectations look at, each once."""
    found = (RowColumn(name=name, regex=pattern_of(one)) for one in asked for name in one.columns)
    return tuple(dict.fromkeys(found))


def pattern_of(asked: Expectation) -> str | None:
    """The pattern that an expectation has."""
    regex: str | None = getattr(asked.arguments, "regex", None)
    return None if regex is None else unicodedata.normalize("NFC", regex)


def given_name(place: int) -> str:
    """What the library knows a column by."""
    return f"c{place}"


def library_expectation(asked: Expectation, columns: Sequence[RowColumn], place: int) -> Any:
    """An expectation as one of the library's, on columns by their places.

    Raises:
        UnsupportedError: this Great Expectations has none of the name.
    """
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.registry import get_expectation_impl

    regex = pattern_of(asked)
    names = {
        name: given_name(columns.index(RowColumn(name=name, regex=regex))) for name in asked.columns
    }
    kind, arguments = asked.name, _plain(asked.arguments.model_dump(exclude_none=True))
    for key in ("column", "column_A", "column_B"):
        if key in arguments:
            arguments[key] = names[arguments[key]]
    if "column_list" in arguments:
        arguments["column_list"] = [names[name] for name in arguments["column_list"]]
    if regex is not None:
        del arguments["regex"]
        arguments["value_set"] = ["_not_" not in kind]
        kind = "expect_column_values_to_be_in_set"
    try:
        made = get_expectation_impl(kind)
    except ExpectationNotFoundError as error:
        raise UnsupportedError(
            f"the Great Expectations installed here has no {asked.name}; install a newer one"
        ) from error
    return made(**arguments, meta={"place": place})


def _plain(value: Any) -> Any:
    """Lists for tuples, and texts in the form that a table's texts are in."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value
