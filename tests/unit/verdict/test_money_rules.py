"""Rules on money: what is saved by the end, and when the work has paid for itself."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace

import pandas as pd
import pytest
from tests.rules import of_rules

import prunegate
from prunegate.audit.opinion.second_opinion import second_opinion
from prunegate.cost.measurement import Estimate95, Measurements, ModelFigures
from prunegate.errors import InternalError
from prunegate.policy.load import parse_policy
from prunegate.policy.schema import Policy
from prunegate.verdict.finding import Finding, Outcome, Status, Verdict

pytestmark = pytest.mark.slow

COUNTS = pd.DataFrame({"label": [1, 0], "baseline": [1, 0], "candidate": [1, 0], "n": [9, 9]})
MEASURED = Measurements(
    created="2026-01-01T00:00:00Z",
    engine="torch",
    batch=8,
    threads=1,
    rounds=9,
    baseline=ModelFigures(throughput_per_s=1.0, latency_p95_ms=40.0),
    candidate=ModelFigures(throughput_per_s=1.5, latency_p95_ms=60.0),
    cpu_ratio=Estimate95(value=0.7, low=0.6, high=0.8),
)
# 100 inferences a month: quoted, .3 x 100 = 30 a month, 90 in all, 40 of it to be earned first
QUOTED = "{billing: {per_inference: {baseline: 1, candidate: 0.7}}, %s}"
SCALED = "{billing: {per_inference: {baseline: 1}}, %s}"
MONTHS = "volumes: {by_month: [100, 100, 100]}, one_off: 40"
RENTED = "{billing: {instance: {per_hour: 1, utilisation: 0.6, max_latency_ms: %s}}, %s}"


def judged(
    rule: str, cost: str, measurements: Measurements | None = MEASURED
) -> tuple[Verdict, Finding]:
    policy, verdict = _verdict(rule, cost, measurements)
    second_opinion(policy, verdict)  # raises where another engine does not agree
    return verdict, verdict.findings[0]


def _verdict(rule: str, cost: str, measurements: Measurements | None) -> tuple[Policy, Verdict]:
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    policy = parse_policy(f"{head}rules: [{{{rule}}}]\ncost: {cost}\n")
    return policy, prunegate.judge_counts(policy, COUNTS, measurements=measurements)


SAVINGS = [  # of each rule its status at a quoted and at a scaled price
    # scaled: 20 to 40 a month, so 20 to 80 in all, and paid back in month 1 or 2
    ("metric: saving, at_least: 50", "pass", "inconclusive"),
    ("metric: saving, at_least: 51", "fail", "inconclusive"),
    ("metric: saving, at_least: 20", "pass", "pass"),
    ("metric: saving, at_least: 81", "fail", "fail"),
    ("metric: saving, at_most: 80", "pass", "pass"),
    ("metric: break_even_month, at_most: 2", "pass", "pass"),
    ("metric: break_even_month, at_most: 1", "fail", "inconclusive"),
    ("metric: cost_per_1k, at_most: 700", "pass", "inconclusive"),
    ("metric: cost_per_1k, at_most: 800", "pass", "pass"),
    ("metric: cost_per_1k, at_most: 599", "fail", "fail"),
    ("metric: monthly_cost, at_most: 79", "pass", "inconclusive"),
    ("metric: monthly_cost, max_ratio: 0.8", "pass", "pass"),
    ("metric: monthly_cost, max_ratio: 0.75", "pass", "inconclusive"),
    ("metric: monthly_cost, at_most: 70, evidence: point", "pass", "pass"),
    ("metric: saving, at_least: 51, evidence: point", "fail", "fail"),
]


def together() -> list[list[tuple[str, str, str]]]:
    """The cases in as few policies as may be: a policy limits a figure once in each direction."""
    found: defaultdict[int, list[tuple[str, str, str]]] = defaultdict(list)
    seen: Counter[str] = Counter()
    for case in SAVINGS:
        limited = " ".join(re.findall(r"[a-z]\w+", case[0])[1:3])  # saving at_least
        found[seen[limited]].append(case)
        seen[limited] += 1
    return list(found.values())


@pytest.mark.parametrize(("cost", "place"), [(QUOTED, 1), (SCALED, 2)], ids=["quoted", "scaled"])
def test_a_scaled_price_has_to_hold_at_the_bad_end_of_its_interval(cost: str, place: int) -> None:
    for cases in together():  # another engine is asked once for all findings of a policy
        verdict, _ = judged("}, {".join(rule for rule, *_ in cases), cost % MONTHS)
        found = {f.rule: f.status for f in of_rules(verdict)}
        assert [found[rule] for rule in range(len(cases))] == [case[place] for case in cases]


@pytest.mark.parametrize("cost", [QUOTED, SCALED])
@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("metric: saving, at_least: 20", "fail"),
        ("metric: saving, at_least: 81", "pass"),
        ("metric: saving, at_most: 80", "fail"),
        ("metric: cost_per_1k, at_most: 599", "pass"),
        ("metric: break_even_month, at_most: 3", "fail"),
    ],
)
def test_a_wrong_verdict_on_money_is_caught(cost: str, rule: str, wrong: Status) -> None:
    policy, verdict = _verdict(rule, cost % MONTHS, MEASURED)
    outcome: Outcome = "approve" if wrong == "pass" else "reject"
    finding = replace(verdict.findings[0], status=wrong)
    with pytest.raises(InternalError, match="second opinion disagrees"):
        second_opinion(policy, replace(verdict, findings=(finding,), outcome=outcome))


def test_an_open_interval_is_no_pass_for_the_second_opinion() -> None:
    policy, verdict = _verdict("metric: saving, at_least: 50", SCALED % MONTHS, MEASURED)
    finding = replace(verdict.findings[0], status="pass")
    with pytest.raises(InternalError, match="every pass is inside its limit"):
        second_opinion(policy, replace(verdict, findings=(finding,), outcome="approve"))


def test_the_finding_shows_the_saving_and_its_interval() -> None:
    _, quoted = judged("metric: saving, at_least: 50", QUOTED % MONTHS)
    assert (quoted.baseline, quoted.candidate, quoted.ci_low, quoted.method) == (
        *(None, 50.0, None, "figure"),
    )
    _, scaled = judged("metric: saving, at_least: 50", SCALED % MONTHS)
    assert (scaled.ci_low, scaled.candidate, scaled.ci_high) == (20.0, 50.0, 80.0)
    assert "interval" in scaled.method


def test_what_is_never_paid_back_fails_and_says_so() -> None:
    cost = QUOTED % "volumes: {by_month: [100, 100, 100]}, one_off: 91"
    verdict, finding = judged("metric: break_even_month, at_most: 3", cost)
    assert (finding.status, verdict.outcome) == ("fail", "reject")
    assert "not within the 3 months of the projection" in finding.note
    assert finding.note in verdict.reasons[0]


def test_scenarios_prove_nothing() -> None:
    volumes = "volumes: {by_month: [100], low: [0], high: [900]}"
    assert judged("metric: saving, at_least: 30", QUOTED % volumes)[1].status == "pass"
    assert judged("metric: saving, at_least: 31", QUOTED % volumes)[1].status == "fail"


@pytest.mark.parametrize("metric", ["cost_per_1k", "monthly_cost"])
def test_a_model_that_is_too_slow_has_no_cost(metric: str) -> None:
    rule = f"metric: {metric}, at_most: 9999"
    verdict, finding = judged(rule, RENTED % (50, MONTHS))
    assert (finding.status, verdict.exit_code) == ("inconclusive", 4)
    assert "the candidate cannot be served this way" in finding.note
    assert judged("metric: monthly_cost, at_most: 730", RENTED % (60, MONTHS))[1].status == "pass"


def test_instances_need_a_quiet_machine_and_measurements() -> None:
    rule, cost = "metric: monthly_cost, at_most: 730", RENTED % (60, MONTHS)
    assert judged(rule, cost, replace(MEASURED, quiet=False))[1].status == "inconclusive"
    _, finding = judged(rule, cost, None)
    assert finding.status == "inconclusive"
    assert "--measurements" in finding.note


def test_no_inferences_have_no_price() -> None:
    _, finding = judged(
        "metric: cost_per_1k, at_most: 5", RENTED % (60, "volumes: {by_month: [9, 0]}")
    )
    assert finding.status == "inconclusive"
    assert "no inferences" in finding.note
