"""diff against the gate itself: a bar that was not loosened lets nothing new pass."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.depth import times

import prunegate
from prunegate.errors import InputError
from prunegate.policy.diff import diff, loosened
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow

CHECKS = {
    "recall": ("at_least", "max_drop", "max_gain"),
    "precision": ("at_least", "max_drop"),
    "accuracy": ("at_least", "max_drop", "max_ratio"),
    "false_positive_rate": ("at_most", "max_rise", "max_ratio"),
    "negative_flip_rate": ("at_most",),
}
LIMITS = {
    "at_least": (0.5, 0.8, 0.9),
    "at_most": (0.3, 0.1, 0.05),
    "max_drop": (0.2, 0.1, 0.05, {"relative": 0.1}, {"relative": 0.05}),
    "max_rise": (0.2, 0.1, 0.05, {"relative": 0.5}, {"error_ratio": 0.5}),
    "max_gain": (0.3, 0.1),
    "max_ratio": (3.0, 2.0, 1.5),
}
"""From loose to tight."""
SELECTORS = ("overall", "all", "kind", "season", "hol", "kind=a")
SPECS = (
    {"by": "kind"},
    {"by": "kind", "expect": ["a"]},
    {"by": "season"},
    {"by": "season", "expect": ["h"]},
    {"name": "hol", "where": {"season": "h"}},
)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    metric = draw(st.sampled_from(sorted(CHECKS)))
    check = draw(st.sampled_from(CHECKS[metric]))
    return {
        "metric": metric,
        "slices": draw(st.lists(st.sampled_from(SELECTORS), min_size=1, max_size=2, unique=True)),
        check: draw(st.sampled_from(LIMITS[check])),
        "evidence": draw(st.sampled_from(["point", "proven"])),
        "severity": draw(st.sampled_from(["block", "warn"])),
        "on_undefined": draw(st.sampled_from(["fail", "inconclusive"])),
    }


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    label = lambda spec: spec.get("by") or spec["name"]  # noqa: E731  # one word for a key
    specs = st.lists(st.sampled_from(SPECS), min_size=1, max_size=3, unique_by=label)
    return {
        "prunegate": 1,
        "name": "x",
        "task": {"kind": "binary", "positive": "u"},
        "slices": draw(specs),
        "evidence": {
            "confidence": draw(st.sampled_from([0.6, 0.8, 0.95])),
            "minimum": {"rows": draw(st.sampled_from([1, 20, 60]))},
            "strict": draw(st.booleans()),
        },
        "rules": draw(st.lists(rules(), min_size=1, max_size=2)),
    }


@st.composite
def edited(draw: st.DrawFn, document: dict[str, Any]) -> dict[str, Any]:
    """The document after a few edits, most of which do not loosen it."""
    new = json.loads(json.dumps(document))
    other = draw(documents())
    for _ in range(draw(st.integers(1, 3))):
        rule = draw(st.sampled_from(new["rules"]))
        what = draw(st.sampled_from(["limit", "held", "rule", "slices", "spec", "evidence"]))
        if what == "limit":
            (check,) = set(LIMITS) & set(rule)
            rule[check] = LIMITS[check][-1] if draw(st.booleans()) else LIMITS[check][0]
        elif what == "held":
            rule.update(evidence="proven", severity="block")
        elif what == "rule":
            new["rules"].append(other["rules"][0])
        elif what == "slices":
            rule["slices"] = draw(st.permutations([*rule["slices"], *other["rules"][0]["slices"]]))
            rule["slices"] = list(dict.fromkeys(rule["slices"]))
        elif what == "spec":
            new["slices"] += other["slices"][:1]
        else:
            new["evidence"] = other["evidence"]
    return new


def parsed(document: dict[str, Any]) -> Policy:
    try:
        return parse_policy(json.dumps(document))
    except InputError:
        assume(False)  # an edit that contradicts another
        raise


@st.composite
def counts(draw: st.DrawFn) -> pd.DataFrame:
    """Joint counts in which the two models mostly agree and are right."""
    rows = []
    for kind in draw(st.sampled_from(["a", "ab", "b", "ba"])):
        for season in draw(st.sampled_from(["h", "hp", "p"])):
            for label in (0, 1):
                many, few = st.sampled_from([0, 3, 30, 90, 400]), st.integers(0, 2)
                flags = [(label, label, draw(many)), (label, 1 - label, draw(few))]
                flags += [(1 - label, label, draw(few)), (1 - label, 1 - label, draw(few))]
                rows += [(kind, season, label, a, b, n) for a, b, n in flags if n]
    names = ["kind", "season", "label", "baseline", "candidate", "n"]
    return pd.DataFrame(rows or [("a", "h", 1, 1, 1, 1)], columns=names)


@given(st.data())
@settings(
    max_examples=times(15, thorough=300),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],  # most edits loosen
)
def test_what_is_not_loosened_approves_nothing_new(data: st.DataObject) -> None:
    document = data.draw(documents())
    old, new = parsed(document), parsed(data.draw(edited(document)))
    assume(not loosened(diff(old, new)))
    table = data.draw(counts())
    if prunegate.judge_counts(new, table).outcome == "approve":
        assert prunegate.judge_counts(old, table).outcome == "approve"


RULE = "{metric: accuracy, slices: %s, at_least: 0.5, evidence: point}"
HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: u}\nslices: [{by: kind}]\n"
CORNERS = [
    # no kind has 20 rows: kind alone needs one that can be judged, all does not
    (HEAD + "evidence: {minimum: {rows: 20}}\nrules: [%s]\n", RULE % "kind", RULE % "all", 9),
    (HEAD + "rules: [" + RULE % "all" + "]\nevidence: {minimum: {rows: %s}}\n", "1", "20", 2),
]


@pytest.mark.parametrize(("text", "before", "after", "right"), CORNERS)
def test_corners_in_which_asking_for_more_lets_more_pass(
    text: str, before: str, after: str, right: int
) -> None:
    old, new = parse_policy(text % before), parse_policy(text % after)
    flags = {name: [1, 0, 1, 0] for name in ("label", "baseline", "candidate")}
    table = pd.DataFrame({"kind": ["a", "a", "b", "b"], **flags, "n": [9, 9, right, 9]})
    if right == 2:  # kind b is mostly wrong, and too small to be judged by the new policy
        table["candidate"] = [1, 0, 1, 1]
    assert prunegate.judge_counts(old, table).outcome != "approve"
    assert prunegate.judge_counts(new, table).outcome == "approve"
    assert loosened(diff(old, new))


@given(documents())
@settings(max_examples=times(12, thorough=60))
def test_a_policy_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    policy = parsed(document)
    assert diff(policy, policy) == ()
    document["rules"].reverse()
    document["slices"].reverse()
    assert diff(policy, parsed(document)) == ()


@given(st.data())
@settings(max_examples=times(15, thorough=60))
def test_the_way_back_is_the_mirror_image(data: st.DataObject) -> None:
    document = data.draw(documents())
    near = data.draw(st.booleans())
    other = data.draw(edited(document) if near else documents())
    there, back = diff(parsed(document), parsed(other)), diff(parsed(other), parsed(document))

    def about(change: Any) -> Any:
        limit = change.about
        return limit and (limit.metric, limit.check, sorted(limit.slices))

    def key(change: Any, *, mirrored: bool) -> tuple[str, ...]:
        ends = (change.new, change.old) if mirrored else (change.old, change.new)
        return tuple(map(repr, (change.where, *ends)))

    assert sorted(key(c, mirrored=True) for c in there) == sorted(
        key(c, mirrored=False) for c in back
    )
    mirror = {"tightened": "loosened", "loosened": "tightened", "neutral": "neutral"}
    untold = {(c.where, repr(about(c))) for c in (*there, *back) if not c.told}
    forth = [
        (mirror[c.kind], *key(c, mirrored=True))
        for c in there
        if (c.where, repr(about(c))) not in untold
    ]
    came = [
        (c.kind, *key(c, mirrored=False)) for c in back if (c.where, repr(about(c))) not in untold
    ]
    assert sorted(forth) == sorted(came)


ONE_SIDE = [("recall", check) for check in ("at_least", "max_drop", "max_gain")]
OTHER_SIDE = [("false_positive_rate", check) for check in ("at_most", "max_rise", "max_ratio")]


@pytest.mark.parametrize(("metric", "check"), ONE_SIDE + OTHER_SIDE)
def test_the_looser_of_two_limits_approves_more_tables(metric: str, check: str) -> None:
    """On tables that differ in how many rows of one class the candidate lost or gained."""
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: u}\nrules: "
    rule = f"[{{metric: {metric}, {check}: %s, evidence: point}}]\n"
    loose, *_, tight = [v for v in LIMITS[check] if isinstance(v, float)]
    old, new = parse_policy(head + rule % loose), parse_policy(head + rule % tight)

    def approved(policy: Policy) -> set[tuple[int, int]]:
        return {
            (lost, gained)
            for lost in range(0, 60, times(8, thorough=4))
            for gained in (0, 10, 25)
            if prunegate.judge_counts(policy, flipped(lost, gained)).outcome == "approve"
        }

    def flipped(lost: int, gained: int) -> pd.DataFrame:
        one = 1 if metric == "recall" else 0
        cells = [(one, one, one, 100 - lost - gained), (one, one, 1 - one, lost)]
        cells += [(one, 1 - one, one, gained), (one, 1 - one, 1 - one, 15)]
        cells += [(1 - one, 1 - one, 1 - one, 100)]
        table = pd.DataFrame(cells, columns=["label", "baseline", "candidate", "n"])
        return table[table["n"] > 0]

    assert approved(new) < approved(old)
    assert not loosened(diff(old, new))
    assert loosened(diff(new, old))
