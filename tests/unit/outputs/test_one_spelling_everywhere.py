"""A value, a change or a limit of a finding is spelled alike wherever the finding is told."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.depth import times

import prunegate
from prunegate.audit.record import DecisionRecord
from prunegate.cli.plan_words import plan_lines
from prunegate.metrics.checks import is_factor
from prunegate.outputs.junit import render_junit
from prunegate.outputs.short_words import urgent
from prunegate.outputs.summary import render_summary
from prunegate.planning.needs import Need
from prunegate.planning.plan import Plan
from prunegate.policy.explain import explain_policy
from prunegate.policy.load import parse_policy
from prunegate.report.render import render
from prunegate.report.rules import FindingRow, rules
from prunegate.report.units import Units, is_operational, metric_name
from prunegate.text import numbers
from prunegate.verdict.advice import without_request
from prunegate.verdict.finding import Finding

POLICY = """\
prunegate: 1
name: x
task: {{kind: binary, positive: unsafe}}
slices: [{{by: kind, expect: [a, b]}}]
cost:
  currency: USD
  billing: {{per_inference: {{baseline: {price}, candidate: 0.0029}}}}
rules:
  - {{metric: recall, slices: all, max_drop: {margin}, at_least: {level}}}
  - {{metric: precision, max_drop: {{relative: {margin}}}}}
  - {{metric: accuracy, max_drop: {{error_ratio: {ratio}}}, at_least: {level}, evidence: point}}
  - {{metric: false_positive_rate, slices: all, max_rise: {margin}}}
  - {{metric: churn, at_most: {margin}}}
  - {{metric: mcc, at_least: {level}, severity: warn}}
  - {{metric: model_bytes, max_ratio: {ratio}, at_most: {bytes}}}
  - {{metric: latency_p50_ms, max_ratio: {ratio}, at_most: {ms}}}
  - {{metric: cost_per_1k, max_ratio: {ratio}, at_most: {ms}}}
"""
LIMITS = st.fixed_dictionaries(
    {
        "margin": st.integers(1, 300).map(lambda n: n / 1000),
        "level": st.integers(1, 999).map(lambda n: n / 1000),
        "ratio": st.integers(5, 150).map(lambda n: n / 100),
        "bytes": st.integers(10_000, 10_000_000),
        "ms": st.integers(1, 9999).map(lambda n: n / 100),
        "price": st.sampled_from([0.0042, 0.003, 0.1]),
    }
)
CELLS = st.lists(st.integers(0, 900) | st.integers(0, 20), min_size=16, max_size=16)
ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def table(cells: list[int]) -> pd.DataFrame:
    rows = [
        {"kind": kind, "label": place >> 2, "baseline": place >> 1 & 1, "candidate": place & 1}
        for kind in "ab"
        for place in range(8)
    ]
    return pd.DataFrame(rows).assign(n=[n + (place in (0, 7)) for place, n in enumerate(cells)])


def judged(records: ModuleType, limits: dict[str, Any], cells: list[int], size: int) -> Any:
    policy = parse_policy(POLICY.format(**limits))
    timed = records.measurements()
    known = replace(
        timed,
        baseline=replace(timed.baseline, model_bytes=1_881_312),
        candidate=replace(timed.candidate, model_bytes=size),
    )
    verdict = prunegate.judge_counts(policy, table(cells), measurements=known)
    base = records.rejected()
    sentences = tuple(explain_policy(policy)[: len(policy.rules)])
    return replace(
        base,
        outcome=verdict.outcome,
        findings=verdict.findings,
        slices=verdict.slices,
        reasons=verdict.reasons,
        warnings=verdict.warnings,
        allowed_losses=verdict.allowed_losses,
        control=None,
        flips=(),
        policy=replace(base.policy, sentences=sentences),
    )


def bare(text: str) -> str:
    """What a reader sees: no marks, no entities, plain spaces."""
    return re.sub(r"\s+", " ", numbers.plain(html.unescape(text)).replace("`", ""))


def digits(*texts: str) -> set[str]:
    return {number for text in texts for number in NUMBER.findall(bare(text))}


def told(record: DecisionRecord) -> list[tuple[Finding, FindingRow, str, str, str]]:
    """Every finding with its row of the page, of the summary if any, its case, and its reason."""
    lines = [bare(line) for line in render_summary(record, "0" * 64).splitlines()]
    table_rows = [line for line in lines if line.startswith("| ") and not line.startswith("| |")]
    cases = ET.fromstring(render_junit(record)).iter("testcase")  # noqa: S314  # our own
    said = [bare("".join(case.itertext()) + case[0].get("message", "")) for case in cases]
    page = [row for rule in rules(record, Units.of(record)) for row in rule.rows]
    summary = {id(f): line for f, line in zip(urgent(record.findings), table_rows, strict=False)}
    by_place = {(f.rule, f.slice, f.check): f for f in record.findings}
    shown = {}
    for rule in sorted({f.rule for f in record.findings}):
        of_rule = [f for f in record.findings if f.rule == rule]
        of_rule.sort(key=lambda f: ORDER[f.status])
        shown |= {id(f): page.pop(0) for f in of_rule}
    assert len(by_place) == len(record.findings)
    blocking = [f for f in record.findings if f.severity == "block"]
    ordered = [f for status in ("fail", "inconclusive") for f in blocking if f.status == status]
    whole = record.outcome != "approve"
    reasons = {id(f): r for f, r in zip(ordered, record.reasons, strict=True)} if whole else {}
    return [
        (f, shown[id(f)], summary.get(id(f), ""), case, bare(reasons.get(id(f), "")))
        for f, case in zip(record.findings, said, strict=True)
    ]


def plan_of(record: DecisionRecord) -> str:
    needs = tuple(
        Need(
            rule=f.rule, metric=f.metric, slice=f.slice, check=f.check, limit=f.limit,
            limit_kind=f.limit_kind, severity=f.severity, unit="rows", needed=None, has=0,
            missing=None, rows=None, rows_missing=None, discordance=0.1,
        )
        for f in record.findings
        if f.check != "beats_constant"  # which nobody plans for
    )  # fmt: skip
    plan = Plan(
        policy="x", basis="pilot", assumed=None, expects="nothing changed", alpha=0.05, power=0.9,
        tests=1, power_each=0.9, needs=needs, operational=(), notes=(), slices=(), scenarios=(),
        simulations=1, seed=0,
    )  # fmt: skip
    return bare("\n".join(plan_lines(plan)))


@settings(
    max_examples=times(6, thorough=30),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a smaller example of a wrong spelling says no more
    suppress_health_check=list(HealthCheck),
)
@given(limits=LIMITS, cells=CELLS, size=st.integers(100_000, 3_000_000))
def test_every_value_and_limit_has_one_spelling(
    records: ModuleType, limits: dict[str, Any], cells: list[int], size: int
) -> None:
    record = judged(records, limits, cells, size)
    plan = plan_of(record)
    for finding, row, summary, case, reason in told(record):
        limit, before, after = map(bare, (row.limit, row.before, row.after))
        if summary:
            assert after in summary
            assert digits(before, limit) <= digits(summary) | {"1"}
        if finding.check == "beats_constant":
            continue  # nobody plans for it, and its sentences speak of rows
        assert limit in plan or is_operational(finding.metric)  # which no plan is about
        if finding.candidate is None:
            continue
        assert limit in case
        known = digits(row.limit, row.before, row.after, row.change, row.interval)
        if is_factor(finding.check) and finding.baseline:
            known |= digits(numbers.multiple(finding.candidate / finding.baseline, finding.limit))
        counts = digits(*(numbers.count(n) for n in (finding.lost, finding.gained, finding.n)))
        counts |= digits(metric_name(finding.metric))  # the cost of 1,000 inferences
        if reason:
            assert limit in reason
            assert after in reason
            note = finding.note if bare(finding.note) in reason else without_request(finding)
            assert digits(reason.replace(bare(note), "")) <= known | counts
        if not is_operational(finding.metric):
            evidence = re.split(rf"{re.escape(limit)}\.", case)[0]
            assert digits(evidence) <= known | counts


@pytest.mark.parametrize("kind", ["approved", "rejected"])
def test_no_ratio_is_a_share_in_one_place_and_a_multiple_in_another(
    records: ModuleType, kind: str
) -> None:
    record = getattr(records, kind)()
    page = bare(re.sub(r"<[^>]*>", "", render(record, digest="0" * 64, pictures={})))
    assert "% of the baseline's." not in page
    for text in (page, bare(render_junit(record))):
        assert ("at most 0.75 times the baseline's" in text) == (kind == "rejected")
