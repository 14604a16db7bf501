from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from prunegate.errors import PolicyError
from prunegate.policy.load import parse_policy
from prunegate.policy.naming import SEPARATORS, value_text
from prunegate.policy.template import quote, render_new

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
ODD = st.sampled_from(
    [
        "no",
        "1",
        "010",
        "1:30",
        "a: b",
        "# x",
        "~",
        "null",
        "true",
        "- a",
        "'",
        '"',
        "\\",
        "{a}",
        "*x",
    ]
)
NUMBERS = st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9)
TAKEN = ("overall", "all", "id", "label", "baseline", "candidate")
ANSWERS = ODD | TEXTS | st.booleans() | NUMBERS


@pytest.mark.slow
@given(ANSWERS, st.none() | st.floats(0, 1), st.lists(ANSWERS, max_size=3))
def test_every_answer_is_read_back_as_given(
    positive: str | float, threshold: float | None, expect: list[str | float]
) -> None:
    assume(len({value_text(value) for value in expect}) == len(expect))
    text = render_new(
        "a-1", positive=positive, threshold=threshold, by="content_type", expect=expect
    )
    policy = parse_policy(text)
    assert policy.task.positive == positive
    assert type(policy.task.positive) is type(positive)
    assert policy.task.threshold == threshold
    assert policy.slices[0].expect == tuple(expect)


@pytest.mark.slow
@given(ODD | TEXTS)
def test_any_column_is_read_back(by: str) -> None:
    assume(not SEPARATORS & set(by) and by not in TAKEN and not by.startswith("prunegate__"))
    assert parse_policy(render_new("x", positive="a", by=by)).keys == (by,)


@pytest.mark.parametrize("by", [*TAKEN, "a=b", "", "prunegate__label"])
def test_impossible_columns_are_refused(by: str) -> None:
    with pytest.raises(PolicyError, match=r"slices\[0\]\.by"):
        render_new("x", positive="a", by=by)


@given(ODD | TEXTS)
def test_quoted_text_is_text_for_other_readers_too(text: str) -> None:
    assert YAML(typ="safe", pure=True).load(f"a: {quote(text)}")["a"] == text


def test_the_new_policy_is_as_short_as_its_answers() -> None:
    text = render_new("no", positive="1", threshold=None)
    policy = parse_policy(text)
    assert policy.name == "no"
    assert policy.slices == ()
    assert policy.task.threshold is None
    assert (policy.evidence.minimum.rows, policy.evidence.minimum.positives) == (300, 100)
    assert all(rule.slices == "overall" for rule in policy.rules)


def test_the_minimum_evidence_is_written_out() -> None:
    assert "  minimum: {rows: 300, positives: 100}" in render_new("x", positive="a")


def test_impossible_answers_are_all_listed() -> None:
    with pytest.raises(PolicyError) as error:
        render_new("two words", positive="", threshold=3, by="a,b")
    assert [line.split(": ")[1] for line in error.value.mistakes] == [
        "name",
        "task.threshold",
        "slices[0].by",
    ]


def test_a_nul_in_an_answer_is_refused() -> None:
    with pytest.raises(PolicyError, match="NUL or half of a pair"):
        render_new("x", positive="a\0b")
