"""What a verdict measured, as the checking of claims takes it: findings, figures and costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from prunegate.audit.record import DecisionRecord
from prunegate.claims.measured import Estimate, Measured, MeasuredMetric
from prunegate.claims.ranges import Range
from prunegate.cost.measurement import Measurements, is_evidence
from prunegate.cost.projection import Projection
from prunegate.metrics.checks import is_level
from prunegate.verdict.finding import Finding


def measured_of(
    findings: Sequence[Finding], measurements: Measurements | None, cost: Projection | None
) -> Measured:
    """What is known of both models, beside what is stated about them."""
    metrics: dict[tuple[str, str], MeasuredMetric] = {}
    for finding in findings:
        if finding.class_label is None and finding.n > 0:
            key = (finding.metric, finding.slice)
            metrics[key] = _with(metrics.get(key, MeasuredMetric()), finding)
    ratio = measurements.latency_ratio if measurements is not None else None
    return Measured(
        metrics=metrics,
        pairs={**_counted(measurements), **_prices(cost)},
        months={
            month.volume: (_exactly(month.baseline), _exactly(month.candidate))
            for month in (cost.months if cost is not None else ())
        },
        latency_ratio=None if ratio is None else _range(ratio.low, ratio.high),
        generation_ratios=_generating(measurements),
        quiet=measurements is None or is_evidence(measurements),
    )


def _generating(measurements: Measurements | None) -> dict[str, Range]:
    """Ratios of the times of generating, where their own rounds were quiet."""
    timing = None if measurements is None else measurements.generation
    if timing is None or not timing.quiet:
        return {}
    found = {"time_to_first_token": timing.ttft_ratio, "time_per_token": timing.tpot_ratio}
    return {name: _range(ratio.low, ratio.high) for name, ratio in found.items()}


def measured_in(record: DecisionRecord) -> Measured:
    """What a record says was measured; parameters and heads of its models, too."""
    found = measured_of(record.findings, record.measurements, record.cost)
    before, after = record.baseline, record.candidate
    if before is None or after is None:
        return found
    models = {
        "parameters": (_exactly(before.parameters), _exactly(after.parameters)),
        "size": (_exactly(before.model_bytes), _exactly(after.model_bytes)),
    }
    if before.active_heads is not None and after.active_heads is not None:
        models["heads"] = (_exactly(before.active_heads), _exactly(after.active_heads))
    return replace(found, pairs={**found.pairs, **models})


def _with(known: MeasuredMetric, finding: Finding) -> MeasuredMetric:
    """A metric with what one finding more says of it; the interval is of a level or a change."""
    interval = None
    if finding.ci_low is not None and finding.ci_high is not None:
        interval = _range(finding.ci_low, finding.ci_high)
    level = is_level(finding.check)
    before, after, change = (
        _estimate(value, interval if owns else None)
        for value, owns in (
            (finding.baseline, False),
            (finding.candidate, level),
            (finding.difference, not level),
        )
    )
    return MeasuredMetric(
        before=known.before or before,
        after=after if level or known.after is None else known.after,
        change=change if not level or known.change is None else known.change,
    )


def _estimate(value: float | None, interval: Range | None) -> Estimate | None:
    return None if value is None else Estimate(value=_exact(value), interval=interval)


def _counted(measurements: Measurements | None) -> dict[str, tuple[Range, Range]]:
    if measurements is None:
        return {}
    pairs = {
        name: (getattr(measurements.baseline, key), getattr(measurements.candidate, key))
        for name, key in (
            ("parameters", "parameters"),
            ("size", "model_bytes"),
            ("heads", "active_heads"),
        )
    }
    return {
        name: (_exactly(before), _exactly(after))
        for name, (before, after) in pairs.items()
        if before is not None and after is not None
    }


def _prices(cost: Projection | None) -> dict[str, tuple[Range, Range]]:
    if cost is None or cost.price_baseline is None or cost.price_candidate is None:
        return {}  # tiers and instances have no single price
    low, high = cost.price_candidate_low, cost.price_candidate_high
    after = _exactly(cost.price_candidate)
    if low is not None and high is not None:
        after = _range(low, high)
    return {"price": (_exactly(cost.price_baseline), after)}


def _exact(value: float | str) -> Fraction:
    return Fraction(str(value))  # the shortest decimal: what the record says


def _exactly(value: float | str) -> Range:
    return Range.exactly(_exact(value))


def _range(low: float | str, high: float | str) -> Range:
    return Range(*sorted((_exact(low), _exact(high))))
