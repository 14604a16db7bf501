"""Expectations: what the user's data must be, in Great Expectations' own vocabulary.

One entry names one expectation, with typed arguments (``expectation_arguments.py``). Which of the
library's expectations are left out, and why, is in ``LEFT_OUT``; a test holds both lists against
the library itself. What they say of a table is found out elsewhere (``data/contract/expected.py``).
"""

from __future__ import annotations

from pydantic import model_validator

from prunegate.policy.expectation_arguments import (
    ColumnAmong,
    ColumnWithin,
    CommonAmong,
    CountWithin,
    EachAmong,
    EachInlying,
    EachMatches,
    EachPresent,
    EachScored,
    EachWithin,
    LengthIs,
    LengthWithin,
    PairAmong,
    PairEqual,
    PairGreater,
    QuantilesWithin,
    RowsAre,
    RowsWithin,
    SomeColumnsTogether,
    SumOfColumns,
)
from prunegate.policy.section import Section

LEFT_OUT = {
    "evaluates a query": (
        "expect_query_results_to_match_comparison",
        "unexpected_rows_expectation",
        "expect_table_row_count_to_equal_other_table",
    ),
    "is about the order of rows, which tables here have none of": (
        "expect_column_values_to_be_increasing",
        "expect_column_values_to_be_decreasing",
    ),
    "is about columns that nobody reads; one that is needed and missing is refused anyway": (
        "expect_column_to_exist",
        "expect_table_column_count_to_be_between",
        "expect_table_column_count_to_equal",
        "expect_table_columns_to_match_ordered_list",
        "expect_table_columns_to_match_set",
    ),
    "is about how an engine stores a column, and is another thing in every kind of file": (
        "expect_column_type_to_be",
        "expect_column_values_to_be_in_type_list",
        "expect_column_values_to_be_of_type",
    ),
    "hands values of strangers to a parser that nothing bounds": (
        "expect_column_values_to_be_dateutil_parseable",
        "expect_column_values_to_be_json_parseable",
        "expect_column_values_to_match_json_schema",
        "expect_column_values_to_match_strftime_format",
    ),
    "is not there for data frames, or follows from a pattern": (
        "expect_column_values_to_match_like_pattern",
        "expect_column_values_to_match_like_pattern_list",
        "expect_column_values_to_match_regex_list",
        "expect_column_values_to_not_match_like_pattern",
        "expect_column_values_to_not_match_like_pattern_list",
        "expect_column_values_to_not_match_regex_list",
    ),
    "is said by 'data: production' and 'tolerance'": (
        "expect_column_kl_divergence_to_be_less_than",
    ),
    "has a newer name": ("expect_multicolumn_values_to_be_unique",),
}
"""The library's other expectations, by why there is no way to say them here."""


def why_left_out(name: str) -> str | None:
    """Why an expectation of the library cannot be said here; None: it can, or is none."""
    return next((reason for reason, names in LEFT_OUT.items() if name in names), None)


class Expectation(Section):
    """One expectation of Great Expectations: its name, with its arguments."""

    expect_column_values_to_not_be_null: EachPresent | None = None
    """Rows have a value."""
    expect_column_values_to_be_null: EachPresent | None = None
    """Rows have none."""
    expect_column_values_to_be_unique: EachPresent | None = None
    """No two rows have the same value."""
    expect_column_values_to_be_between: EachWithin | None = None
    """Numbers lie in a range."""
    expect_column_values_to_be_in_set: EachAmong | None = None
    """Values are some of these."""
    expect_column_values_to_not_be_in_set: EachAmong | None = None
    """Values are none of these."""
    expect_column_value_lengths_to_be_between: LengthWithin | None = None
    """Texts have a length in a range."""
    expect_column_value_lengths_to_equal: LengthIs | None = None
    """Texts have one length."""
    expect_column_values_to_match_regex: EachMatches | None = None
    """Texts match a pattern."""
    expect_column_values_to_not_match_regex: EachMatches | None = None
    """Texts do not match a pattern."""
    expect_column_value_z_scores_to_be_less_than: EachScored | None = None
    """Numbers lie near the mean."""
    expect_column_values_to_not_be_outliers: EachInlying | None = None
    """Numbers are no outliers."""
    expect_column_pair_values_to_be_equal: PairEqual | None = None
    """Two columns agree."""
    expect_column_pair_values_a_to_be_greater_than_b: PairGreater | None = None
    """One column is above another."""
    expect_column_pair_values_to_be_in_set: PairAmong | None = None
    """Pairs of values are some of these."""
    expect_multicolumn_sum_to_equal: SumOfColumns | None = None
    """Columns add up."""
    expect_multicolumn_values_to_be_equal: SomeColumnsTogether | None = None
    """Some columns agree, row by row."""
    expect_select_column_values_to_be_unique_within_record: SomeColumnsTogether | None = None
    """No two of some columns agree within a row."""
    expect_compound_columns_to_be_unique: SomeColumnsTogether | None = None
    """No two rows agree in all of some columns."""
    expect_column_distinct_values_to_be_in_set: ColumnAmong | None = None
    """The different values are some of these."""
    expect_column_distinct_values_to_contain_set: ColumnAmong | None = None
    """All of these are among the different values."""
    expect_column_distinct_values_to_equal_set: ColumnAmong | None = None
    """The different values are exactly these."""
    expect_column_most_common_value_to_be_in_set: CommonAmong | None = None
    """The most common value is one of these."""
    expect_column_unique_value_count_to_be_between: CountWithin | None = None
    """There are so many different values."""
    expect_column_proportion_of_unique_values_to_be_between: ColumnWithin | None = None
    """The different values are such a share of all."""
    expect_column_proportion_of_non_null_values_to_be_between: ColumnWithin | None = None
    """Such a share of the rows has a value."""
    expect_column_min_to_be_between: ColumnWithin | None = None
    """The smallest number lies in a range."""
    expect_column_max_to_be_between: ColumnWithin | None = None
    """The largest number lies in a range."""
    expect_column_mean_to_be_between: ColumnWithin | None = None
    """The mean lies in a range."""
    expect_column_median_to_be_between: ColumnWithin | None = None
    """The median lies in a range."""
    expect_column_stdev_to_be_between: ColumnWithin | None = None
    """The standard deviation lies in a range."""
    expect_column_sum_to_be_between: ColumnWithin | None = None
    """The sum lies in a range."""
    expect_column_quantile_values_to_be_between: QuantilesWithin | None = None
    """Quantiles lie in ranges."""
    expect_table_row_count_to_be_between: RowsWithin | None = None
    """The table has so many rows."""
    expect_table_row_count_to_equal: RowsAre | None = None
    """The table has exactly so many rows."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Expectation:
        given = [name for name in self.model_fields_set if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("an entry is one expectation: {expect_...: {column: ..., ...}}")
        return self

    @property
    def name(self) -> str:
        """Which of them it is."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def arguments(self) -> Section:
        """Its arguments."""
        found: Section = getattr(self, self.name)
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is about, each once; none where it is about the table."""
        names = ("column", "column_A", "column_B")
        alone = [getattr(self.arguments, name) for name in names if hasattr(self.arguments, name)]
        return tuple(dict.fromkeys((*alone, *getattr(self.arguments, "column_list", ()))))
