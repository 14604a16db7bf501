"""Precision at a fixed recall: scikit-learn's on the filtered rows, and never shown for nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from tests.rules import of_rules
from tests.unit.counting import kinds

import prunegate
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.read import kept_form
from prunegate.audit.recompute import differences
from prunegate.counting.count import count_table, open_predictions
from prunegate.evidence.fixed_rate_recall import FixedRateRecall
from prunegate.evidence.fixed_recall_precision import FixedRecallPrecision
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.gate import gate
from prunegate.metrics.hypothesis import Difference, Level, SuccessRatio
from prunegate.policy.explain import explain_policy
from prunegate.policy.load import parse_policy, read_policy
from prunegate.stats.fixed_recall import AtRecall, surely_broken, surely_kept

pytestmark = pytest.mark.slow

HEAD = "prunegate: 1\nname: x\ntask: {kind: binary, positive: unsafe, threshold: 0.5}\n"


def rule_of(recall: float, limit: str) -> str:
    return f"{{metric: precision_at_recall, at: {recall}, slices: all, {limit}}}"


def precision_at(truth: Any, score: Any, recall: float) -> float:
    """At the highest threshold that flags as many positives."""
    precisions, recalls, _ = sk.precision_recall_curve(truth, score)
    return float(precisions[np.flatnonzero(recalls[:-1] >= recall)[-1]])


def evidence_at(data: pd.DataFrame, recall: float) -> FixedRecallPrecision:
    policy = kinds.policy("binary", [rule_of(recall, "max_drop: 0.05")], slices="")
    tally = count_table(policy, open_predictions(policy, data)).slices[0].tally
    found = evidence(WantedMetric(metric="precision_at_recall", at=recall), tally)
    assert isinstance(found, FixedRecallPrecision)
    return found


def alike(positives: int, negatives: int, seed: int = 2) -> pd.DataFrame:
    """Rows that the baseline tells apart well."""
    random = np.random.default_rng(seed)
    positive = np.repeat([True, False], (positives, negatives))
    score = 1 / (1 + np.exp(-random.normal(3.5 * positive, 1)))
    label = np.where(positive, "unsafe", "safe")
    jitter = np.clip(score + random.normal(0, 0.005, len(label)), 0, 1)
    rows = {"id": range(len(label)), "label": label, "baseline": score, "candidate": jitter}
    return pd.DataFrame(rows)


@given(seed=st.integers(0, 10**6), recall=st.sampled_from([0.1, 0.3, 0.7, 0.9, 0.99]))
@settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_the_precision_at_a_recall_is_scikit_learns_on_every_slice(
    seed: int, recall: float
) -> None:
    data = kinds.table("binary", seed, 400)  # scores in hundredths: ties, and 0 itself
    slicing = kinds.sliced("kind", "far")
    policy = kinds.policy("binary", [rule_of(recall, "max_drop: 0.05")], slices=slicing)
    slices = kinds.slices_of(data)
    found = of_rules(prunegate.judge(policy, data))
    assert {one.slice for one in found} == {name for name in slices if "," not in name}
    for finding in found:
        rows = data[slices[finding.slice]]
        for model in ("baseline", "candidate"):
            expected = precision_at(rows["label"] == "unsafe", rows[model], recall)
            assert getattr(finding, model) == pytest.approx(expected, rel=1e-12)


def test_it_is_a_fixed_rate_the_other_way_round() -> None:
    data = kinds.table("binary", 3, 900)
    turned = data.assign(
        label=np.where(data["label"] == "unsafe", "safe", "unsafe"),
        baseline=1 - data["baseline"],
        candidate=1 - data["candidate"],
    )
    policy = kinds.policy("binary", ["{metric: recall_at_fpr, at: 0.1, max_drop: 0.05}"], slices="")
    tally = count_table(policy, open_predictions(policy, turned)).slices[0].tally
    found = evidence(WantedMetric(metric="recall_at_fpr", at=0.1), tally)
    assert isinstance(found, FixedRateRecall)
    alone = evidence_at(data, 0.9).counts.alone
    assert alone.candidate_low == found.counts.candidate_low
    assert alone.candidate_high == found.counts.candidate_high
    assert alone.negatives == found.counts.negatives


def test_equal_scores_are_counted_where_a_threshold_may_be() -> None:
    data = alike(300, 300)
    assert evidence_at(data, 0.9).counts.tied == (1, 1)
    coarse = data.assign(candidate=data["candidate"].round(1))
    flagged = coarse[coarse["label"] == "unsafe"]["candidate"]
    baseline, candidate = evidence_at(coarse, 0.9).counts.tied
    assert baseline == 1
    assert 1 < candidate <= flagged.value_counts().max()


def test_a_verdict_at_a_recall_follows_from_its_record(tmp_path: Path) -> None:
    rule = rule_of(0.9, "at_least: 0.2, max_drop: 0.1")
    text = f"{HEAD}slices: [{{by: kind}}]\nrules: [{rule}]\n"
    (tmp_path / "p.yaml").write_text(text)
    record = gate(read_policy(tmp_path / "p.yaml"), kinds.table("binary", 5, 400)).record
    assert not list(differences(kept_form(canonical_bytes(record)).record))


def test_alike_models_pass_a_worse_one_fails_and_few_rows_say_nothing() -> None:
    policy = parse_policy(f"{HEAD}rules: [{rule_of(0.9, 'max_drop: 0.05')}]\n")
    data = alike(1500, 1500)
    negative = data["label"] == "safe"
    alarms = negative & (np.random.default_rng(1).random(len(data)) < 0.2)
    worse = data.assign(candidate=data["candidate"].mask(alarms, 0.9999))
    constant = data.assign(candidate=0.7)
    few = data.groupby("label").head(184)
    expected, notes = {"pass": data, "fail": worse, "inconclusive": few}, {}
    for status, rows in (*expected.items(), ("fail", constant)):
        (found,) = of_rules(prunegate.judge(policy, rows))
        assert found.status == status, rows
        notes[status] = found.note
    assert "not known from fewer than 185 positives; here are 184" in notes["inconclusive"]
    assert prunegate.judge(policy, data[~negative]).outcome == "inconclusive"
    apart = data.assign(kind=np.where(negative, "b", "a"))
    of_each = kinds.policy(
        "binary", [rule_of(0.9, "max_drop: 0.05")], slices="slices: [{by: kind, expect: [a, b]}]\n"
    )
    of_slices = of_rules(prunegate.judge(of_each, apart))
    assert [one.status for one in of_slices if one.slice != "overall"] == ["inconclusive"] * 2
    assert "recall of 0.9 must be proven" in explain_policy(policy)[0]


def test_what_has_one_score_only_flags_everything() -> None:
    constant = evidence_at(alike(300, 300).assign(candidate=0.7), 0.9)
    assert constant.candidate == 0.5  # the share of positives
    alone = constant.counts.alone
    for _, only_candidate, _, both in (*alone.candidate_low, *alone.candidate_high):
        assert (only_candidate, both) == (0, 0)  # it leaves no negative alone, at any threshold
    assert constant.test(Difference(margin=Fraction(1, 20))).p_harm < 0.001


def test_rows_are_asked_for_by_what_the_method_takes_and_else_not_at_all() -> None:
    """For models alike nothing that is asked for may grow with the table."""
    policy = parse_policy(f"{HEAD}rules: [{rule_of(0.9, 'max_drop: 0.05')}]\n")
    data = alike(200, 400, seed=3)
    data["candidate"] = data["baseline"]
    asked = []
    for positives in (60, 120, 190):
        rows = pd.concat([data[:positives], data[200 : 200 + 2 * positives]])
        (found,) = of_rules(prunegate.judge(policy, rows))
        assert found.status == "inconclusive"
        assert (found.needed_if_unchanged, found.needed_if_as_seen) == (None, None)
        asked.append(found.needed)
    assert asked == [3 * 125, 3 * 65, None]
    assert "cannot be foretold" in found.note
    assert "no number of them would tell" not in found.note


def test_a_limit_is_never_shown_more_easily_than_at_the_thresholds_seen() -> None:
    found = evidence_at(alike(1500, 1500), 0.9)
    before, after = found.baseline, found.candidate
    assert before is not None
    assert after is not None
    for claim in (
        Difference(margin=before - after),
        Difference(margin=after - before, swapped=True),
        SuccessRatio(ratio=after / before),
        Level(limit=after, at_least=True),
        Level(limit=after, at_least=False),
    ):  # limits that the estimates just meet
        assert min(found.test(claim).p_value, found.test(claim).p_harm) > 0.3
    interval = found.change_interval()
    assert interval.low <= after - before <= interval.high
    assert found.level_interval().low <= after <= found.level_interval().high


@pytest.mark.parametrize(
    ("positives", "negatives", "decimals", "risen"),
    [(1500, 1500, 9, 0.0), (300, 900, 9, 0.0), (300, 900, 1, 0.0), (1000, 300, 2, 0.05)],
)
def test_what_its_interval_shows_the_test_shows(
    positives: int, negatives: int, decimals: int, risen: float
) -> None:
    """An interval leaves nothing out that the test takes in: not at its ends, nor beyond them."""
    data = alike(positives, negatives).round(decimals)
    rises = np.random.default_rng(1).random(len(data)) < risen
    data["candidate"] = data["candidate"].mask(rises & (data["label"] == "safe"), 0.9999)
    found = evidence_at(data, 0.9)
    change, level = found.change_interval(), found.level_interval()
    for outward in (0.0, 0.02, 0.1):
        low, high = Fraction(change.low - outward), Fraction(change.high + outward)
        assert found.test(Difference(margin=-low)).p_value <= 0.03
        assert found.test(Difference(margin=-high)).p_harm <= 0.03
        low, high = Fraction(level.low - outward), Fraction(min(level.high + outward, 0.999))
        assert found.test(Level(limit=low, at_least=True)).p_value <= 0.03
        assert found.test(Level(limit=high, at_least=True)).p_harm <= 0.03
    inward = Fraction((change.low + 2 * change.high) / 3)
    assert min(found.test(Difference(margin=-inward)).p_value, 1.0) > 0.03


@given(
    limit=st.tuples(st.floats(0.5, 1.5), st.floats(-0.2, 0.3)),
    recall=st.tuples(st.floats(0.1, 0.99), st.floats(0, 0.1)),
    odds=st.floats(0.05, 20),
    alarms=st.floats(0, 0.5),
    place=st.tuples(*[st.floats(0, 1)] * 4),
)
@settings(max_examples=150, deadline=None)
def test_false_alarms_up_to_the_bound_keep_the_limit_and_from_the_other_break_it(
    limit: tuple[float, float],
    recall: tuple[float, float],
    odds: float,
    alarms: float,
    place: tuple[float, float, float, float],
) -> None:
    """Whatever the population is, as long as it lies within what is known of it."""
    (slope, margin), least, most = limit, recall[0], min(1.0, sum(recall))
    wide, high = (odds, 1.3 * odds), (alarms, min(1.0, 1.5 * alarms + 0.01))
    known = AtRecall(recall=least, most=most, odds=wide, alarms=high)
    true_odds, before, own, other = (
        low + part * (end - low)
        for part, (low, end) in zip(place, (wide, high, (least, most), (least, most)), strict=True)
    )
    asked = slope * other / (other + true_odds * before) - margin
    kept, broken = surely_kept(slope, margin, known), surely_broken(slope, margin, known)

    def precision(rise: float) -> float:
        return own / (own + true_odds * (before + rise))

    assume(before + min(kept, 1.0) >= 0)
    assert precision(min(kept, 1.0)) >= asked - 1e-9
    if np.isfinite(broken) and before + broken >= 0:
        assert precision(broken) <= asked + 1e-9


def test_what_is_exactly_known_has_one_bound() -> None:
    known = AtRecall(recall=0.9, most=0.9, odds=(3.0, 3.0), alarms=(0.02, 0.02))
    kept = surely_kept(1.0, 0.05, known)
    assert kept == pytest.approx(surely_broken(1.0, 0.05, known))
    before, after = (0.9 / (0.9 + 3 * alarms) for alarms in (0.02, 0.02 + kept))
    assert before - after == pytest.approx(0.05)
    assert surely_kept(1.0, 0.99, known) == float("inf")
