"""What a policy says in sentences, and in which direction a change of it goes."""

from __future__ import annotations

import pytest

from prunegate.policy.cautions import caution_sentence, cautions
from prunegate.policy.declare import _flow
from prunegate.policy.diff import diff
from prunegate.policy.diff_words import change_sentence
from prunegate.policy.explain import explain_policy
from prunegate.policy.load import parse_policy
from prunegate.policy.messages import reading_hint
from prunegate.policy.schema import Policy

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe, threshold: 0.5}\n"
SLICES = "slices: [{by: kind, expect: [a, b]}]\n"


def policy(*rules: str, rest: str = "") -> Policy:
    return parse_policy(f"{HEAD}{SLICES}rules: [{', '.join(rules)}]\n{rest}")


def test_recall_alone_and_large_shares_are_cautioned_about() -> None:
    found = [caution_sentence(c) for c in cautions(policy("{metric: recall, at_least: 0.5}"))]
    assert len(found) == 1
    assert "flags everything passes" in found[0]
    half = policy("{metric: precision, max_drop: {relative: 0.75}}")
    assert "allows a drop of 75 %" in caution_sentence(cautions(half)[0])
    assert not cautions(policy("{metric: precision, max_drop: {relative: 0.5}}"))


def test_lists_stand_in_one_line() -> None:
    assert _flow({"a": ["b", 1, {"c": True}]}) == "{a: [b, 1, {c: true}]}"


@pytest.mark.parametrize(
    ("text", "hint"), [("12", "; remove the quotes"), ("abc", ""), ("0" * 9, "")]
)
def test_a_quoted_number_gets_a_hint(text: str, hint: str) -> None:
    assert reading_hint(text, wants_boolean=False) == hint


def test_weights_and_the_mix_of_production_are_explained() -> None:
    rule = "{metric: recall, at_least: 0.5}"
    assert "weighed by w" in " ".join(explain_policy(policy(rule, rest="weight: w\n")))
    mix = "data: {production: {kind: {a: 0.75, b: 0.25}}, tolerance: 0.1}\n"
    told = " ".join(explain_policy(policy(rule, rest=mix)))
    assert "Production sees by kind: a 75 %, b 25 %." in told
    assert "may be 10 % of the rows from that" in told


def test_a_limit_that_comes_or_whose_manner_changes_is_told() -> None:
    plain = "{metric: recall, at_least: 0.5, slices: kind}"
    first = policy(plain)
    with_more = policy(plain, "{metric: model_bytes, max_ratio: 0.8}")
    assert [change_sentence(c) for c in diff(first, with_more)]
