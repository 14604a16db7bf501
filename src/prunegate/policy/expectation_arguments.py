"""Arguments of expectations: typed, closed, and none of them anything that would be evaluated.

One class for each set of arguments that Great Expectations' classes have, in its own spelling; what
it leaves to a condition, a query or a type's name is not there (``expectations.py`` says which).
An argument with which every table, or none, would do is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, field_validator, model_validator

from prunegate.policy.section import Number, Scalar, Section, Text, Whole

Mostly = Annotated[float, Strict(), Field(gt=0, le=1)]
Values = Annotated[tuple[Scalar, ...], Field(min_length=1, max_length=10_000)]
SomeColumns = Annotated[tuple[Text, ...], Field(min_length=2, max_length=100)]
Pattern = Annotated[str, Strict(), Field(min_length=1, max_length=1000)]
Flag = Annotated[bool, Strict()]


class _OfColumn(Section):
    column: Text
    """The column, as the table calls it."""


class _OfEachRow(_OfColumn):
    mostly: Mostly = 1.0
    """The share of the rows with a value that has to do it."""


def _crossed(least: float | None, most: float | None) -> bool:
    """Whether both ends are given, and the wrong way round."""
    return least is not None and most is not None and least > most


class _Within(Section):
    min_value: Number | None = None
    """The smallest value that will do; absent: any."""
    max_value: Number | None = None
    """The largest value that will do; absent: any."""
    strict_min: Flag = False
    """Whether the smallest value is outside already."""
    strict_max: Flag = False
    """Whether the largest value is outside already."""

    @model_validator(mode="after")
    def _has_an_end(self) -> _Within:
        if self.min_value is None and self.max_value is None:
            raise ValueError("give 'min_value', 'max_value' or both; else every value would do")
        if _crossed(self.min_value, self.max_value):
            raise ValueError("'min_value' is above 'max_value'; no value would do")
        if self.min_value == self.max_value and (self.strict_min or self.strict_max):
            raise ValueError("'min_value' is 'max_value', which 'strict' leaves out; none would do")
        return self


class EachPresent(_OfEachRow):
    """Every row of a column has a value, or none has one."""


class EachWithin(_OfEachRow, _Within):
    """Every row's number lies in a range."""


class ColumnWithin(_OfColumn, _Within):
    """A number that the whole column has lies in a range."""


class CountWithin(_OfColumn, _Within):
    """A count of the whole column lies in a range."""

    min_value: Whole | None = None
    """The smallest count that will do; absent: any."""
    max_value: Whole | None = None
    """The largest count that will do; absent: any."""


class LengthWithin(_OfEachRow, _Within):
    """Every row's text has a length in a range."""

    min_value: Whole | None = None
    """The fewest characters that will do; absent: any."""
    max_value: Whole | None = None
    """The most characters that will do; absent: any."""


class LengthIs(_OfEachRow):
    """Every row's text has one length."""

    value: Whole
    """Characters."""


class _Among(Section):
    value_set: Values
    """Values: all of them texts, or all of them numbers, or true and false."""

    @field_validator("value_set")
    @classmethod
    def _are_of_one_kind(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if len({_kind(value) for value in values}) > 1:
            raise ValueError("texts and numbers are never equal; give all of one kind")
        return values


class EachAmong(_OfEachRow, _Among):
    """Every row's value is one of some, or none of them."""


class ColumnAmong(_OfColumn, _Among):
    """The different values of the whole column are some, all or exactly those."""


class CommonAmong(ColumnAmong):
    """The most common value of the whole column is one of some."""

    ties_okay: Flag | None = None
    """Whether it will do that one of several equally common values is among them."""


class EachMatches(_OfEachRow):
    """Every row's text has a place that matches a pattern, or no such place."""

    regex: Pattern
    """A regular expression of RE2, which takes time in proportion to the text, whatever it says;
    look-around and back references are not in it. ^ and $ tie it to the text's ends."""


class EachScored(_OfEachRow):
    """Every row's number is not too many standard deviations from the mean."""

    threshold: Annotated[float, Strict(), Field(gt=0)]
    """Standard deviations."""
    double_sided: Flag
    """Whether numbers far below the mean are too far, too."""


class EachInlying(_OfEachRow):
    """Every row's number is no outlier."""

    method: Literal["iqr", "std"] = "iqr"
    """iqr: from the quartiles; std: from the mean."""
    multiplier: Annotated[float, Strict(), Field(gt=0)] = 1.5
    """Interquartile ranges or standard deviations."""


class QuantileRanges(Section):
    """Quantiles, and where each has to lie."""

    quantiles: Annotated[
        tuple[Annotated[float, Strict(), Field(ge=0, le=1)], ...],
        Field(min_length=1, max_length=100),
    ]
    """Shares, such as [0.05, 0.5, 0.95]."""
    value_ranges: tuple[tuple[Number, Number], ...]
    """The smallest and the largest value of each, in their order."""

    @model_validator(mode="after")
    def _has_a_range_for_each(self) -> QuantileRanges:
        if len(self.quantiles) != len(self.value_ranges):
            raise ValueError("'value_ranges' has a range for each of 'quantiles'")
        if any(low > high for low, high in self.value_ranges):
            raise ValueError("a range is the smallest value and the largest, in this order")
        return self


class QuantilesWithin(_OfColumn):
    """Quantiles of the whole column lie in ranges."""

    quantile_ranges: QuantileRanges


class _OfPair(Section):
    column_A: Text  # noqa: N815  # Great Expectations' own spelling
    """One column, as the table calls it."""
    column_B: Text  # noqa: N815  # likewise
    """The other."""
    mostly: Mostly = 1.0
    """The share of the rows that has to do it."""
    ignore_row_if: Literal["both_values_are_missing", "either_value_is_missing", "neither"] = (
        "both_values_are_missing"
    )
    """Rows that are left out."""


class PairGreater(_OfPair):
    """Every row's number in A is greater than the one in B."""

    or_equal: Flag | None = None
    """Whether equal numbers will do."""


class PairEqual(_OfPair):
    """Every row's values in both columns are equal."""


class PairAmong(_OfPair):
    """Every row's pair of values is one of some."""

    value_pairs_set: Annotated[
        tuple[tuple[Scalar, Scalar], ...], Field(min_length=1, max_length=10_000)
    ]
    """Pairs [a, b]; all texts, or all numbers."""

    @field_validator("value_pairs_set")
    @classmethod
    def _are_of_one_kind(cls, pairs: tuple[Any, ...]) -> tuple[Any, ...]:
        if len({_kind(value) for pair in pairs for value in pair}) > 1:
            raise ValueError("texts and numbers are never equal; give all of one kind")
        return pairs


class _OfSome(Section):
    column_list: SomeColumns
    """Two columns or more, as the table calls them."""
    mostly: Mostly = 1.0
    """The share of the rows that has to do it."""
    ignore_row_if: Literal["all_values_are_missing", "any_value_is_missing", "never"] = (
        "all_values_are_missing"
    )
    """Rows that are left out."""


class SomeColumnsTogether(_OfSome):
    """Values of some columns, taken together."""


class SumOfColumns(_OfSome):
    """Every row's numbers in some columns add up."""

    sum_total: Number
    """To this."""


class RowsWithin(Section):
    """The table has so many rows."""

    min_value: Whole | None = None
    """The fewest that will do; absent: any."""
    max_value: Whole | None = None
    """The most that will do; absent: any."""

    @model_validator(mode="after")
    def _has_an_end(self) -> RowsWithin:
        if self.min_value is None and self.max_value is None:
            raise ValueError("give 'min_value', 'max_value' or both; else any table would do")
        if _crossed(self.min_value, self.max_value):
            raise ValueError("'min_value' is above 'max_value'; no table would do")
        return self


class RowsAre(Section):
    """The table has exactly so many rows."""

    value: Whole
    """Rows."""


def _kind(value: Any) -> str:
    """Text or number; true and false count as numbers, as they do in a table."""
    return "text" if isinstance(value, str) else "number"
