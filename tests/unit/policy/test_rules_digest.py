"""The rules' digest: what decides has a name of its own, and what does not has no part in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from prunegate.policy.load import load_policy, parse_policy
from prunegate.policy.rules_digest import DECIDES_NOTHING, rules_digest
from prunegate.policy.schema import Policy

BASE = """\
prunegate: 1
name: one
task: {kind: binary, positive: unsafe, threshold: 0.5}
slices: [{by: kind, expect: [video, display]}, {by: region}]
evidence: {confidence: 0.95, minimum: {rows: 300}}
rules:
  - {metric: recall, slices: [kind, overall], max_drop: 0.02}
  - {metric: precision, at_least: 0.9}
"""
OTHER_WORDS = """\
# a comment
purpose: something else
name: two
owner: somebody
prunegate: 1
rules:
  - {at_least: 0.9, slices: [overall], metric: precision, severity: block}
  - {metric: recall, slices: [overall, kind], max_drop: 0.02, evidence: proven}
evidence: {minimum: {rows: 300, positives: 1}, confidence: 0.95, reuse: strict}
task: {threshold: 0.5, positive: unsafe, kind: binary}
slices: [{by: region}, {by: [kind], expect: [display, video]}]
data: {table: x.csv, columns: {id: image}}
revalidate: {after_days: 90}
"""


SEALED = {
    "brand-safety-vit": "8375c7faa3037db59bcce63b3513b4d3b19758056185ae668516bdd0c28f96bd",
    "copy-generation-lm": "a0401cc1427223340fa421b61456a6f8efa17def0a9497458892776ab5c5b095",
    "creative-quality-score": "83b47c76064429ce0703e8869a9b3823de92e0905ec813fe03558a161c59cc20",
    "demo-display-only": "e1db7bbb8a40c76fa8eb1d4141a9ffc3c2264a7bd3ad7442a3f8d81594b54caf",
    "edge-creative-classes": "c11e6c5d10ea50ddeb22f137d4fed9bf8fc222fc4287b44ad4ded9c4bc50daf8",
}
"""Of policies in ``policies/``, as an earlier build sealed them."""


@pytest.mark.parametrize("name", SEALED)
def test_a_bar_that_was_sealed_stays_the_same_bar(name: str) -> None:
    """A key that the policy language has since does not rename rules that say nothing of it."""
    policies = Path(__file__).parents[3] / "policies"
    told = "a new key stands in _LATER of policy/rules_digest.py, or in DECIDES_NOTHING"
    assert rules_digest(load_policy(policies / f"{name}.yaml")) == SEALED[name], told


def test_the_threshold_that_a_run_found_decides_nothing_by_itself() -> None:
    own = "threshold: {baseline: 0.5, candidate: tuned}"
    policy = parse_policy(BASE.replace("threshold: 0.5", own))
    found = policy.task.threshold.model_copy(update={"found": 0.4})  # type: ignore[union-attr]
    task = policy.task.model_copy(update={"threshold": found})
    assert rules_digest(policy.model_copy(update={"task": task})) == rules_digest(policy)
    assert rules_digest(policy) != rules_digest(parse_policy(BASE))


def test_words_order_and_defaults_do_not_matter() -> None:
    other = OTHER_WORDS.replace("[kind], expect", "kind, expect")
    assert rules_digest(parse_policy(BASE)) == rules_digest(parse_policy(other))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max_drop: 0.02", "max_drop: 0.03"),
        ("max_drop: 0.02", "max_drop: {relative: 0.02}"),
        ("at_least: 0.9", "at_least: 0.9, severity: warn"),
        ("at_least: 0.9", "at_least: 0.9, evidence: point"),
        ("confidence: 0.95", "confidence: 0.9"),
        ("{rows: 300}", "{rows: 200}"),
        ("threshold: 0.5", "threshold: 0.4"),
        ("positive: unsafe", "positive: safe"),
        (", {by: region}", ""),
        ("[video, display]", "[video]"),
        ("rules:", "group: post\nrules:"),
        ("[kind, overall]", "overall"),
        ("evidence: {", "evidence: {strict: true, "),
    ],
)
def test_whatever_decides_matters(old: str, new: str) -> None:
    assert old in BASE
    changed = parse_policy(BASE.replace(old, new, 1))
    assert rules_digest(parse_policy(BASE)) != rules_digest(changed)


def test_every_key_that_is_there_is_sorted_into_one_of_the_two() -> None:
    deciding = {
        "task",
        "slices",
        "group",
        "weight",
        "evidence",
        "rules",
        "cost",
        "claims",
        "generate",
        "quality",
    }
    assert set(Policy.model_fields) - DECIDES_NOTHING == deciding
