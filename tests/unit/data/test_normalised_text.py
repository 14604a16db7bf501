"""What a text says: letters, digits and symbols count; case, spaces and punctuation do not."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from prunegate.data.labelled.normalised_text import normalised

EVERY = [chr(code) for code in range(sys.maxunicode + 1)]
MINUS = "\u2212"  # read as any dash, with its small forms
SIGNS = [c for c in EVERY if unicodedata.category(c) in ("Sm", "Sc", "So")] + list("#%&*/@\\^")
BLANK = "\u2800"  # Braille without dots
SYMBOLS = [c for c in SIGNS if unicodedata.normalize("NFKC", c) not in (MINUS, BLANK)]
POINTS = [c for c in ".,:;!?()[]{}'\"`_-\u2014\u2026\u00bf\u3002\u060c\u2800" if c not in SYMBOLS]
UNSEEN = ["\u200b", "\u00ad", "\u2060", "\u034f", "\ufe0f", "\u3164", "\U000e0100", "\u202e"]

words = st.text("abyzäöß0159", min_size=1, max_size=4)
symbols = st.sampled_from(SYMBOLS)
texts = st.text(st.sampled_from([*"abZÄ019 \n", *POINTS, *UNSEEN, *"+-%\u2212\U0001f600\u20ac"]))


@given(words, words, symbols, symbols)
def test_texts_of_other_symbols_are_other_texts(one: str, two: str, a: str, b: str) -> None:
    assume(normalised(a) != normalised(b))  # compatibility: U+FF0B is a plus
    said = normalised(f"{one}{a}{two}")
    assert said != normalised(f"{one}{b}{two}")
    assert said != normalised(f"{one} {two}")
    if not normalised(a).isalnum():  # a trade mark is the letters "tm"
        assert said == normalised(f"{one}  {a} {two}")


def test_every_symbol_counts() -> None:
    assert [c for c in SYMBOLS if not normalised(c)] == []


@given(words, words, st.sampled_from(POINTS))
def test_punctuation_separates_and_is_nothing_else(one: str, two: str, point: str) -> None:
    assert normalised(f"{one}{point}{two}") == normalised(f"{one} {two}")
    assert normalised(f"{one}{point}") == normalised(one)


@given(texts, st.sampled_from(UNSEEN), st.data())
def test_what_nobody_sees_is_not_there(text: str, unseen: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    assert normalised(text[:at] + unseen + text[at:]) == normalised(text)
    assert normalised(unseen) == ""


@given(texts)
def test_what_a_text_says_says_the_same(text: str) -> None:
    said = normalised(text)
    assert normalised(said) == said == normalised(f" {text.upper().lower()}\n")


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("a+b", "a-b", False),
        ("A + B!", "a+b", True),
        ("a-b", "a \u2212 b", True),
        ("well-known", "well known", True),
        ("-5 degrees", "5 degrees", False),
        ("(\u22125)", "\u20135", True),
        ("5 %", "5", False),
        ("5\uff05", "5 %", True),
        ("555-1234", "555 1234", True),
        ("C++", "C", False),
        ("3*2", "3/2", False),
        ("good \U0001f600", "Good \U0001f621!", False),
        ("\u2764", "\u2764\ufe0f", True),
        ("`x`", "'x'", True),
        ("- 5 eggs", "5 eggs", True),
    ],
)
def test_pairs_as_people_read_them(one: str, two: str, same: bool) -> None:
    assert (normalised(one) == normalised(two)) is same
