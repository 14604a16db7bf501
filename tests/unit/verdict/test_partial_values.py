"""What findings say of their values, and which labels they ask for, where some rows have none."""

from __future__ import annotations

import math

import pytest

from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.partial_labels import RANDOM, PartialLabels
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts, Tally
from prunegate.policy.load import parse_policy
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import Finding

DECIDED = (9000, 100, 100, 800)
SAMPLE = (430, 2, 3, 6, 12, 3, 2, 42)
"""500 random rows."""


def of(rule: str, tally: Tally, looks: int = 1, more: str = "") -> Finding:
    policy = parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
        f"evidence: {{reference: off, looks: {looks}{more}}}\nrules: [{rule}]\n"
    )
    one = SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)
    (finding,) = decide(policy, [one]).findings
    return finding


def sampled() -> PartialCounts:
    return PartialCounts(decided=DECIDED, cells=SAMPLE, samples={"random": SAMPLE})


@pytest.mark.parametrize(
    "rule",
    [
        "{metric: f1, at_least: 0.76}",
        "{metric: f1, max_drop: 0.01}",
        "{metric: mcc, max_drop: 0.01}",
        "{metric: recall, at_least: 0.7}",
        "{metric: accuracy, at_least: 0.95}",
    ],
)
def test_what_rests_on_random_rows_is_an_estimate_and_asks_for_more_of_them(rule: str) -> None:
    """As many as the same labels would ask for if they were all rows that there are."""
    partial, alone = of(rule, sampled()), of(rule, JointCounts(cells=SAMPLE))
    assert partial.values_are == "about"
    assert partial.estimated_from == {"recall": 59, "f1": 70}.get(partial.metric, 500)
    assert alone.values_are is None
    assert partial.p_value == alone.p_value
    assert partial.status == alone.status == "inconclusive"
    assert partial.open_because == "some labels"
    assert partial.needed_unit == "rows"
    assert partial.needed is not None
    assert alone.needed is not None
    positives = alone.needed_unit == "positives"
    assert partial.needed == (math.ceil(alone.needed * 500 / 59) if positives else alone.needed)
    assert "in the random sample of 500 rows" in partial.note
    lacking = partial.needed > 9500
    assert ("rows are lacking, labelled or not" in partial.note) == lacking
    assert ("prunegate label --random N" in partial.note) != lacking


def test_a_relative_drop_of_recall_is_told_at_most_and_asks_for_further_rows() -> None:
    """Positives that neither model flags bear on no ratio: their labels are not asked for."""
    flagged = (0, 50, 30, 160, 0, 50, 70, 640)
    rule = "{metric: recall, max_drop: {relative: 0.02}}"
    finding = of(rule, PartialCounts(decided=DECIDED, cells=flagged))
    assert finding.values_are == "at_most"
    assert finding.open_because == "not shown"
    assert finding.needed is not None


def test_positives_that_the_minimum_lacks_may_be_among_rows_without_a_label() -> None:
    rule, lacks = "{metric: recall, max_drop: 0.02}", ", minimum: {positives: 1000}"
    cells = (0, 40, 45, 10, 0, 60, 55, 40)
    finding = of(rule, PartialCounts(decided=DECIDED, cells=cells), more=lacks)
    assert finding.open_because == "minimum evidence"
    assert "there may be such among the 9,750 rows without a label" in finding.note
    whole = of(rule, JointCounts(cells=cells), more=lacks)
    assert "without a label" not in whole.note


@pytest.mark.parametrize("looks", [1, 3])
@pytest.mark.parametrize("reuse", ["ledger", "none"])
@pytest.mark.parametrize(("lost", "enough"), [(52, True), (85, False)])
def test_of_rows_decided_alike_those_that_nobody_labelled_are_asked_for(
    looks: int, reuse: str, lost: int, enough: bool
) -> None:
    """Where they would show it if they are like those seen; else further rows are."""
    sample = (0, 0, 0, 2, 0, 0, 0, 8)
    cells = (0, 50, 100 - lost, 2, 0, 50, lost, 8)
    rule, more = "{metric: recall, max_drop: 0.034}", f", reuse: {reuse}"
    tally = PartialCounts(decided=DECIDED, cells=cells, samples={"both": sample})
    finding = of(rule, tally, looks, more)
    said = "label more of the 790 rows that both models decide so and nobody labelled"
    assert (finding.open_because == "some labels") == enough
    assert (said in finding.note.split("; ")[-1]) == enough
    assert ("--more" in finding.note) == (enough and looks > 1)
    anew = enough and looks == 1
    assert ("--power" in finding.note) == anew
    assert ("a further attempt at a smaller level" in finding.note) == (anew and reuse == "ledger")
    assert ("labels of the 790 rows" in finding.note) == (finding.needed is not None) != enough
    whole = (0, 50, 100 - lost, 160, 0, 50, lost, 640)
    labelled = PartialCounts(decided=DECIDED, cells=whole, samples={"both": whole})
    full = of(rule, labelled, looks, more)
    assert enough or full.needed == finding.needed
    assert tally.agreed_as_seen(1) == labelled


@pytest.mark.parametrize("looks", [1, 3])
def test_an_average_over_classes_asks_for_a_larger_random_sample(looks: int) -> None:
    """Rows of three classes, of which some that were drawn at random have their labels."""
    pairs = {(a, b): 9000 if a == b else 10 for a in "uvw" for b in "uvw"}
    cells = {(name, name, name): 40 for name in "uvw"} | {("u", "v", "u"): 3, ("v", "v", "u"): 2}
    tally = PartialLabels(decided=pairs, cells=cells, samples={RANDOM: cells})
    policy = parse_policy(
        "prunegate: 1\nname: x\ntask: {kind: multiclass}\n"
        f"evidence: {{reference: off, looks: {looks}, minimum: {{rows: 1, positives: 1}}}}\n"
        "rules: [{metric: precision, classes: macro, max_drop: 0.001}]\n"
    )
    one = SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)
    (found,) = decide(policy, [one]).findings
    assert found.status == "inconclusive"
    assert "in the random sample of 125 rows" in found.note
    assert ("the next round is drawn by" in found.note) == (looks > 1)
