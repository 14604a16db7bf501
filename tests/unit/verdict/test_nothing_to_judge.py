"""What is not there is never a pass and says what it is; and how sure a reference has to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.unit.verdict.test_partial_reference import drawn, overall, policy

import prunegate
from prunegate.evidence.reference_sample import samples_to_show, seen_samples, seen_shares
from prunegate.policy.load import parse_policy
from prunegate.verdict import sentences
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, ReferenceDoubt
from prunegate.verdict.reference_sentences import doubt_sentence

BEATS = BEATS_CONSTANT
HEAD = "prunegate: 1\nname: x\ntask: {kind: %s}\n%srules: [%s]\n"


def empty(finding: Finding) -> bool:
    """No figure of any kind, and no rows that one would be of."""
    figures = (finding.baseline, finding.candidate, finding.difference, finding.ci_low)
    shown = (*figures, finding.ci_high, finding.p_value, finding.p_harm)
    return finding.n == 0 and set(shown) == {None} and finding.method_kind == "none"


@pytest.mark.parametrize("on_undefined", ["fail", "inconclusive"])
def test_a_class_that_no_slice_has_is_a_finding_of_its_own(on_undefined: str) -> None:
    label = ["a", "b"] * 60
    rows = pd.DataFrame({"id": range(120), "k": "x", "label": label, "baseline": label})
    rows = rows.assign(candidate=label)
    rule = "metric: recall, slices: k, classes: [a, none], max_drop: 0.1"
    more = "slices: [{by: k}]\n"
    rule = f"{{{rule}, on_undefined: {on_undefined}}}"
    policy = parse_policy(HEAD % ("multiclass", more, rule))
    found = {f.class_label: f for f in prunegate.judge(policy, rows).findings if f.check != BEATS}
    assert set(found) == {"a", "none"}
    assert not empty(found["a"])
    assert empty(found["none"])
    assert found["none"].status == on_undefined
    assert found["none"].open_because == "nothing to judge"
    assert found["none"].note == "nothing to judge: no slice of 'k' has a row of this class"


def test_a_slice_below_the_minimum_is_told_by_its_selector() -> None:
    rows = pd.DataFrame({"id": range(40), "label": [1, 0] * 20, "k": ["a"] * 38 + ["b"] * 2})
    rows = rows.assign(baseline=rows["label"], candidate=rows["label"])
    more = "slices: [{by: k}]\nevidence: {minimum: {rows: 50}}\n"
    rule = "{metric: recall, slices: k, max_drop: 0.1}"
    policy = parse_policy(HEAD % ("binary, positive: 1, threshold: 0.5", more, rule))
    (finding,) = (f for f in prunegate.judge(policy, rows).findings if f.check != BEATS)
    assert empty(finding)
    assert finding.note == "nothing to judge: no slice of 'k' reaches the minimum evidence"
    assert (finding.status, finding.class_label) == ("inconclusive", None)


def test_a_reference_is_shown_at_a_tenth_of_the_level() -> None:
    label = np.arange(60) % 2
    says = np.where(np.arange(60) % 5 == 0, 1 - label, label)
    rows = pd.DataFrame({"id": range(60), "label": label, "baseline": says, "candidate": says})
    binary = "binary, positive: 1"

    def reference(alpha: float) -> Finding:
        more = f"evidence: {{confidence: {1 - alpha!r}}}\n"
        policy = parse_policy(HEAD % (binary, more, "{metric: accuracy, max_drop: 0.9}"))
        (found,) = (f for f in prunegate.judge(policy, rows).findings if f.check == BEATS)
        return found

    p_value = reference(0.05).p_value
    assert p_value is not None
    assert reference(10.2 * p_value).status == "pass"
    assert reference(9.8 * p_value).status == "inconclusive"


def test_labels_looked_at_are_told_with_those_that_nobody_could_give() -> None:
    part = drawn((400, 6, 9, 30, 8, 7, 9, 160), 40, 40)
    assert sentences.looked_at(part).startswith(f"Labels of {part.labelled:,} of {part.rows:,}")
    assert "could not be labelled" not in sentences.looked_at(part)
    for rows, told in ((1, "1 row was looked at"), (2, "2 rows were looked at")):
        unsure = replace(part, unsure=(rows, 0, 0, 0))
        assert unsure.doubted == rows
        assert f"{told} and could not be labelled" in sentences.looked_at(unsure)


def test_a_list_lacks_what_would_show_the_reference_less_what_it_has() -> None:
    part = drawn((400, 6, 9, 30, 8, 7, 9, 160), 8, 8)
    findings = decide(policy(), [overall(part)]).findings
    (finding,) = (f for f in findings if f.check == BEATS)
    held = seen_samples(part)
    wanted = samples_to_show(part, seen_shares(part), held, policy().evidence.alpha / 10)
    assert finding.open_because == "not shown"
    assert wanted is not None
    lacks = (wanted.neither - held.neither, wanted.both - held.both)
    assert finding.needed == sum(lacks)
    assert all(f"{rows:,}" in finding.note for rows in lacks if rows)


@pytest.mark.parametrize(
    ("minimum", "needed", "unit"),
    [("{rows: 10, positives: 100}", 60, "positives"), ("{rows: 300, positives: 40}", 220, "rows")],
)
def test_a_reference_below_the_minimum_lacks_the_rest_of_it(
    minimum: str, needed: int, unit: str
) -> None:
    rows = pd.DataFrame({"id": range(80), "label": [1, 0] * 40})
    rows = rows.assign(baseline=rows["label"], candidate=rows["label"])
    more = f"evidence: {{minimum: {minimum}}}\n"
    policy = parse_policy(HEAD % ("binary, positive: 1", more, "{metric: accuracy, max_drop: 0.1}"))
    (found,) = (f for f in prunegate.judge(policy, rows).findings if f.check == BEATS)
    assert found.open_because == "minimum evidence"
    assert (found.needed, found.needed_unit, found.needed_for) == (needed, unit, "minimum evidence")


@pytest.mark.parametrize("names", range(1, 9))
def test_classes_that_stand_for_others_are_named_and_the_rest_counted(names: int) -> None:
    pairs = tuple((f"a{i}", f"b{i}") for i in range(names))
    doubt = ReferenceDoubt(
        kind="permuted", slice="overall", model="baseline", rows=90, right=0.1, right_if=0.9,
        names=pairs,
    )  # fmt: skip
    told = doubt_sentence(doubt)
    shown = [f"{a} for {b}" in told for a, b in pairs]
    rest = shown.count(False)
    assert shown == [True] * (names - rest) + [False] * rest
    assert (f" and {rest} more" in told) == (rest > 0)


def test_a_rule_that_only_warns_makes_no_blocking_harm_less_sure() -> None:
    """Each severity is a family of its own for the correction."""
    label = np.arange(600) % 2
    worse = np.where(np.arange(600) % 11 == 0, 0, label)
    rows = pd.DataFrame({"id": range(600), "label": label, "baseline": label, "candidate": worse})
    blocking = "{metric: recall, max_drop: 0.07}, {metric: accuracy, max_drop: 0.03}"
    warning = "{metric: f1, max_drop: 0.01, severity: warn}"
    warning += ", {metric: churn, at_most: 0.04, severity: warn}"
    judged = []
    for rules in (blocking, f"{blocking}, {warning}", f"{warning}, {blocking}"):
        policy = parse_policy(HEAD % ("binary, positive: 1", "", rules))
        findings = prunegate.judge(policy, rows).findings
        judged.append([f for f in findings if f.severity == "block" and f.check != BEATS])
    alone, *beside = ([(f.metric, f.status, f.p_harm_adjusted) for f in one] for one in judged)
    assert any(f.p_harm_adjusted > f.p_harm for f in judged[0])
    assert all(one == alone for one in beside)


@pytest.mark.parametrize(
    ("where", "told"),
    [("overall", "holds, on 1 slice."), ("k", "hold on 2 slices."), ("all", "hold on 3 slices.")],
)
def test_an_approval_counts_its_slices(where: str, told: str) -> None:
    label = np.arange(800) % 2
    rows = pd.DataFrame({"id": range(800), "k": np.where(np.arange(800) < 400, "a", "b")})
    rows = rows.assign(label=label, baseline=label, candidate=label)
    rule = f"{{metric: accuracy, slices: {where}, max_drop: 0.1}}"
    policy = parse_policy(HEAD % ("binary, positive: 1", "slices: [{by: k}]\n", rule))
    (reason,) = prunegate.judge(policy, rows).reasons
    assert reason.endswith(f" {told}")
