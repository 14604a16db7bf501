"""Limits on figures: exact where counted, by their interval where estimated, open where unknown."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import prunegate
from prunegate.cost.measurement import Estimate95, GenerationTiming, Measurements, ModelFigures
from prunegate.cost.projection import project
from prunegate.policy.cost import Cost
from prunegate.policy.load import parse_policy
from prunegate.verdict.finding import Finding, Verdict
from prunegate.verdict.operational_figures import operational_figures

COUNTS = pd.DataFrame({"label": [1, 0], "baseline": [1, 0], "candidate": [1, 0], "n": [9, 9]})
MEASURED = Measurements(
    created="2026-01-01T00:00:00Z",
    engine="torch",
    batch=1,
    threads=1,
    rounds=9,
    baseline=ModelFigures(
        latency_p50_ms=10.0, latency_p95_ms=20.0, throughput_per_s=100.0, model_bytes=1000
    ),
    candidate=ModelFigures(
        latency_p50_ms=8.0, latency_p95_ms=22.0, throughput_per_s=125.0, model_bytes=800
    ),
    cpu_ratio=Estimate95(value=0.8, low=0.75, high=0.85),
    latency_ratio=Estimate95(value=0.8, low=0.7, high=0.9),
    noise=Estimate95(value=1.0, low=0.96, high=1.02),
)


def judged(
    rule: str, measurements: Measurements | None = MEASURED, rest: str = ""
) -> tuple[Verdict, Finding]:
    head = "prunegate: 1\nname: x\ntask: {kind: binary, positive: 1}\n"
    policy = parse_policy(f"{head}{rest}rules: [{{{rule}}}]\n")
    verdict = prunegate.judge_counts(policy, COUNTS, measurements=measurements)
    return verdict, verdict.findings[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ("metric: model_bytes, at_most: 800", "pass"),
        ("metric: model_bytes, at_most: 799", "fail"),
        ("metric: model_bytes, at_least: 801", "fail"),
        ("metric: model_bytes, max_ratio: 0.8", "pass"),
        ("metric: model_bytes, max_ratio: 0.79", "fail"),
        ("metric: model_bytes, min_gain: 200", "pass"),
        ("metric: model_bytes, min_gain: {relative: 0.2}", "pass"),
        ("metric: model_bytes, min_gain: {relative: 0.21}", "fail"),
        ("metric: model_bytes, max_gain: 199", "fail"),
        ("metric: latency_p95_ms, max_rise: 2.0", "pass"),
        ("metric: latency_p95_ms, max_rise: 1.9", "fail"),
        ("metric: latency_p95_ms, max_rise: {relative: 0.1}", "pass"),
        ("metric: latency_p95_ms, max_rise: {relative: 0.09}", "fail"),
        ("metric: latency_p95_ms, min_gain: 1.0", "fail"),  # slower is no gain
        ("metric: latency_p95_ms, max_gain: 1.0", "pass"),
        ("metric: throughput_per_s, max_drop: 5", "pass"),
        ("metric: throughput_per_s, min_gain: 25", "pass"),
        ("metric: throughput_per_s, min_gain: {relative: 0.26}", "fail"),
        ("metric: throughput_per_s, max_gain: 24", "fail"),
        # estimated: the whole interval of the ratio, .7 to .9 of 10 ms, has to lie on one side
        ("metric: latency_p50_ms, max_ratio: 0.9", "pass"),
        ("metric: latency_p50_ms, max_ratio: 0.89", "inconclusive"),
        ("metric: latency_p50_ms, max_ratio: 0.69", "fail"),
        ("metric: latency_p50_ms, max_ratio: 0.8, evidence: point", "pass"),
        ("metric: latency_p50_ms, max_ratio: 0.79, evidence: point", "fail"),
        ("metric: latency_p50_ms, min_gain: {relative: 0.1}", "pass"),
        ("metric: latency_p50_ms, min_gain: {relative: 0.2}", "inconclusive"),
        ("metric: latency_p50_ms, max_rise: 0.0", "pass"),
    ],
)
def test_a_limit_on_a_figure_means_what_it_says(rule: str, status: str) -> None:
    verdict, finding = judged(rule)
    assert finding.status == status
    outcome = {"pass": "approve", "fail": "reject", "inconclusive": "inconclusive"}[status]
    assert verdict.outcome == outcome


@pytest.mark.parametrize("baseline", [None, 0])
@pytest.mark.parametrize("limit", ["max_ratio: 0.9", "max_rise: {relative: 0.1}"])
def test_of_a_baseline_without_a_figure_there_is_no_ratio(baseline: int | None, limit: str) -> None:
    figures = replace(MEASURED, baseline=replace(MEASURED.baseline, model_bytes=baseline))
    verdict, finding = judged(f"metric: model_bytes, {limit}", figures)
    assert (verdict.outcome, finding.status, finding.open_because) == (
        "inconclusive",
        "inconclusive",
        "no ratio",
    )
    assert "the baseline's figure is missing or zero, so there is no ratio" in finding.note
    _, strict = judged(f"metric: model_bytes, {limit}, on_undefined: fail", figures)
    assert strict.status == "fail"


def test_a_limit_on_a_difference_takes_a_baseline_of_zero_but_not_none() -> None:
    for known, status in ((0, "fail"), (None, "inconclusive")):
        figures = replace(MEASURED, baseline=replace(MEASURED.baseline, model_bytes=known))
        _, finding = judged("metric: model_bytes, max_rise: 799", figures)
        assert finding.status == status


def test_an_older_record_has_the_ends_of_the_price_and_none_of_a_thousand() -> None:
    cost = Cost.model_validate({"billing": {"per_inference": {"baseline": 0.004}}})
    new = project(cost, MEASURED)
    old = replace(new, cost_per_1k_candidate_low=None, cost_per_1k_candidate_high=None)
    found, known = (operational_figures(MEASURED, one)["cost_per_1k"] for one in (old, new))
    assert found == known
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (3.0, 3.4)


def test_a_ratio_shows_its_interval() -> None:
    _, finding = judged("metric: latency_p50_ms, max_ratio: 0.95")
    assert (finding.ci_low, finding.ci_high) == (0.7, 0.9)
    assert "interval" in finding.method


def test_writing_is_limited_by_its_own_rounds_and_their_noise() -> None:
    quiet, wide = Estimate95(value=1.0, low=0.97, high=1.02), Estimate95(value=1, low=0.5, high=2)
    timing = GenerationTiming(
        prompt_tokens=9, new_tokens=8, ttft_ratio=Estimate95(value=0.5, low=0.45, high=0.55),
        tpot_ratio=Estimate95(value=0.8, low=0.7, high=0.9), ttft_noise=quiet, tpot_noise=quiet,
    )  # fmt: skip
    written = replace(
        MEASURED,
        baseline=replace(MEASURED.baseline, ttft_ms=40.0, tpot_ms=10.0),
        candidate=replace(MEASURED.candidate, ttft_ms=20.0, tpot_ms=8.0),
        generation=timing,
    )
    for rule, status in (
        ("metric: tpot_ms, max_ratio: 0.9", "pass"),
        ("metric: tpot_ms, max_ratio: 0.89", "inconclusive"),
        ("metric: ttft_ms, max_ratio: 0.6", "pass"),
        ("metric: ttft_ms, at_most: 20", "pass"),
        ("metric: ttft_ms, at_most: 19", "fail"),
    ):
        assert judged(rule, written)[1].status == status, rule
    restless = replace(written, generation=replace(timing, tpot_noise=wide))
    assert judged("metric: tpot_ms, at_most: 9", restless)[1].status == "inconclusive"
    assert judged("metric: latency_p50_ms, at_most: 9", restless)[1].status == "pass"
    assert judged("metric: tpot_ms, at_most: 9")[1].status == "inconclusive"  # nobody timed it


@pytest.mark.parametrize("metric", ["latency_p50_ms", "model_bytes", "parameters"])
def test_without_measurements_nothing_is_decided(metric: str) -> None:
    verdict, finding = judged(f"metric: {metric}, max_ratio: 0.9", None)
    assert (verdict.outcome, verdict.exit_code) == ("inconclusive", 4)
    assert "--measurements" in finding.note


def test_a_busy_machine_spoils_times_and_nothing_else() -> None:
    noisy = replace(MEASURED, quiet=False)
    assert judged("metric: latency_p50_ms, at_most: 100", noisy)[1].status == "inconclusive"
    assert judged("metric: model_bytes, at_most: 800", noisy)[1].status == "pass"


@pytest.mark.parametrize("noise", [(1.0, 0.9, 1.02), (1.0, 0.99, 1.2), (2.0, 1.9, 2.1)])
@pytest.mark.parametrize("check", ["at_most: 100", "max_ratio: 0.95", "max_rise: 5"])
@pytest.mark.parametrize("evidence", ["proven", "point"])
def test_a_file_that_only_says_that_it_is_quiet_decides_nothing(
    noise: tuple[float, float, float], check: str, evidence: str
) -> None:
    value, low, high = noise
    claimed = replace(MEASURED, noise=Estimate95(value=value, low=low, high=high), quiet=True)
    rule = f"metric: latency_p50_ms, {check}, evidence: {evidence}"
    verdict, finding = judged(rule, claimed)
    assert (finding.status, verdict.outcome) == ("inconclusive", "inconclusive")
    assert "too busy" in finding.note


def test_batches_of_other_sizes_decide_nothing() -> None:
    slow = replace(MEASURED, batch=8, candidate=replace(MEASURED.candidate, latency_p50_ms=99.0))
    both = replace(MEASURED, others=(slow,))
    for check in ("at_most: 8", "max_ratio: 0.95"):
        _, finding = judged(f"metric: latency_p50_ms, {check}", both)
        assert (finding.status, finding.candidate) == ("pass", 8.0)


PRICE = "cost: {billing: {per_inference: {baseline: 0.004%s}}}\n"


def test_a_price_is_quoted_or_scaled_by_the_measured_ratio() -> None:
    rule = "metric: cost_per_1k, max_ratio: 0.85"
    assert judged(rule, None, PRICE % ", candidate: 0.0034")[1].status == "pass"
    assert judged(rule, None, PRICE % ", candidate: 0.0035")[1].status == "fail"
    assert judged(rule, None, PRICE % "")[1].status == "inconclusive"
    assert judged(rule, MEASURED, PRICE % "")[1].status == "pass"
    narrower = "metric: cost_per_1k, max_ratio: 0.84"
    assert judged(narrower, MEASURED, PRICE % "")[1].status == "inconclusive"
    noisy = replace(MEASURED, quiet=False)
    assert judged(rule, noisy, PRICE % "")[1].status == "inconclusive"
