from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.policy.messages import literal, nearest_word, reading_hint, show_path, suggest
from prunegate.text.escape import escaped


@given(st.text())
def test_inert_text_prints_on_one_line(text: str) -> None:
    assert escaped(text).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_inert_leaves_printable_text_alone(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.slow
@given(st.recursive(st.text() | st.integers() | st.booleans(), st.lists))
def test_shown_values_are_short_and_inert(value: object) -> None:
    assert len(literal(value)) <= 60
    assert literal(value).isprintable()


def test_values_are_shown_as_the_file_says_them() -> None:
    assert literal("2%") == '"2%"'
    assert literal(True) == "true"
    assert literal({"relativ": 0.02}) == '{"relativ": 0.02}'


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ((), ""),
        (("name",), "name"),
        (("rules", 0, "max_drop"), "rules[0].max_drop"),
        (("slices", 1, "where", "a b"), 'slices[1].where["a b"]'),
        (("\u202e",), '["\\u202e"]'),
    ],
)
def test_paths(path: tuple[str | int, ...], shown: str) -> None:
    assert show_path(path) == shown


def test_suggestions() -> None:
    words = ("max_drop", "max_rise", "at_least")
    assert suggest("max_dorp", words) == "did you mean 'max_drop'?"
    assert suggest("MAX_DROP", words) == "did you mean 'max_drop'?"
    assert suggest("zebra", words) == "valid: max_drop, max_rise, at_least"
    assert nearest_word("zebra", words) is None
    assert suggest("zebra", [f"k{i}" for i in range(30)]).endswith("k15, ...")


def test_reading_hints() -> None:
    assert reading_hint("no", wants_boolean=True) == (
        "; YAML 1.2 reads no as text: write true or false"
    )
    assert reading_hint("1:30", wants_boolean=False) == "; YAML 1.2 reads 1:30 as text"
    assert reading_hint("0.02", wants_boolean=False) == "; remove the quotes"
    assert reading_hint("1_000", wants_boolean=False) == ""
    assert reading_hint(3, wants_boolean=False) == ""
