"""Values that expectations see: missing, infinite, large, of text; and tables that are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.unit.data.expectations import FRAME, judged, policy, table

from prunegate.counting.expected_predictions import judge_predictions_expected
from prunegate.counting.read_source import JointCountsFile
from prunegate.data.contract import expected
from prunegate.data.predictions import coded_texts
from prunegate.errors import InputError

pytestmark = pytest.mark.slow


def test_a_column_without_values_meets_nothing_but_being_empty() -> None:
    asked = [
        {"expect_column_values_to_be_between": {"column": "empty", "min_value": 0}},
        {"expect_column_distinct_values_to_be_in_set": {"column": "empty", "value_set": [1]}},
        {"expect_column_mean_to_be_between": {"column": "empty", "min_value": 0}},
        {"expect_column_values_to_be_unique": {"column": "empty"}},
        {"expect_column_values_to_be_null": {"column": "empty"}},
    ]
    found = judged(FRAME, *asked)
    assert [one.holds for one in found.expectations] == [False, False, False, False, True]
    assert not found.holds


def test_unexpected_rows_are_counted_and_three_of_them_named() -> None:
    entry = {"expect_column_values_to_be_between": {"column": "width", "max_value": 9}}
    (one,) = judged(FRAME, entry).expectations
    assert (one.rows, one.unexpected, len(one.examples)) == (7, 4, 3)
    assert set(one.examples) <= {"r0", "r1", "r3", "r5"}
    kept_back = policy(entry, report={"redact": ["id"]})
    assert judge_predictions_expected(kept_back, FRAME).expectations[0].examples == ()


def test_whole_numbers_beyond_floats_are_told_apart() -> None:
    frame = table(big=pd.Series([2**53, 2**53 + 1, None], dtype="Int64"))
    entry = {"expect_column_values_to_be_unique": {"column": "big"}}
    assert judged(frame, entry).holds


def test_texts_that_are_coded_for_digests_are_texts_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coded_texts, "_SAMPLE", 1)
    frame = table(
        spoken=["de", "en", "fr"] * 9,
        wanted=["de", "es", "fr"] * 9,
        city=["\u00e9", "e\u0301", "o"] * 9,
    )
    alike = {"column_A": "spoken", "column_B": "wanted", "mostly": 0.6}
    found = judged(
        frame,
        {"expect_column_pair_values_to_be_equal": alike},
        {"expect_column_values_to_be_in_set": {"column": "city", "value_set": ["\u00e9", "o"]}},
    )
    assert [one.holds for one in found.expectations] == [True, True]


def test_text_that_spells_numbers_is_compared_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,width,code\n1,5,01\n2,70,1\n")
    entries = [
        {"expect_column_values_to_be_between": {"column": "width", "min_value": 5}},
        {"expect_column_values_to_be_in_set": {"column": "code", "value_set": ["01", "1"]}},
        {"expect_column_values_to_be_unique": {"column": "code"}},
    ]
    assert judge_predictions_expected(policy(*entries), path).holds


REFUSED = {
    "no such column": (
        {"expect_column_values_to_not_be_null": {"column": "widht"}},
        "did you mean 'width'",
    ),
    "texts for numbers": (
        {"expect_column_mean_to_be_between": {"column": "source", "min_value": 1}},
        "asks for numbers",
    ),
    "numbers of a set among texts": (
        {"expect_column_values_to_not_be_in_set": {"column": "source", "value_set": [-1]}},
        "asks for numbers",
    ),
    "numbers held against texts": (
        {
            "expect_select_column_values_to_be_unique_within_record": {
                "column_list": ["width", "source"]
            }
        },
        "some hold numbers and some texts",
    ),
    "a look-ahead": (
        {"expect_column_values_to_match_regex": {"column": "source", "regex": "(?=a)b"}},
        "no regular expression of RE2",
    ),
    "a pattern that grows": (
        {
            "expect_column_values_to_match_regex": {
                "column": "source",
                "regex": "((a{100}){100}){100}",
            }
        },
        "no regular expression of RE2",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_cannot_be_judged_is_refused(name: str) -> None:
    entry, words = REFUSED[name]
    with pytest.raises(InputError, match=words):
        judged(FRAME, entry)


def test_an_empty_column_is_told_as_empty(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,width\n1,\n2,\n")
    entry = {"expect_column_values_to_be_between": {"column": "width", "min_value": 5}}
    with pytest.raises(InputError, match="column 'width' holds nothing, and"):
        judge_predictions_expected(policy(entry), tmp_path / "t.csv")


def test_an_infinite_number_does_not_switch_off_what_is_asked_of_the_others() -> None:
    frame = table(x=[9.0, float("inf"), 1e9, 9.0])
    entry = {"expect_column_value_z_scores_to_be_less_than": {"column": "x", "threshold": 3, "double_sided": True}}  # fmt: skip  # noqa: E501
    with pytest.raises(InputError, match="1 infinite number"):
        judged(frame, entry)


@pytest.mark.parametrize("spelling", ["NaN", "nan", ""])
def test_what_is_no_number_in_a_file_of_numbers_is_missing(tmp_path: Path, spelling: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"id,width\n1,5\n2,{spelling}\n3,7\n")
    present = {"expect_column_values_to_not_be_null": {"column": "width"}}
    between = {"expect_column_values_to_be_between": {"column": "width", "min_value": 5}}
    found = judge_predictions_expected(policy(present, between), path).expectations
    assert [(one.holds, one.rows, one.unexpected) for one in found] == [(False, 3, 1), (True, 2, 0)]


def test_a_number_of_32_bits_is_what_its_spelling_names() -> None:
    frame = table(x=np.array([0.1, 7, -999.9], dtype=np.float32))
    never = {"expect_column_values_to_not_be_in_set": {"column": "x", "value_set": [-999.9]}}
    least = {"expect_column_values_to_be_in_set": {"column": "x", "value_set": [0.1, 7, -999.9]}}
    assert [one.holds for one in judged(frame, never, least).expectations] == [False, True]


def test_a_pattern_sees_texts_in_the_form_that_it_has_itself() -> None:
    frame = table(x=["bade\u0301", "x"])
    entry = {"expect_column_values_to_not_match_regex": {"column": "x", "regex": "bad\u00e9"}}
    (one,) = judged(frame, entry).expectations
    assert (one.holds, one.unexpected) == (False, 1)


def test_a_whole_column_of_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "WHOLE", 7)
    with pytest.raises(InputError, match="up to 7 rows; this table has 8"):
        judged(FRAME, {"expect_column_values_to_be_unique": {"column": "count"}})
    entry = {"expect_column_values_to_be_between": {"column": "count", "min_value": 1}}
    assert judged(FRAME, entry).holds


def test_joint_counts_have_no_rows(tmp_path: Path) -> None:
    entry = {"expect_table_row_count_to_equal": {"value": 8}}
    with pytest.raises(InputError, match="joint counts have none"):
        judge_predictions_expected(policy(entry), JointCountsFile(path=tmp_path / "c.csv"))
