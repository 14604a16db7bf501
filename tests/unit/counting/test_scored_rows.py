"""Metrics of scores: scikit-learn's on the filtered rows; the record keeps what they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn import metrics as sk
from tests.rules import of_rules
from tests.unit.counting import kinds
from tests.unit.counting.class_tables import (
    CLASSES,
    SEVERAL,
    TWO,
    several,
    softmax,
    with_columns,
)

import prunegate
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.read import kept_form
from prunegate.audit.recompute import differences
from prunegate.counting.count import count_table, open_predictions
from prunegate.counting.gate_set import identity_of
from prunegate.counting.labellable import require_labellable
from prunegate.counting.warehouse_query import counts_query
from prunegate.errors import InputError, TableError, UnsupportedError
from prunegate.evidence.fixed_rate_recall import FixedRateRecall
from prunegate.evidence.of_metric import WantedMetric, evidence
from prunegate.evidence.pulled_value import PulledValue
from prunegate.evidence.ranking import RankedAreas
from prunegate.evidence.rates import PairedRate
from prunegate.gate import gate
from prunegate.metrics.hypothesis import Difference
from prunegate.planning.plan import require_plannable
from prunegate.policy.load import parse_policy, read_policy
from prunegate.policy.schema import Policy

pytestmark = pytest.mark.slow

GROUP = "group: post\n"
OF_TWO = ["auc", "average_precision", "log_loss", "brier"]
OF_SEVERAL = ["top_k_accuracy", "log_loss", "brier"]


def text_of(head: str, metrics: list[str], limit: str = "at_most: 1.0, evidence: point") -> str:
    figures = {"top_k_accuracy": "k: 2, ", "recall_at_fpr": "at: 0.1, "}
    rules = "".join(
        f"  - {{metric: {name}, slices: all, {figures.get(name, '')}{limit}}}\n" for name in metrics
    )
    return f"prunegate: 1\nname: x\n{head}{kinds.SLICES}rules:\n{rules}"


def policy_of(
    head: str, metrics: list[str], limit: str = "at_most: 1.0, evidence: point"
) -> Policy:
    return parse_policy(text_of(head, metrics, limit))


def within_two(label: Any, scores: Any) -> float:
    """Only where fewer than two classes have as high a score as the true one, or higher."""
    own = scores[np.arange(len(label)), label][:, None]
    return float(np.mean((scores >= own).sum(axis=1) <= 2))


def recall_at_a_tenth(truth: Any, score: Any) -> float:
    alarms, hits, _ = sk.roc_curve(truth, score, drop_intermediate=False)
    return float(hits[alarms <= 0.1].max())


@given(seed=st.integers(0, 10**6))
@settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_every_metric_of_two_classes_is_scikit_learns(seed: int) -> None:
    data = kinds.table("binary", seed, 400)  # scores in hundredths: ties, and 0 itself
    data.loc[:3, "candidate"] = [0.0, 1.0, 1.0, 0.0]
    verdict = prunegate.judge(policy_of(TWO, OF_TWO), data)
    slices = kinds.slices_of(data)
    assert {f.slice for f in of_rules(verdict)} == set(slices)
    for finding in of_rules(verdict):
        rows = data[slices[finding.slice]]
        truth = rows["label"] == "unsafe"
        for model in ("baseline", "candidate"):
            score = {
                "auc": sk.roc_auc_score,
                "average_precision": sk.average_precision_score,
                "log_loss": sk.log_loss,
                "brier": sk.brier_score_loss,
            }[finding.metric](truth, rows[model])
            assert getattr(finding, model) == pytest.approx(float(score), rel=1e-8)


def forms(data: pd.DataFrame, logits: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The same scores in every form, and what the policy says of it."""
    chances = {model: softmax(values) for model, values in logits.items()}
    yield "prefix: p_", with_columns(data, chances)
    yield "prefix: p_, activation: softmax", with_columns(data, logits)
    lists = data.assign(**{model: list(values) for model, values in chances.items()})
    yield f"classes: [{', '.join(CLASSES)}]", pa.Table.from_pandas(lists)
    own = {
        model: pd.DataFrame(values, columns=[f"p_{name}" for name in CLASSES]).assign(id=data["id"])
        for model, values in chances.items()
    }
    yield (
        "prefix: p_",
        {
            "labels": data,
            "baseline_predictions": own["baseline"][::-1],
            "candidate_predictions": own["candidate"],
        },
    )


def test_every_metric_of_several_classes_is_scikit_learns_whatever_holds_the_scores() -> None:
    data, logits = several(4, 500)
    slices = kinds.slices_of(data)
    for scores, source in forms(data, logits):
        verdict = prunegate.judge(policy_of(SEVERAL % scores, OF_SEVERAL), source)
        for finding in of_rules(verdict):
            rows = slices[finding.slice]
            label = data["label"][rows].map(CLASSES.index).to_numpy()
            for model, values in logits.items():
                chances = softmax(values)[np.asarray(rows)]
                expected = {
                    "log_loss": sk.log_loss(label, chances, labels=range(len(CLASSES))),
                    "brier": np.mean(((chances - np.eye(len(CLASSES))[label]) ** 2).sum(axis=1)),
                    "top_k_accuracy": within_two(label, values[np.asarray(rows)]),
                }[finding.metric]
                assert getattr(finding, model) == pytest.approx(expected, rel=1e-8), finding


def test_without_ties_the_top_k_is_scikit_learns() -> None:
    data, _ = several(1, 300)
    random = np.random.default_rng(9)
    scores = {model: softmax(random.normal(0, 1, (300, 4))) for model in ("baseline", "candidate")}
    head = SEVERAL % "prefix: p_"
    verdict = prunegate.judge(policy_of(head, ["top_k_accuracy"]), with_columns(data, scores))
    overall = of_rules(verdict)[0]
    found = sk.top_k_accuracy_score(data["label"], scores["candidate"], k=2, labels=CLASSES)
    assert overall.candidate == pytest.approx(found)


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


@pytest.mark.parametrize("group", ["", GROUP])
@pytest.mark.parametrize("head", [TWO, SEVERAL % "prefix: p_, activation: softmax"])
def test_a_verdict_on_scores_follows_from_its_record(head: str, group: str, tmp_path: Path) -> None:
    metrics, data = OF_TWO, kinds.table("binary", 5, 600)
    if head != TWO:
        metrics, data = OF_SEVERAL, with_columns(*several(5, 600))
    (tmp_path / "p.yaml").write_text(text_of(head + group, metrics, "at_most: 0.9"))
    record = gate(read_policy(tmp_path / "p.yaml"), data).record
    found = kept_form(canonical_bytes(record)).record
    assert not list(differences(found))
    assert found.tallies is not None
    assert len(found.tallies.scores or ()) == len(found.slices)


def test_a_label_without_a_score_is_the_worst_that_there_is() -> None:
    data, logits = several(2, 300)
    chances = {model: softmax(values) for model, values in logits.items()}
    data["label"] = "unheard of"
    head = SEVERAL % "prefix: p_"
    table = with_columns(data, chances)
    found = of_rules(prunegate.judge(policy_of(head, OF_SEVERAL), table))
    values = {f.metric: f.candidate for f in found if f.slice == "overall"}
    assert values["top_k_accuracy"] == 0
    assert values["log_loss"] == pytest.approx(52 * np.log(2))
    assert values["brier"] == pytest.approx(1 + np.mean((chances["candidate"] ** 2).sum(axis=1)))


def test_scores_that_cannot_be_what_a_rule_takes_them_for_are_bad_input() -> None:
    data, logits = several(2, 60)
    raw = with_columns(data, logits)
    for rule, words in (
        ("log_loss", "60 rows with scores per class that do not add up to 1 .*softmax"),
        ("top_k_accuracy, k: 4", "scores are of 4 classes, .* give 'k' below 4"),
    ):
        policy = policy_of(SEVERAL % "prefix: p_", [rule])
        with pytest.raises(TableError, match=words):
            prunegate.judge(policy, raw)
    answers = data.assign(baseline="u", candidate="v")
    policy = policy_of(SEVERAL % f"classes: [{', '.join(CLASSES)}]", ["brier"])
    with pytest.raises(TableError, match="holds one answer a row, and a rule of the policy takes"):
        prunegate.judge(policy, answers)


@pytest.mark.parametrize(
    ("head", "rule", "words"),
    [
        ("task: {kind: binary, positive: u}\n", "auc", "auc takes scores, .*set 'task: threshold'"),
        ("task: {kind: multiclass}\n", "brier", "under 'data: scores:' where they are"),
        (SEVERAL % "activation: sigmoid", "log_loss", "add up to 1, which sigmoids do not"),
        (SEVERAL % "classes: [u, v]", "top_k_accuracy, k: 2", "got 2 of 2 classes"),
        (SEVERAL % "prefix: p_", "top_k_accuracy", "needs k: how many"),
        (TWO, "auc, k: 3", "no number of highest scores; remove it"),
        (TWO, "auc, at: 0.1", "taken at no fixed share; remove it"),
        (TWO, "recall_at_fpr", "needs at: the share of negatives"),
        (TWO + GROUP, "recall_at_fpr, at: 0.1", "'group' says that they are not"),
        (TWO, "precision_at_recall", "needs at: the share of positives"),
        (TWO + GROUP, "precision_at_recall, at: 0.9", "'group' says that they are not"),
        (TWO, "ece", "ece is never tested"),
    ],
)
def test_a_policy_without_what_its_metrics_need_says_so(head: str, rule: str, words: str) -> None:
    text = f"prunegate: 1\nname: x\n{head}rules: [{{metric: {rule}, at_most: 0.5}}]\n"
    with pytest.raises(InputError, match=words):
        parse_policy(text)


def test_where_there_are_decisions_only_metrics_of_scores_are_refused_by_name() -> None:
    policy = policy_of(TWO, ["recall", "auc"])
    counts = pd.DataFrame({"kind": ["a"], "region": ["x"], "label": 1, "baseline": 1, "n": 3})
    refusals = (
        lambda: prunegate.judge_counts(policy, counts.assign(candidate=1)),
        lambda: require_labellable(policy),
        lambda: require_plannable(policy),
        lambda: counts_query(policy, "t", "duckdb"),
    )
    for refused in refusals:
        with pytest.raises(UnsupportedError, match=r"^auc: computed from the models' scores"):
            refused()


def test_the_highest_scores_may_be_of_any_size() -> None:
    data, logits = several(5, 60)
    policy = policy_of(SEVERAL % "prefix: p_, activation: none", ["top_k_accuracy"])
    small, large = (
        with_columns(data, {role: values * size for role, values in logits.items()})
        for size in (1.0, 1e300)
    )
    assert answers_of(policy, small) == answers_of(policy, large)


def answers_of(policy: Policy, table: pd.DataFrame) -> Any:
    """What a candidate is known by in the ledger, and the verdict."""
    opened = open_predictions(policy, table, with_ids=True)
    return identity_of(policy, opened), prunegate.judge(policy, table).findings


def test_a_candidate_with_other_scores_is_another_attempt() -> None:
    data, logits = several(2, 60)
    policy = policy_of(SEVERAL % "prefix: p_, activation: softmax", ["log_loss"])
    softer = logits | {"candidate": 0.9 * logits["candidate"]}  # chooses the same classes
    one, other = (
        identity_of(policy, open_predictions(policy, with_columns(data, scores), with_ids=True))
        for scores in (logits, softer)
    )
    assert one is not None
    assert other is not None
    assert (one.gate_set, one.baseline) == (other.gate_set, other.baseline)
    assert one.candidate != other.candidate


def test_the_root_mean_square_is_scikit_learns_and_needs_a_range() -> None:
    data = kinds.table("score", 3, 400)
    rule = "{metric: rmse, slices: all, at_most: 1.0, max_rise: 0.1}"
    slices = kinds.slices_of(data)
    for finding in of_rules(prunegate.judge(kinds.policy("score", [rule]), data)):
        rows = data[slices[finding.slice]]
        for model in ("baseline", "candidate"):
            found = sk.root_mean_squared_error(rows["label"], rows[model])
            assert getattr(finding, model) == pytest.approx(float(found), rel=1e-8)
    text = f"prunegate: 1\nname: x\ntask: {{kind: score}}\nrules: [{rule}]\n"
    with pytest.raises(InputError, match=r"rmse needs 'task: range"):
        parse_policy(text)


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
    label = np.repeat([1, 0], (2000, 20000))
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
