"""A reference that knows something, where labels of some rows only are known.

Laws: agreement beyond chance grows with every row that is decided as labelled; labels can only be
worse than every row labelled would be, but for the chance that is paid for; whole, they are equal.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.depth import times

from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.counting.partial_counts import PartialCounts
from prunegate.counting.slices import SliceCounts
from prunegate.counting.tallies import JointCounts
from prunegate.errors import InternalError
from prunegate.evidence.partial_agreement import (
    by_label,
    least_agreement,
    least_cells,
    most_cells,
)
from prunegate.evidence.reference_sample import AgreedSamples, good_shares, samples_to_show
from prunegate.policy.schema import Policy
from prunegate.policy.validation import validate_values
from prunegate.stats.agreement import agreement
from prunegate.verdict.decide import decide
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, Verdict
from prunegate.verdict.reference import agreement_of

LEVEL = 0.005
GOOD = (620, 6, 6, 30, 60, 6, 6, 266)
"""All labels of 1,000 rows: recall .91, precision .89."""
COIN = (350, 6, 6, 148, 340, 6, 6, 138)
REVERSED = (40, 6, 6, 450, 450, 6, 6, 36)
COUNTS = st.integers(min_value=0, max_value=60)
TABLES = st.tuples(*[COUNTS] * 8)


def drawn(full: tuple[int, ...], both: int, neither: int, seed: int = 1) -> PartialCounts:
    """Labels of the rows that differ, and of random samples of the others."""
    random = np.random.default_rng(seed)
    decided = tuple(full[d] + full[4 + d] for d in range(4))
    cells, samples = [n if cell & 3 in (1, 2) else 0 for cell, n in enumerate(full)], {}
    for name, decision, size in (("neither", 0, neither), ("both", 3, both)):
        own = [0] * 8
        found = int(random.hypergeometric(full[4 + decision], full[decision], size))
        own[4 + decision], own[decision] = found, size - found
        cells[4 + decision], cells[decision] = own[4 + decision], own[decision]
        if size:
            samples[name] = tuple(own)
    return PartialCounts(decided=decided, cells=tuple(cells), samples=samples)


def policy(**more: object) -> Policy:
    found, mistakes = validate_values(
        {
            "prunegate": 1,
            "name": "case",
            "task": {"kind": "binary", "positive": "unsafe", "threshold": 0.5},
            "rules": [{"metric": "accuracy", "max_drop": 0.05}],
            **more,
        }
    )
    assert found is not None, mistakes
    return found


def overall(tally: PartialCounts | JointCounts) -> SliceCounts:
    return SliceCounts(name="overall", slicing="overall", declared=True, tally=tally)


def judged(tally: PartialCounts | JointCounts, **more: object) -> tuple[Verdict, Finding]:
    """The verdict, which the second opinion shares, and its finding on the reference."""
    verdict = decide(policy(**more), [overall(tally)])
    second_opinion(policy(**more), verdict)
    (finding,) = (f for f in verdict.findings if f.check == BEATS_CONSTANT)
    return verdict, finding


@pytest.mark.parametrize("metric", ["recall", "specificity", "accuracy", "f1", "mcc"])
def test_without_labels_of_what_it_needs_a_metric_has_no_value(metric):
    tally = PartialCounts(decided=(409, 13, 18, 190), cells=(0, 6, 9, 0, 0, 7, 9, 0))
    verdict = decide(policy(rules=[{"metric": metric, "at_least": 0.1}]), [overall(tally)])
    finding = verdict.findings[0]
    assert (finding.status, finding.open_because) == ("inconclusive", "undefined")
    assert finding.note.endswith(
        "rows of the slice that it needs have no label, or nobody could tell theirs; where they "
        "were marked unsure, let somebody else label them"
    )
    assert (finding.baseline, finding.candidate, finding.p_value) == (None, None, None)


@settings(max_examples=150, deadline=None)
@given(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS))
def test_agreement_grows_with_every_row_that_is_right(table):
    """Barnard's convexity: what the worst table rests on."""
    right_no, alarms, missed, right_yes = table
    assume(alarms and missed)
    names = [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]
    before = agreement(dict(zip(names, table, strict=True)))
    for better in (
        (right_no, alarms - 1, missed, right_yes + 1),
        (right_no + 1, alarms, missed - 1, right_yes),
    ):
        after = agreement(dict(zip(names, better, strict=True)))
        assert after.p_value <= before.p_value * (1 + 1e-9)
        if min(sum(better[:2]), sum(better[2:])):  # kappa of one class is set to 0
            assert after.kappa >= before.kappa - 1e-12


@settings(max_examples=60, deadline=None)
@given(TABLES, st.integers(0, 30), st.integers(0, 30), st.integers(0, 5))
def test_the_worst_is_no_better_than_the_truth_unless_a_sample_lied(full, both, neither, seed):
    assume(sum(full))
    tally = drawn(full, min(both, full[3] + full[7]), min(neither, full[0] + full[4]), seed)
    for model in ("baseline", "candidate"):
        cells, chance = least_cells(tally, model, LEVEL)
        assert [cells[d] + cells[4 + d] for d in range(4)] == list(tally.decided)
        if cells[7] <= full[7] and cells[0] <= full[0]:
            truth, least = agreement(by_label(full, model)), least_agreement(tally, model, LEVEL)
            assert least.p_value >= min(1.0, truth.p_value * (1 - 1e-9) + chance)
            most = most_cells(tally, model, LEVEL)
            assert most[7] >= cells[7]
            assert most[0] >= cells[0]


@settings(max_examples=40, deadline=None)
@given(TABLES)
def test_every_row_labelled_is_the_full_test(full):
    assume(sum(full))
    tally = drawn(full, full[3] + full[7], full[0] + full[4])
    for model in ("baseline", "candidate"):
        whole = agreement_of(overall(JointCounts(cells=full)), model)
        assert agreement_of(overall(tally), model) == whole
    assert tally.single_label == JointCounts(cells=full).one_class
    known = replace(tally, samples={})  # labels that were there before any list
    assert least_agreement(known, "baseline", LEVEL) == least_agreement(tally, "baseline", LEVEL)


def test_a_sample_of_all_rows_holds_samples_of_both_kinds():
    tally = drawn(GOOD, 60, 60)
    mixed = [max(pair) for pair in zip(*tally.samples.values(), strict=True)]
    at_random = replace(tally, samples={"random": tuple(mixed)})
    assert least_cells(at_random, "baseline", LEVEL) == least_cells(tally, "baseline", LEVEL)


def test_a_good_baseline_passes_on_the_list_that_is_planned():
    tally = drawn(GOOD, 0, 0)
    sizes = samples_to_show(
        tally, good_shares(tally.decided), AgreedSamples(neither=0, both=0), LEVEL
    )
    assert sizes is not None
    assert sizes.total <= 100
    lists = [overall(drawn(GOOD, sizes.both, sizes.neither, seed)) for seed in range(20)]
    assert sum(decide(policy(), [one]).outcome == "approve" for one in lists) >= 18


@pytest.mark.parametrize("full", [COIN, REVERSED])
@pytest.mark.parametrize("size", [0, 40, 150])
def test_what_knows_nothing_is_never_approved(full, size):
    for seed in range(times(2, thorough=8) if size else 1):  # nothing drawn is drawn alike
        verdict, finding = judged(drawn(full, size, size, seed))
        assert verdict.outcome == "inconclusive"
        assert (finding.status, finding.open_because) == ("inconclusive", "not shown")
        kinds = [doubt.kind for doubt in verdict.doubts if doubt.model == "baseline"]
        assert kinds == (["reversed"] if full == REVERSED and size else [])
        for doubt in (one for one in verdict.doubts if one.kind == "reversed"):
            right = full[0b000] + full[0b001] + full[0b110] + full[0b111]
            assert doubt.bounded
            assert doubt.right >= right / 1000
            assert doubt.right_if <= 1 - right / 1000
            assert any(f"at most {100 * doubt.right:.1f} %" in told for told in verdict.warnings)


def test_one_decision_holds_an_approve_back():
    rules = [{"metric": "accuracy", "max_drop": 0.9}]
    never = (650, 0, 36, 0, 60, 0, 278, 0)  # the candidate flags nothing
    verdict, finding = judged(drawn(never, 0, 80), rules=rules)
    assert (verdict.outcome, finding.open_because) == ("inconclusive", "one decision")
    assert [(doubt.kind, doubt.model) for doubt in verdict.doubts] == [
        ("one decision", "candidate")
    ]


def test_a_list_without_random_rows_is_told_how_many_it_lacks():
    verdict, finding = judged(drawn(GOOD, 20, 0))
    assert verdict.outcome == "inconclusive"
    assert finding.needed
    assert (finding.needed_unit, finding.needed_for) == ("rows", "power")
    assert "more random rows that neither flags" in str(finding.note)
    assert "prunegate label --reference" in str(finding.note)
    size = int(str(finding.note).rsplit(" ", 1)[1].rstrip("')"))
    assert judged(drawn(GOOD, size, size))[0].outcome == "approve"
    assert judged(drawn(COIN, 150, 150))[1].needed is None  # more of the same would not show it


def test_labels_that_nobody_saw_may_be_of_another_class():
    """A list on which no label is positive does not make a slice one of negatives."""
    tally = PartialCounts(decided=(650, 6, 6, 338), cells=(0, 6, 6, 0, 0, 0, 0, 0))
    verdict, finding = judged(tally)
    assert finding.status == verdict.outcome == "inconclusive"
    rest = tuple(f for f in verdict.findings if f is not finding)
    with pytest.raises(InternalError, match="disagrees"):
        second_opinion(policy(), replace(verdict, findings=rest, outcome="approve"))


def test_a_smaller_alpha_spends_less_on_the_samples():
    tally = drawn(GOOD, 200, 200)
    for confidence in (0.95, 0.995, 0.9995):
        _, finding = judged(tally, evidence={"confidence": confidence})
        assert finding.status == "pass"
        assert finding.p_value is not None
        assert finding.p_value < (1 - confidence) / 10


def test_where_estimates_decide_the_worst_has_to_be_fair():
    rules = [{"metric": "accuracy", "max_drop": 0.05, "evidence": "point"}]
    assert judged(drawn(GOOD, 100, 100), rules=rules)[1].status == "pass"
    assert judged(drawn(COIN, 100, 100), rules=rules)[1].status == "inconclusive"
