"""A reference whose scores know something of the labels: no score of nothing is approved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata, spearmanr
from tests.unit.counting import kinds

import prunegate
from prunegate.audit.canonical import canonical_bytes
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.audit.read import kept_form
from prunegate.audit.recompute import differences
from prunegate.errors import InternalError
from prunegate.gate import gate
from prunegate.metrics.catalogue import METRICS
from prunegate.policy.explain import explain_policy
from prunegate.policy.load import parse_policy, read_policy
from prunegate.policy.schema import Policy
from prunegate.report.render import render
from prunegate.stats.order_agreement import order_agreement
from prunegate.verdict.finding import BEATS_CONSTANT, Finding, Verdict

EASY = {
    "rank_correlation": "max_drop: 0.9",
    "rmse": "max_rise: 2.0",
    "mae": "max_rise: 2.0",
}
"""Limits that models as alike as these keep whatever they know."""


def policy_of(rule: str, more: str = "") -> Policy:
    return kinds.policy("score", [f"{{{rule}}}"], slices="", more=more)


def rows_of(baseline: Any, rows: int = 900, candidate: Any = None) -> pd.DataFrame:
    """A good baseline's table, with another one's scores: of its label, and of chance."""
    random = np.random.default_rng(4)
    data = kinds.table("score", 5, rows)
    scores = np.broadcast_to(baseline(data["label"].to_numpy(), random), rows)
    after = scores + random.normal(0, 0.01, rows) if candidate is None else candidate
    return data.assign(baseline=scores, candidate=np.clip(after, -1, 4))


BASELINES: dict[str, Callable[[Any, Any], Any]] = {
    "constant": lambda label, random: 1.5,  # noqa: ARG005  # all have the same arguments
    "random": lambda label, random: random.uniform(-1, 4, len(label)),
    "good": lambda label, random: np.clip(label + random.normal(0, 0.5, len(label)), -1, 4),
}


def reference_of(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.check == BEATS_CONSTANT]


@pytest.mark.slow
@pytest.mark.parametrize("metric", EASY)
def test_scores_that_know_nothing_are_never_approved(metric: str) -> None:
    policy = policy_of(f"metric: {metric}, {EASY[metric]}")
    for name, baseline in BASELINES.items():
        data = rows_of(baseline)
        verdict = prunegate.judge(policy, data)
        (found,) = reference_of(verdict)
        assert (found.status, verdict.outcome) == (
            ("pass", "approve") if name == "good" else ("inconclusive", "inconclusive")
        ), name
        because = {"constant": "one decision", "random": "not shown", "good": None}[name]
        assert found.open_because == because
        if name == "random":
            assert "rank correlation of its scores with them is" in found.note
        if name != "constant":
            expected = spearmanr(data["label"], data["baseline"]).statistic
            assert found.baseline == pytest.approx(float(expected))
    unasked = policy_of(f"metric: {metric}, {EASY[metric]}", "evidence: {reference: off}\n")
    (alone,) = prunegate.judge(unasked, rows_of(BASELINES["random"])).findings
    assert alone.status == "pass", "it is the reference that holds it up"


def test_a_candidate_that_gives_one_score_is_the_constant() -> None:
    policy = policy_of("metric: mae, max_rise: 3.0")
    verdict = prunegate.judge(policy, rows_of(BASELINES["good"], candidate=1.5))
    (found,) = reference_of(verdict)
    assert found.status == "inconclusive"
    assert found.note.startswith("the candidate gives one score only")


@pytest.mark.parametrize(
    ("more", "words"),
    [("", "the candidate gives one score only"), ("evidence: {reference: off}\n", "scores")],
)
def test_a_rank_correlation_of_one_score_says_so(more: str, words: str) -> None:
    policy = policy_of("metric: rank_correlation, max_drop: 0.1", more)
    verdict = prunegate.judge(policy, rows_of(BASELINES["good"], 200, candidate=1.5))
    (found,) = (f for f in verdict.findings if f.metric == "rank_correlation")
    assert (found.status, found.open_because) == ("inconclusive", "undefined")
    assert words in found.note


def test_each_slice_that_is_judged_is_asked_and_a_mean_score_is_not() -> None:
    def half(label: Any, random: Any) -> Any:
        good = BASELINES["good"](label, random)
        return np.where(kinds.table("score", 5, 900)["kind"] == "a", random.permutation(good), good)

    slices = kinds.sliced("kind")
    policy = kinds.policy("score", ["{metric: mae, slices: all, max_rise: 2.0}"], slices=slices)
    verdict = prunegate.judge(policy, rows_of(half))
    assert {f.slice for f in reference_of(verdict) if f.status != "pass"} == {"kind=a"}
    mean = policy_of("metric: mean_score, max_drop: 0.5")
    assert not reference_of(prunegate.judge(mean, rows_of(BASELINES["random"])))
    assert "order the rows as the labels do beyond chance" in " ".join(explain_policy(policy))
    assert "beyond chance" not in " ".join(explain_policy(mean))


@pytest.mark.slow
def test_the_second_opinion_knows_what_is_asked_of_scores() -> None:
    policy = policy_of("metric: rank_correlation, max_drop: 0.9")
    verdict = prunegate.judge(policy, rows_of(BASELINES["random"]))
    second_opinion(policy, verdict)
    rest = tuple(f for f in verdict.findings if f.check != BEATS_CONSTANT)
    (finding,) = reference_of(verdict)
    for findings in (rest, (*rest, replace(finding, status="pass"))):
        with pytest.raises(InternalError, match="disagrees"):
            second_opinion(policy, replace(verdict, findings=findings, outcome="approve"))


@pytest.mark.slow
@pytest.mark.parametrize("group", ["", "group: post\n"])
def test_the_record_keeps_what_it_follows_from_and_an_earlier_one_is_as_it_was(
    group: str, tmp_path: Path
) -> None:
    head = f"prunegate: 1\nname: x\ntask: {{kind: score, range: [-1, 4]}}\n{group}"
    rule = "{metric: mae, slices: all, max_rise: 0.3}"
    (tmp_path / "p.yaml").write_text(f"{head}slices: [{{by: kind}}]\nrules: [{rule}]\n")
    record: Any = gate(read_policy(tmp_path / "p.yaml"), kinds.table("score", 5, 900)).record
    assert not list(differences(kept_form(canonical_bytes(record)).record))
    assert "Rank correlation with labels" in render(record, digest="0" * 64, pictures={})
    if not group:
        rest = tuple(f for f in record.findings if f.check != BEATS_CONSTANT)
        tallies = replace(record.tallies, scores=None)
        before = replace(record, findings=rest, tallies=tallies, second_opinion=None)
        assert not list(differences(before))


@pytest.mark.slow
def test_no_metric_of_scores_is_approved_where_the_baseline_knows_nothing() -> None:
    """Of yes-or-no tasks decisions are asked, whatever rules are about."""
    random = np.random.default_rng(3)
    label = random.random(1000) < 0.4
    names = [n for n, m in METRICS.items() if m.from_scores("binary")]
    assert "precision_at_recall" in names
    shares = {n: "at: 0.5, " for n in names if METRICS[n].at}
    rules = "".join(
        f"  - {{metric: {n}, {shares.get(n, '')}"
        f"{'max_rise' if METRICS[n].lower_is_better else 'max_drop'}: 0.9}}\n"
        for n in names
    )
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: u, threshold: 0.5}\n"
    policy = parse_policy(f"{head}rules:\n{rules}")
    for scores, shown in (
        (np.full(1000, 0.6), False),
        (random.random(1000), False),
        (np.clip(random.normal(0.4 + 0.2 * label, 0.1), 0, 1), True),
    ):
        jitter = np.clip(scores + random.normal(0, 0.001, 1000), 0, 1)
        table = {"id": range(1000), "label": np.where(label, "u", "s"), "baseline": scores}
        verdict = prunegate.judge(policy, pd.DataFrame({**table, "candidate": jitter}))
        (found,) = reference_of(verdict)
        assert (found.status == "pass") is shown
        assert shown or verdict.outcome == "inconclusive"


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 4, 3, 6, 5, 8, 7]),
        ([1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 1, 2, 2, 2, 2, 2]),
        ([1, 1, 1, 1, 1, 1, 1, 5], [3, 1, 2, 4, 5, 6, 7, 8]),
        ([1, 2, 2, 3, 3, 3, 3, 3], [1, 1, 2, 2, 3, 3, 3, 3]),
    ],
)
def test_the_tail_is_that_of_all_shuffles_and_not_below_it(
    labels: list[int], scores: list[int]
) -> None:
    one, other = (2 * rankdata(x) - len(x) - 1 for x in (labels, scores))
    seen = float(one @ other)
    every = np.array([one @ np.array(p) for p in permutations(other)])
    exact = float(np.mean(every >= seen - 1e-9))
    squares, cubes = ((int((one**p).sum()), int((other**p).sum())) for p in (2, 3))
    found = order_agreement(len(one), len(one), int(seen), squares, cubes)
    assert found.value == pytest.approx(float(spearmanr(labels, scores).statistic))
    assert exact - 0.01 <= found.p_value <= exact + 0.2
