"""The user's own expectations: Great Expectations asked directly is the oracle."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.depth import times
from tests.unit.data.expectations import FRAME, judged, table

from prunegate.data.contract import expected
from prunegate.data.contract.expected import JudgedExpectations
from prunegate.data.contract.expected_kinds import KINDS
from prunegate.data.contract.great_expectations import load_great_expectations, run_frame
from prunegate.policy.expectations import LEFT_OUT, Expectation

pytestmark = pytest.mark.slow


NUMBERS = {"column": "width", "min_value": 6, "max_value": 4000}

PAIR = {"column_A": "height", "column_B": "width"}

ASKED: list[dict[str, dict[str, Any]]] = [
    {"expect_column_values_to_not_be_null": {"column": "width", "mostly": 0.87}},
    {"expect_column_values_to_not_be_null": {"column": "width", "mostly": 0.88}},
    {"expect_column_values_to_be_null": {"column": "empty"}},
    {"expect_column_values_to_be_null": {"column": "width"}},
    {"expect_column_values_to_be_unique": {"column": "width"}},
    {"expect_column_values_to_be_unique": {"column": "count"}},
    {"expect_column_values_to_be_between": NUMBERS},
    {"expect_column_values_to_be_between": {**NUMBERS, "mostly": 0.85}},
    {"expect_column_values_to_be_between": {**NUMBERS, "mostly": 0.86}},
    {"expect_column_values_to_be_between": {"column": "count", "min_value": 1, "strict_min": True}},
    {"expect_column_values_to_be_in_set": {"column": "source", "value_set": ["a", "b", "ä"]}},
    {"expect_column_values_to_be_in_set": {"column": "count", "value_set": [1, 2, 3]}},
    {"expect_column_values_to_not_be_in_set": {"column": "source", "value_set": ["c"]}},
    {"expect_column_value_lengths_to_be_between": {"column": "source", "max_value": 1}},
    {"expect_column_value_lengths_to_equal": {"column": "source", "value": 2}},
    {"expect_column_values_to_match_regex": {"column": "source", "regex": "^[ab]"}},
    {"expect_column_values_to_not_match_regex": {"column": "source", "regex": "c|d"}},
    {
        "expect_column_value_z_scores_to_be_less_than": {
            "column": "width",
            "threshold": 2,
            "double_sided": True,
        }
    },
    {"expect_column_values_to_not_be_outliers": {"column": "count"}},
    {"expect_column_pair_values_to_be_equal": PAIR},
    {"expect_column_pair_values_to_be_equal": {**PAIR, "mostly": 0.3}},
    {"expect_column_pair_values_a_to_be_greater_than_b": {**PAIR, "or_equal": True}},
    {
        "expect_column_pair_values_a_to_be_greater_than_b": {
            **PAIR,
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        }
    },
    {
        "expect_column_pair_values_to_be_in_set": {
            "column_A": "source",
            "column_B": "source",
            "value_pairs_set": [["a", "a"], ["b", "b"], ["ä", "ä"]],
        }
    },
    {"expect_multicolumn_sum_to_equal": {"column_list": ["count", "width"], "sum_total": 11}},
    {"expect_multicolumn_values_to_be_equal": {"column_list": ["width", "height"]}},
    {"expect_select_column_values_to_be_unique_within_record": {"column_list": ["count", "width"]}},
    {"expect_compound_columns_to_be_unique": {"column_list": ["source", "width"]}},
    {"expect_column_distinct_values_to_be_in_set": {"column": "source", "value_set": ["a", "b"]}},
    {"expect_column_distinct_values_to_contain_set": {"column": "source", "value_set": ["a"]}},
    {
        "expect_column_distinct_values_to_equal_set": {
            "column": "source",
            "value_set": ["a", "b", "ä"],
        }
    },
    {
        "expect_column_most_common_value_to_be_in_set": {
            "column": "source",
            "value_set": ["b"],
            "ties_okay": True,
        }
    },
    {"expect_column_unique_value_count_to_be_between": {"column": "source", "max_value": 3}},
    {
        "expect_column_proportion_of_unique_values_to_be_between": {
            "column": "width",
            "max_value": 0.5,
        }
    },
    {
        "expect_column_proportion_of_non_null_values_to_be_between": {
            "column": "width",
            "min_value": 0.8,
        }
    },
    {"expect_column_min_to_be_between": {**NUMBERS, "min_value": 5}},
    {"expect_column_max_to_be_between": {**NUMBERS, "strict_max": True}},
    {"expect_column_mean_to_be_between": NUMBERS},
    {"expect_column_median_to_be_between": NUMBERS},
    {"expect_column_stdev_to_be_between": NUMBERS},
    {"expect_column_sum_to_be_between": NUMBERS},
    {
        "expect_column_quantile_values_to_be_between": {
            "column": "width",
            "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[8, 20]]},
        }
    },
    {"expect_table_row_count_to_be_between": {"min_value": 9}},
    {"expect_table_row_count_to_equal": {"value": 8}},
]


def directly(frame: pd.DataFrame, entries: list[dict[str, dict[str, Any]]]) -> list[bool]:
    """What the library says itself."""
    load_great_expectations()
    from great_expectations.expectations.registry import get_expectation_impl

    made = [
        get_expectation_impl(name)(**arguments, meta={"place": place})
        for place, entry in enumerate(entries)
        for name, arguments in entry.items()
    ]
    found = run_frame(frame, made, {"result_format": "BOOLEAN_ONLY"})
    assert not [one for one in found if one.exception_info.get("raised_exception", True)]
    answers = {one.expectation_config.meta["place"]: bool(one.success) for one in found}
    return [answers[place] for place in range(len(entries))]


@pytest.fixture(scope="module")
def whole_frame() -> JudgedExpectations:
    return judged(FRAME, *ASKED)


def test_every_expectation_is_judged_as_the_library_judges_it(
    whole_frame: JudgedExpectations,
) -> None:
    assert {name for entry in ASKED for name in entry} == set(KINDS)
    found = whole_frame
    answers = [one.holds for one in found.expectations]
    assert answers == directly(FRAME, ASKED)
    assert {True, False} == set(answers)


def test_rows_in_batches_are_judged_as_all_rows_at_once(
    whole_frame: JudgedExpectations, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = whole_frame
    monkeypatch.setattr(expected, "BATCH", 5)
    parts = judged(FRAME, *ASKED)
    assert (whole.batches, parts.batches) == (1, 2)
    assert [(one.holds, one.rows, one.unexpected, one.observed) for one in whole.expectations] == [
        (one.holds, one.rows, one.unexpected, one.observed) for one in parts.expectations
    ]


@settings(
    max_examples=times(3, thorough=100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    values=st.lists(st.none() | st.integers(-3, 3) | st.floats(-3, 3), min_size=1, max_size=8),
    batch=st.integers(3, 6),
    mostly=st.sampled_from([0.25, 0.5, 0.75, 1.0]),
)
def test_however_rows_are_cut_a_share_of_all_of_them_is_judged(
    monkeypatch: pytest.MonkeyPatch, values: list[float | None], batch: int, mostly: float
) -> None:
    frame = table(x=pd.Series(values, dtype="float64"), y=range(len(values)))
    asked: list[dict[str, dict[str, Any]]] = [
        {
            "expect_column_values_to_be_between": {
                "column": "x",
                "min_value": -1,
                "max_value": 2,
                "mostly": mostly,
            }
        },
        {"expect_column_values_to_not_be_null": {"column": "x", "mostly": mostly}},
        {
            "expect_column_pair_values_to_be_equal": {
                "column_A": "x",
                "column_B": "y",
                "mostly": mostly,
            }
        },
        {"expect_column_values_to_be_unique": {"column": "x"}},
    ]
    monkeypatch.setattr(expected, "BATCH", batch)
    found = [one.holds for one in judged(frame, *asked).expectations]
    there = frame["x"].notna().any()
    told = directly(frame, asked)
    # The library lets a column without any value pass; here that is never met.
    assert found == [told[0] and there, told[1], told[2], told[3] and there]


def test_a_pattern_takes_no_more_time_than_its_text() -> None:
    frame = table(text=["a" * 20_000 + "!"] * 3)
    entry = {"expect_column_values_to_match_regex": {"column": "text", "regex": "^(a+)+$"}}
    (one,) = judged(frame, entry).expectations
    assert one.unexpected == 3


def library() -> Iterator[tuple[str, Any]]:
    load_great_expectations()
    from great_expectations.expectations import core
    from great_expectations.expectations.expectation import Expectation as Base

    for found in vars(core).values():
        if inspect.isclass(found) and issubclass(found, Base):
            kind = getattr(found, "expectation_type", None)
            yield str(kind or "expect_multicolumn_values_to_be_unique"), found


def test_every_expectation_of_the_library_can_be_said_or_is_left_out_with_a_reason() -> None:
    left_out = {name for names in LEFT_OUT.values() for name in names}
    said = set(Expectation.model_fields)
    assert said == set(KINDS)
    assert not said & left_out
    assert {name for name, _ in library()} <= said | left_out


def test_arguments_are_the_librarys_own_and_none_is_evaluated() -> None:
    known = dict(library())
    evaluated = {
        "row_condition",
        "condition_parser",
        "meta",
        "batch_id",
        "windows",
        "result_format",
    }
    for name, field in Expectation.model_fields.items():
        section = next(part for part in field.annotation.__args__ if part is not type(None))  # type: ignore[union-attr]
        theirs = known[name].__fields__
        assert set(section.model_fields) <= set(theirs) - evaluated
        needed = {key for key, one in theirs.items() if one.required}
        assert needed <= {key for key, one in section.model_fields.items() if one.is_required()}
