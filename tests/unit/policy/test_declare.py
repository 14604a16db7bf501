"""Declaring a slice: the snippet loads where it is pasted and means exactly the rows meant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from prunegate.policy.declare import containing, declares, named_slices, snippet
from prunegate.policy.load import parse_policy
from prunegate.policy.naming import value_text
from prunegate.policy.schema import Policy

TEXT = """\
prunegate: 1
name: x
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices:
  - by: kind
  - by: [kind, market]
  - {name: south, where: {market: [it, es], kind: video}}
  - {name: one, where: {season: 1}}
rules:
  - {metric: model_bytes, max_ratio: 0.9}
  - {metric: precision, slices: all, max_drop: {relative: 0.03}, severity: warn}
  - {metric: recall, slices: all, at_least: 0.5, max_drop: 0.02, on_undefined: fail}
"""
AWKWARD = [
    *("yes", "no", "on", "1", "01", "1.0", "1e3", "true", "null", "~", "-", "a: b", "#x", "{}"),
    *('say "hi"', "it's", "a,b=c\\d", "ünï ✓", " edge ", "\t", "two\nlines", "\u202e", "é", "👍"),
    *("overall", "all", "south", "2026-01-01", "0x1f", "&a", "*a", "!t", "%", "@", "`", "|", ">"),
]


def pasted(text: str, lines: str) -> Policy:
    """The policy with the snippet's items put at the top of its own two lists."""
    for section in ("slices:\n", "rules:\n"):
        if section in lines:
            items = lines.partition(section)[2].partition("rules:\n")[0]
            text = text.replace(section, section + items, 1)
    return parse_policy(text)


@pytest.mark.slow
@pytest.mark.parametrize("value", AWKWARD)
def test_awkward_values_load_and_mean_themselves(value: str) -> None:
    policy = parse_policy(TEXT)
    lines = snippet(policy, {"device type": value, "market": value}, set())
    assert lines is not None
    found = pasted(TEXT, lines)
    where = {key: value_text(text) for key, text in (found.slices[0].where or {}).items()}
    assert where == {"device type": value_text(value), "market": value_text(value)}
    assert found.slices[1:] == policy.slices
    rule = found.rules[0]
    assert (rule.metric, rule.max_drop, rule.at_least) == ("recall", 0.02, None)
    assert (rule.slices, rule.on_undefined) == (found.slices[0].name, "fail")


CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
NAMES = st.text(CHARACTERS.filter(lambda c: c not in ",=\\"), min_size=1, max_size=8)


@pytest.mark.slow
@given(st.dictionaries(NAMES, st.text(CHARACTERS, min_size=1), min_size=1, max_size=3))
def test_any_value_loads_and_means_itself(where: dict[str, str]) -> None:
    assume(not {"label", "id", "baseline", "candidate"} & set(where))
    assume(len({value_text(key) for key in where}) == len(where))
    lines = snippet(parse_policy(TEXT), where, set())
    assert lines is not None
    assert pasted(TEXT, lines).slices[0].where == where


@pytest.mark.slow
def test_all_snippets_of_one_look_can_be_pasted_together() -> None:
    taken: set[str] = set()
    text = TEXT
    for value in (*AWKWARD, "a-b", "a b", "a/b"):
        lines = snippet(parse_policy(TEXT), {"device": value}, taken)
        assert lines is not None
        items = YAML(typ="safe").load(lines)
        assert list(items) == ["slices", "rules"]
        for section in items:
            text = text.replace(
                f"{section}:\n",
                f"{section}:\n  - {json.dumps(items[section][0], ensure_ascii=False)}\n",
                1,
            )
    policy = parse_policy(text)
    assert len(policy.slices) == len(AWKWARD) + 3 + 4
    assert len(taken) == len(AWKWARD) + 3


def test_a_policy_without_a_margin_gets_the_slice_alone() -> None:
    text = TEXT.partition("rules:")[0] + "rules:\n  - {metric: recall, at_least: 0.5}\n"
    lines = snippet(parse_policy(text), {"device": "tv"}, set())
    assert lines == "slices:\n  - {name: tv, where: {device: tv}}\n"
    assert pasted(text, lines).slices[0].name == "tv"


def test_a_relative_margin_is_copied_as_it_is() -> None:
    text = "".join(line + "\n" for line in TEXT.splitlines() if "recall" not in line)
    text += "  - {metric: recall, at_least: 0.5}\n"
    lines = snippet(parse_policy(text), {"device": "tv"}, set())
    assert lines is not None
    assert "{metric: precision, slices: tv, max_drop: {relative: 0.03}, severity: warn}" in lines
    assert pasted(text, lines)


@pytest.mark.parametrize("value", ["x" * 2001, "a\0b"])
def test_what_a_policy_cannot_hold_has_no_snippet(value: str) -> None:
    assert snippet(parse_policy(TEXT), {"device": value}, set()) is None


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"kind": "a"}, True),
        ({"market": "de"}, False),
        ({"market": "de", "kind": "a"}, True),
        ({"kind": "video", "market": "it"}, True),
        ({"season": "1"}, True),
        ({"season": "2"}, False),
        ({"kind": "a", "season": "1"}, False),
    ],
)
def test_declared_means_the_same_rows(where: dict[str, str], expected: bool) -> None:
    assert declares(parse_policy(TEXT), where) is expected


def test_declared_slices_around_a_slice() -> None:
    policy = parse_policy(TEXT)
    where: dict[str, Any] = {"kind": "video", "market": "it", "season": "2", "device": None}
    assert containing(policy, where) == [
        {"kind": {"video"}},
        {"kind": {"video"}, "market": {"it"}},
        {"market": {"it", "es"}, "kind": {"video"}},
    ]
    assert containing(policy, {"kind": None, "season": "1"}) == [{"season": {"1"}}]


def test_named_slices_are_those_of_the_columns_at_hand() -> None:
    policy = parse_policy(TEXT)
    south = {"market": {"it", "es"}, "kind": {"video"}}
    assert named_slices(policy, ["kind", "market", "device"]) == [south]
    assert named_slices(policy, ["season"]) == [{"season": {"1"}}]
    assert named_slices(policy, ["market"]) == []
