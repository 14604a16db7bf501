"""One person is one person, however her name is spelled; who looks like another is not enrolled."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prunegate.audit.approvals.person import (
    same_person,
    unmistakable_organisation,
    unmistakable_person,
)
from prunegate.errors import InputError

ANN = "ann@client.example"
WIDE = "\uff41nn@client.example"


@given(st.text(max_size=20), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_another_spelling_is_the_same_person(name: str, form: str) -> None:
    again = unicodedata.normalize(form, name)  # type: ignore[arg-type]
    assert same_person(name, again)
    assert same_person(name, again.casefold())


@pytest.mark.parametrize(
    "other", [WIDE, ANN.upper(), "ann@client\uff0eexample", "a\u034fnn@client.example"]
)
def test_what_reads_like_her_is_her_and_is_not_enrolled_so(other: str) -> None:
    assert same_person(ANN, other)
    if other != ANN.upper():
        with pytest.raises(InputError, match=r"another spelling of .ann@client\.example"):
            unmistakable_person(other)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("\u0430nn@client.example", "Cyrillic and Latin"),
        ("ann@client.ex\u03b1mple", "Latin and Greek"),
        ("ann@client\u3002example", "looks like another"),
        ("ann\u2010b@client.example", "another"),
        ("a\u200bnn", "has to be a name"),
    ],
)
def test_letters_and_dots_that_look_alike_are_refused(name: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        unmistakable_person(name)


@pytest.mark.parametrize(
    "name", [ANN, "Zo\xeb O\u2019Neill", "\u0410\u043d\u043d\u0430", "\u738b\u5c0f\u660e (Wang)"]
)
def test_names_of_people_are_names(name: str) -> None:
    assert unmistakable_person(name) == name


def test_an_organisation_may_have_words_of_two_scripts() -> None:
    both = "\u042f\u043d\u0434\u0435\u043a\u0441 Cloud"
    assert unmistakable_organisation(both) == both
    with pytest.raises(InputError, match="organisation"):
        unmistakable_organisation("\u0410cme")
