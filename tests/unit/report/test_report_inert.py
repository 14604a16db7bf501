"""Inert text: nothing invisible, nothing that reorders, nothing lost for ordinary words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.text.escape import named, shorten, visible

ANY = st.text(st.characters(), max_size=60)


@given(ANY)
def test_only_printable_characters_are_left(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    shown.encode("utf-8")


@given(ANY)
def test_inert_text_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(ANY)
def test_no_space_is_left_for_layout_to_swallow(text: str) -> None:
    shown = visible(text)
    assert "  " not in shown
    assert shown == shown.strip(" ")


@pytest.mark.parametrize(
    "text", ["overall", "content_type=video,region=eu", "Köln", "動画", "größe 42", "a−b → c", ""]
)
def test_ordinary_words_are_untouched(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a\\u202eb"),
        ("a\x00b", "a\\u0000b"),
        ("a\nb", "a\\u000ab"),
        ("a\u200bb", "a\\u200bb"),
        ("a\u00a0b", "a\\u00a0b"),
        ("a\u3164b", "a\\u3164b"),
        ("a\ufe0fb", "a\\ufe0fb"),
        ("a\U000e0041b", "a\\U000e0041b"),
        ("a\ud800b", "a\\ud800b"),
        (" a", "\\u0020a"),
        ("a  b", "a \\u0020b"),
        ("a" + "\u0301" * 4, "a\u0301\u0301\\u0301\\u0301"),
    ],
)
def test_what_misleads_becomes_a_visible_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY, st.integers(1, 40))
def test_a_shortened_text_fits(text: str, longest: int) -> None:
    shown = shorten(text, longest)
    assert len(shown) <= longest
    assert shown == visible(text) or shown.endswith("…")


def test_long_names_that_differ_at_either_end_stay_different() -> None:
    names = ["a" + "w" * 500, "b" + "w" * 500, "w" * 500 + "1", "w" * 500 + "2"]
    assert len({named(name) for name in names}) == 4
    assert max(len(named(name)) for name in names) <= 120
