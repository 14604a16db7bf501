"""``data: expect:`` in a policy: typed arguments, nothing is evaluated, every mistake is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prunegate.errors import PolicyError
from prunegate.policy.diff import diff
from prunegate.policy.json_schema import json_schema
from prunegate.policy.load import parse_policy
from prunegate.policy.rules_digest import rules_digest
from prunegate.policy.schema import Policy

WIDTH = {"expect_column_values_to_be_between": {"column": "width", "min_value": 1}}
SOURCE = {"expect_column_values_to_be_in_set": {"column": "source", "value_set": ["a", "b"]}}
BETWEEN = "expect_column_values_to_be_between"


def text(*entries: Any) -> str:
    document = {
        "prunegate": 1,
        "name": "p",
        "task": {"kind": "binary", "positive": "unsafe", "threshold": 0.5},
        "data": {"expect": list(entries)},
        "rules": [{"metric": "recall", "max_drop": 0.02}],
    }
    return json.dumps(document)  # JSON is YAML


def policy(*entries: Any) -> Policy:
    return parse_policy(text(*entries))


REFUSED: dict[str, tuple[Any, str]] = {
    "a condition that is evaluated": (
        {BETWEEN: {"column": "w", "min_value": 1, "row_condition": "__import__('os').abort()"}},
        "unknown key 'row_condition'",
    ),
    "a query": (
        {"unexpected_rows_expectation": {"unexpected_rows_query": "SELECT 1"}},
        "unknown key 'unexpected_rows_expectation'",
    ),
    "one that is left out, with the reason": (
        {"expect_column_to_exist": {"column": "w"}},
        "left out, as it is about columns that nobody reads",
    ),
    "a misspelt name": (
        {"expect_column_values_to_be_betwen": {"column": "w", "min_value": 1}},
        f"did you mean '{BETWEEN}'",
    ),
    "a parameter of a suite": (
        {BETWEEN: {"column": "w", "min_value": {"$PARAMETER": "now"}}},
        "a number",
    ),
    "text for a number": ({BETWEEN: {"column": "w", "min_value": "1"}}, "remove the quotes"),
    "one value, which is left out": (
        {BETWEEN: {"column": "w", "min_value": 1, "max_value": 1, "strict_max": True}},
        "none would do",
    ),
    "rows that no table has": (
        {"expect_table_row_count_to_be_between": {"min_value": 5, "max_value": 4}},
        "no table would do",
    ),
    "no limit at all": ({BETWEEN: {"column": "w"}}, "else every value would do"),
    "a share that any table has": (
        {BETWEEN: {"column": "w", "min_value": 1, "mostly": 0}},
        "mostly",
    ),
    "values of two kinds": (
        {"expect_column_values_to_be_in_set": {"column": "s", "value_set": ["1", 1]}},
        "texts and numbers are never equal",
    ),
    "two in one entry": ({**WIDTH, **SOURCE}, "an entry is one expectation"),
    "none": ({}, "an entry is one expectation"),
    "a column that is a list": (
        {BETWEEN: {"column": ["w"], "min_value": 1}},
        "expected text",
    ),
    "no number": ({BETWEEN: {"column": "w", "min_value": float("nan")}}, "NaN"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_typed_is_refused_in_words(name: str) -> None:
    entry, words = REFUSED[name]
    with pytest.raises(PolicyError) as found:
        policy(entry)
    assert words in str(found.value)
    assert "data.expect[0]" in str(found.value) or "policy.yaml:1" in str(found.value)


TAKEN: dict[str, Any] = {
    "pairs": (
        "expect_column_pair_values_to_be_in_set",
        {"column_A": "a", "column_B": "b", "value_pairs_set": [["x", "y"], ["x", "z"]]},
    ),
    "quantiles": (
        "expect_column_quantile_values_to_be_between",
        {
            "column": "w",
            "quantile_ranges": {"quantiles": [0.1, 0.9], "value_ranges": [[1.0, 1.0], [1.0, 2.0]]},
        },
    ),
    "rows at least": ("expect_table_row_count_to_be_between", {"min_value": 3}),
    "as many rows": ("expect_table_row_count_to_be_between", {"min_value": 3, "max_value": 3}),
    "one value": (BETWEEN, {"column": "w", "min_value": 1.0, "max_value": 1.0}),
    "rows at most": ("expect_table_row_count_to_be_between", {"max_value": 3}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_typed_is_kept_as_it_is_written(name: str) -> None:
    expectation, arguments = TAKEN[name]
    (kept,) = policy({expectation: arguments}).document()["data"]["expect"]
    assert kept == {expectation: arguments}


def test_the_schema_for_editors_knows_every_expectation_and_its_arguments() -> None:
    found = json_schema()["$defs"]
    assert set(found["EachWithin"]["properties"]) == {
        *("column", "mostly", "min_value", "max_value", "strict_min", "strict_max")
    }
    assert all(one.get("description") for one in found["Expectation"]["properties"].values())


def test_an_expectation_more_is_tighter_and_one_less_is_looser() -> None:
    one, two, turned = policy(WIDTH), policy(WIDTH, SOURCE), policy(SOURCE, WIDTH)
    assert [change.kind for change in diff(one, two)] == ["tightened"]
    assert [change.kind for change in diff(two, one)] == ["loosened"]
    assert diff(two, turned) == ()
    assert diff(one, two)[0].where == "data.expect.expect_column_values_to_be_in_set"


def test_expectations_are_part_of_the_bar_in_any_order() -> None:
    none, one = policy(), policy(WIDTH)
    assert rules_digest(none) != rules_digest(one)
    assert rules_digest(policy(WIDTH, SOURCE)) == rules_digest(policy(SOURCE, WIDTH))
    assert Policy.model_validate(one.document()) == one
