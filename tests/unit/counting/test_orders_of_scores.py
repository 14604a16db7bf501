"""Metrics of the order of scores: areas, rank correlations, recall at a fixed rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn import metrics as sk
from tests.rules import of_rules
from tests.unit.counting import kinds
from tests.unit.counting.class_tables import (
    TWO,
)
from tests.unit.counting.scored import GROUP, policy_of

import prunegate
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.read import kept_form
from prunegate.audit.recompute import differences
from prunegate.counting.count import count_table, open_predictions
from prunegate.evidence.fixed_rate_recall import FixedRateRecall
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.evidence.pulled_value import PulledValue
from prunegate.evidence.ranking import RankedAreas
from prunegate.evidence.rates import PairedRate
from prunegate.gate import gate
from prunegate.metrics.hypothesis import Difference
from prunegate.policy.load import parse_policy, read_policy

pytestmark = pytest.mark.slow


def recall_at_a_tenth(truth: Any, score: Any) -> float:
    alarms, hits, _ = sk.roc_curve(truth, score, drop_intermediate=False)
    return float(hits[alarms <= 0.1].max())


def areas(data: pd.DataFrame, more: str = "") -> RankedAreas:
    policy = policy_of(TWO + more, ["auc"])
    overall = count_table(policy, open_predictions(policy, data)).slices[0]
    found = evidence(WantedMetric(metric="auc"), overall.tally)
    assert isinstance(found, RankedAreas)
    return found


def of_pairs(data: pd.DataFrame) -> Any:
    """What every row pulls the difference of both areas away by, from all pairs."""
    truth = (data["label"] == "unsafe").to_numpy()
    pulls = np.zeros(len(data))
    for model, sign in (("candidate", 1), ("baseline", -1)):
        score = data[model].to_numpy()
        right = score[truth][:, None] > score[~truth]
        right = right + 0.5 * (score[truth][:, None] == score[~truth])
        pulls[truth] += sign * (right.mean(axis=1) - right.mean()) / truth.sum()
        pulls[~truth] += sign * (right.mean(axis=0) - right.mean()) / (~truth).sum()
    return truth, pulls


def test_the_variance_of_a_difference_of_areas_is_delongs_and_obuchowskis() -> None:
    data = kinds.table("binary", 3, 300)
    truth, pulls = of_pairs(data)
    sizes = np.array([truth.sum(), (~truth).sum()])
    parts = np.array([np.sum(pulls[rows] ** 2) for rows in (truth, ~truth)])
    expected = float((parts * sizes / (sizes - 1)).sum())
    area = areas(data)
    interval = area.change_interval()
    one_sided = (interval.high - interval.low) / 2
    assert one_sided**2 == pytest.approx(expected * _t(min(sizes) - 1) ** 2, rel=1e-9)
    pull = pd.DataFrame({"up": pulls * truth, "down": pulls * ~truth, "group": data["post"]})
    sums = pull.groupby("group").sum()
    holding = pd.DataFrame({"up": truth, "down": ~truth}).groupby(data["post"]).any().sum()
    own = (sums**2).sum() * holding / (holding - 1)
    both = 2 * float((sums["up"] * sums["down"]).sum())
    expected = float(own.sum()) + max(0.0, both) * len(sums) / (len(sums) - 1)
    grouped = areas(data, GROUP).change_interval()
    wide = (grouped.high - grouped.low) / 2
    rows = pd.DataFrame({"up": truth, "down": ~truth}).groupby(data["post"]).sum().astype(float)
    weighing = rows.sum() ** 2 / (rows**2).sum()  # Kish: uneven groups as equally large ones
    assert wide**2 == pytest.approx(expected * _t(weighing.min() - 1) ** 2, rel=1e-9)


def _t(freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))


@pytest.mark.parametrize("metric", ["auc", "average_precision"])
def test_an_order_of_rows_of_one_kind_is_no_value(metric: str) -> None:
    data = kinds.table("binary", 3, 300).assign(label="unsafe")
    found, *_ = of_rules(prunegate.judge(policy_of(TWO, [metric], "max_drop: 0.1"), data))
    assert (found.status, found.baseline, found.needed) == ("inconclusive", None, None)


def test_areas_are_never_approved_without_variation_or_with_few_rows() -> None:
    data = kinds.table("binary", 3, 900)
    perfect = np.where(data["label"] == "unsafe", 0.9, 0.1)
    same = data.assign(baseline=perfect, candidate=perfect)
    policy = policy_of(TWO, ["auc"], "max_drop: 0.5")
    for rows in (same, data.groupby("label").head(49), data.assign(candidate=data["baseline"])):
        (found,) = {f.status for f in of_rules(prunegate.judge(policy, rows))}
        assert found == "inconclusive"
    rule = "{metric: average_precision, max_drop: 0.9}"
    few = data.groupby("label").head(99)
    (one,) = of_rules(prunegate.judge(kinds.policy("binary", [rule], slices=""), few))
    assert one.status == "inconclusive"
    assert "validated from 100 positives and negatives up; here are 99 and 99" in one.note


def order_of(data: pd.DataFrame, more: str = "") -> PulledValue:
    rule = "{metric: rank_correlation, slices: all, at_least: 0.5, max_drop: 0.05}"
    policy = kinds.policy("score", [rule], slices="", more=more)
    overall = count_table(policy, open_predictions(policy, data)).slices[0]
    found = evidence(WantedMetric(metric="rank_correlation"), overall.tally)
    assert isinstance(found, PulledValue)
    return found


@given(seed=st.integers(0, 10**6))
@settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_the_rank_correlation_is_scipys(seed: int) -> None:
    data = kinds.table("score", seed, 300).round({"label": 0, "baseline": 1})
    rule = "{metric: rank_correlation, slices: all, at_least: 0.5, max_drop: 0.05}"
    slices = kinds.slices_of(data)
    for finding in of_rules(prunegate.judge(kinds.policy("score", [rule]), data)):
        rows = data[slices[finding.slice]]
        for model in ("baseline", "candidate"):
            found = spearmanr(rows["label"], rows[model]).statistic
            assert getattr(finding, model) == pytest.approx(float(found), rel=1e-8)


def weighed_correlation(data: pd.DataFrame, model: str, weights: Any) -> float:
    """Spearman's, where a row counts as often as its weight says."""
    label, score = (
        (weights * np.sign(x[:, None] - x)).sum(axis=1)
        for x in (data["label"].to_numpy(), data[model].to_numpy())
    )
    products = ((label, score), (label, label), (score, score))
    top, one, other = (float((weights * a * b).sum()) for a, b in products)
    return top / (one * other) ** 0.5


def weighed_precision(data: pd.DataFrame, model: str, weights: Any) -> float:
    truth = data["label"] == "unsafe"
    return float(sk.average_precision_score(truth, data[model], sample_weight=weights))


@pytest.mark.parametrize("kind", ["binary", "score"])
def test_a_row_pulls_by_what_the_value_changes_if_it_counts_a_little_more(kind: str) -> None:
    data = kinds.table(kind, 3, 40).round({"label": 0, "candidate": 1})
    value = weighed_precision if kind == "binary" else weighed_correlation
    if kind == "binary":
        rule = "{metric: average_precision, at_most: 1.0}"
        policy = kinds.policy("binary", [rule], slices="")
        overall = count_table(policy, open_predictions(policy, data)).slices[0]
        found = evidence(WantedMetric(metric="average_precision"), overall.tally)
        assert isinstance(found, PulledValue)
    else:
        found = order_of(data)
    pulls = []
    for row in range(len(data)):
        change = []
        for step in (1e-4, -1e-4):
            weights = np.ones(len(data))
            weights[row] += step
            change.append(value(data, "candidate", weights) - value(data, "baseline", weights))
        pulls.append((change[0] - change[1]) / 2e-4)
    interval = found.change_interval()
    fewest = min(found.sums.weighing)
    spread = np.std(pulls) * np.sqrt(len(data) * fewest / (fewest - 1))
    spread *= np.sqrt(len(data) / (len(data) - 1))
    half = (interval.high - interval.low) / 2
    assert half == pytest.approx(_t(fewest - 1) * spread, rel=1e-4)


def test_a_constant_score_has_no_rank_correlation_and_is_never_approved() -> None:
    data = kinds.table("score", 3, 400).assign(candidate=1.0)
    assert order_of(data).candidate is None
    rule = "{metric: rank_correlation, at_least: -1.0, max_drop: 1.9}"
    verdict = prunegate.judge(kinds.policy("score", [rule], slices=""), data)
    assert {f.status for f in of_rules(verdict)} == {"inconclusive"}


@pytest.mark.parametrize("metric", ["recall_at_fpr", "rank_correlation"])
def test_what_is_taken_from_orders_follows_from_the_record(metric: str, tmp_path: Path) -> None:
    kind = "score" if metric == "rank_correlation" else "binary"
    figure = "at: 0.1, " if kind == "binary" else ""
    head = "task: {kind: score, range: [-1, 4]}\n" if kind == "score" else TWO
    rule = f"{{metric: {metric}, {figure}slices: all, max_drop: 0.1}}"
    text = f"prunegate: 1\nname: x\n{head}slices: [{{by: kind}}]\nrules: [{rule}]\n"
    (tmp_path / "p.yaml").write_text(text)
    data = kinds.table(kind, 5, 600)
    record: Any = gate(read_policy(tmp_path / "p.yaml"), data).record
    assert not list(differences(kept_form(canonical_bytes(record)).record))
    for finding in of_rules(record) if kind == "binary" else ():
        rows = data if finding.slice == "overall" else data[data["kind"] == finding.slice[-1]]
        for model in ("baseline", "candidate"):
            found = recall_at_a_tenth(rows["label"] == "unsafe", rows[model])
            assert getattr(finding, model) == pytest.approx(found)


def test_recall_at_a_fixed_rate_knows_how_little_it_knows_of_thresholds() -> None:
    data = kinds.table("binary", 3, 900)
    rule = "{metric: recall_at_fpr, at: 0.1, max_drop: 0.05}"
    policy = kinds.policy("binary", [rule], slices="")
    tally = count_table(policy, open_predictions(policy, data)).slices[0].tally
    found = evidence(WantedMetric(metric="recall_at_fpr", at=0.1), tally)
    assert isinstance(found, FixedRateRecall)
    here, low, high = found.counts.here, found.counts.candidate_low, found.counts.candidate_high
    flagged = {bit: sum(n for f, n in enumerate(here) if f & bit) for bit in (1, 2)}
    for strict, tables in ((1, low), (2, high)):
        for table in tables:
            of_table = {bit: sum(n for f, n in enumerate(table) if f & bit) for bit in (1, 2)}
            assert of_table[strict] <= flagged[strict]
        assert of_table[3 - strict] >= flagged[3 - strict]
    claim = Difference(margin=Fraction(1, 20))
    plain = PairedRate(both=here[3], lost=here[2], gained=here[1], neither=here[0]).test(claim)
    assert found.test(claim).p_value >= plain.p_value
    assert found.test(claim).p_harm >= plain.p_harm
    few = data.groupby("label").head(180)
    (one,) = [f for f in of_rules(prunegate.judge(policy, few)) if f.slice == "overall"]
    assert one.status == "inconclusive"
    assert "fewer than 185 negatives; here are 180" in one.note


def test_recall_at_a_fixed_rate_is_shown_where_both_models_are_alike() -> None:
    random = np.random.default_rng(2)
    label = np.repeat([1, 0], (2000, 5000))
    score = 1 / (1 + np.exp(-random.normal(3.0 * label, 1)))
    data = pd.DataFrame({"id": range(len(label)), "label": label, "baseline": score})
    worse = np.where((label == 1) & (random.random(len(label)) < 0.15), 0.01, score)
    rule = "rules: [{metric: recall_at_fpr, at: 0.05, max_drop: 0.03}]\n"
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1, threshold: 0.5}\n"
    policy = parse_policy(head + rule)
    jitter = np.clip(score + random.normal(0, 0.005, len(label)), 0, 1)
    for candidate, status in ((jitter, "pass"), (worse, "fail")):
        (found,) = of_rules(prunegate.judge(policy, data.assign(candidate=candidate)))
        assert found.status == status


def test_alike_models_are_told_how_many_rows_rule_out_a_mistake_that_none_has() -> None:
    data = kinds.table("binary", 3, 900)
    rules = ["{metric: log_loss, max_rise: 0.02}", "{metric: auc, max_drop: 0.02}"]
    policy = kinds.policy("binary", rules, slices="")
    verdict = prunegate.judge(policy, data.assign(candidate=data["baseline"]))
    loss, area = of_rules(verdict)
    assert loss.needed_if_unchanged == loss.needed_if_as_seen
    assert 900 + (loss.needed_if_unchanged or 0) == pytest.approx(3 * 36.05 / 0.02, rel=0.01)
    assert area.needed is None
    assert "the two models differ in nothing here" in area.note
