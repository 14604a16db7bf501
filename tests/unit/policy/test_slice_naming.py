from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.policy.naming import SEPARATORS, parse_slice_name, slice_name, value_text

KEYS = st.text(min_size=1).filter(lambda key: not SEPARATORS & set(key))


@given(st.dictionaries(KEYS, st.text(), min_size=1, max_size=3))
def test_names_read_back(pairs: dict[str, str]) -> None:
    name = slice_name(list(pairs), list(pairs.values()))
    assert parse_slice_name(name) == pairs


@given(st.text())
def test_what_reads_back_is_a_name(text: str) -> None:
    pairs = parse_slice_name(text)
    if pairs is not None and text.count("=") == len(pairs):
        assert slice_name(list(pairs), list(pairs.values())) == text


@pytest.mark.parametrize("text", ["", "video", "a=b,", "=b", ",", "a=b=c", "a\\=b", "a=b\\"])
def test_other_texts_are_no_names(text: str) -> None:
    assert parse_slice_name(text) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (1, "1"), (1.0, "1"), (1.5, "1.5"), ("01", "01"), ("e\u0301", "\u00e9")],
)
def test_values_become_texts(value: object, text: str) -> None:
    assert value_text(value) == text


@given(st.text())
def test_texts_are_in_one_normal_form(text: str) -> None:
    assert unicodedata.is_normalized("NFC", value_text(text))
