"""The ``approvals`` section: what it may say, and how it is explained."""

from __future__ import annotations

import pytest

from prunegate.errors import PolicyError
from prunegate.policy.diff import diff
from prunegate.policy.explain import explain_policy
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy

HEAD = """\
prunegate: 1
name: p
task: {kind: binary, positive: unsafe, threshold: 0.5}
rules: [{metric: recall, max_drop: 0.02}]
"""


def policy(approvals: str = "") -> Policy:
    return parse_policy(HEAD + (f"approvals: {approvals}\n" if approvals else ""))


def test_the_contracts_example_is_read_and_explained() -> None:
    found = policy(
        "{required: [{role: client, count: 1}, {role: owner, count: 2}], "
        "distinct: [key, person, organisation], max_age_days: 30}"
    )
    assert found.approvals is not None
    assert found.approvals.total == 3
    told = " ".join(explain_policy(found))
    assert "it takes 1 approval as client and 2 approvals as owner, from different keys" in told
    assert "keys, people and organisations." in told
    assert "An approval counts for 30 days" in told


@pytest.mark.parametrize("attested", ["count", "refuse"])
def test_whether_an_attested_approval_counts_is_explained(attested: str) -> None:
    found = policy(f"{{required: [{{role: client}}], distinct: [person], attested: {attested}}}")
    told = "An approval that only the agency attests counts as well."
    assert (told in explain_policy(found)) == (attested == "count")


def test_what_is_left_out_is_the_stricter() -> None:
    found = policy("{required: [{role: client}]}").approvals
    assert found is not None
    assert (found.distinct, found.attested, found.total) == (("key", "person"), "refuse", 1)


@pytest.mark.parametrize(
    ("approvals", "told"),
    [
        ("{required: []}", "5: approvals.required: got"),
        ("{}", "approvals.required"),
        ("{required: [{role: client, count: 0}]}", "a whole number from 1 to 9"),
        ("{required: [{role: client, count: true}]}", "a whole number from 1 to 9"),
        ("{required: [{role: a b}]}", "the name of a role"),
        ("{required: [{role: client}, {role: client}]}", "names a role twice"),
        ("{required: [{role: gate}]}", "which never sign"),
        ("{required: [{role: a, count: 9}, {role: b}]}", "more than 9 approvals"),
        ("{required: [{role: a}], distinct: [keys]}", "key, person, organisation"),
        ("{required: [{role: a}], distinct: [key, key]}", "the same thing twice"),
        ("{required: [{role: a}], max_age_days: 0}", "a whole number of days"),
        ("{required: [{role: a}], max_age: 3}", "unknown key 'max_age'"),
        ("{required: [{role: a}], attested: count}", "attested approvals have no key"),
        ("{required: [{role: a}], distinct: [person], attested: yes}", "one of refuse, count"),
    ],
)
def test_mistakes_have_their_line(approvals: str, told: str) -> None:
    with pytest.raises(PolicyError) as raised:
        policy(approvals)
    assert told in str(raised.value)
    assert "policy.yaml:5" in str(raised.value) or "5: " in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("", "{required: [{role: a}]}", "tightened"),
        ("{required: [{role: a}]}", "", "loosened"),
        ("{required: [{role: a, count: 2}]}", "{required: [{role: a}]}", "loosened"),
        ("{required: [{role: a}]}", "{required: [{role: a, count: 2}]}", "tightened"),
        ("{required: [{role: a}]}", "{required: [{role: a}, {role: b}]}", "tightened"),
        ("{required: [{role: a}, {role: b}]}", "{required: [{role: a}]}", "loosened"),
        ("{required: [{role: a}]}", "{required: [{role: b}]}", "loosened"),
        ("{required: [{role: a}]}", "{required: [{role: a}], max_age_days: 9}", "tightened"),
        (
            "{required: [{role: a}], max_age_days: 8}",
            "{required: [{role: a}], max_age_days: 9}",
            "loosened",
        ),
        ("{required: [{role: a}], distinct: [key]}", "{required: [{role: a}]}", "loosened"),
    ],
)
def test_fewer_words_asked_for_is_a_loosening(old: str, new: str, kind: str) -> None:
    (change,) = diff(policy(old), policy(new))
    assert change.kind == kind
