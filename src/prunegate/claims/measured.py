"""Measured: stated figures against what a gate measured, with its interval.

A sampled figure agrees where its 95 % interval and the stated figure's digits have a value in
common; without an interval it can agree, but not contradict. What was counted or quoted is exact.
Latencies belong to a machine: only their ratio is compared, and none that a busy machine gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from prunegate.claims import sentences
from prunegate.claims.changes import ONE, agrees, stated_metric_name
from prunegate.claims.checked import CheckedFigure, Status
from prunegate.claims.checked_counts import given
from prunegate.claims.months import month_name
from prunegate.claims.ranges import Range
from prunegate.policy import written_figure as units
from prunegate.policy.claims import Stated, StatedMetric, StatedTime
from prunegate.policy.written_figure import Written, written
from prunegate.text.said import said


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A measured value with its 95 % two-sided interval; None: it has none."""

    value: Fraction
    interval: Range | None = None


@dataclass(frozen=True, kw_only=True)
class MeasuredMetric:
    """A metric on one slice."""

    before: Estimate | None = None
    after: Estimate | None = None
    change: Estimate | None = None
    """after - before."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What is known of two models; None and absent: not known."""

    metrics: Mapping[tuple[str, str], MeasuredMetric] = field(default_factory=dict)
    """By the metric's and the slice's name."""
    pairs: Mapping[str, tuple[Range, Range]] = field(default_factory=dict)
    """Before and after of what is counted or quoted: parameters, heads, size, price."""
    months: Mapping[int, tuple[Range, Range]] = field(default_factory=dict)
    """Both bills of a month, by its volume."""
    latency_ratio: Range | None = None
    """Candidate's over the baseline's, 95 % interval."""
    generation_ratios: Mapping[str, Range] = field(default_factory=dict)
    """The same of ``time_to_first_token`` and ``time_per_token``."""
    quiet: bool = True
    """False: the machine was too busy for timed figures to be evidence."""


def against_measured(stated: Stated, measured: Measured) -> Iterator[CheckedFigure]:
    """Check every stated figure that was measured too."""
    for metric in stated.metrics:
        found = measured.metrics.get((metric.name, metric.slice))
        if found is not None:
            yield from _metric(metric, found)
    yield from _counted(stated, measured)
    yield from _speed(stated, measured)
    yield from _bills(stated, measured)


def _metric(metric: StatedMetric, found: MeasuredMetric) -> Iterator[CheckedFigure]:
    for key, claim in metric.figures.items():
        estimate: Estimate | None = getattr(found, key)
        if estimate is None:
            continue
        figure, value = (
            f"{stated_metric_name(metric)}: {key}",
            sentences.like(estimate.value, claim),
        )
        if estimate.interval is None:
            right = agrees(claim, Range.exactly(estimate.value)) if key == "change" else None
            same = Range.of(claim).meets(Range.exactly(estimate.value)) if right is None else right
            told = said("claim.measured" if same else "claim.measured_alone", value=value)
            yield _answer(figure, claim.text, "right" if same else "not checked", told)
            continue
        span = sentences.range_in_words(estimate.interval, claim)
        told = said("claim.measured_range", value=value, range=span)
        right = (
            agrees(claim, estimate.interval)
            if key == "change"
            else Range.of(claim).meets(estimate.interval)
        )
        yield _verdict(figure, claim, right=right, told=told)


def _counted(stated: Stated, measured: Measured) -> Iterator[CheckedFigure]:
    for name in ("parameters", "size", "price"):
        pair, found = getattr(stated, name), measured.pairs.get(name)
        if pair is None or found is None:
            continue
        kind = "claim.in_record" if name == "price" else "claim.counted"
        for key, claim in pair.figures.items():
            expected = _expected(key, claim, found)
            if expected is None:
                continue
            right = agrees(claim, expected) if key == "change" else _meets(claim, expected)
            told = said(kind, value=sentences.range_in_words(expected, claim))
            yield _verdict(f"{name}: {key}", claim, right=right, told=told)
    heads = measured.pairs.get("heads")
    for key, count in given(stated.heads).items():
        if heads is not None and key in ("before", "after"):
            has = int(heads[key == "after"].low)
            claim = written(str(count))
            told = said("claim.counted", value=has)
            yield _verdict(f"heads: {key}", claim, right=has == count, told=told)


def _expected(key: str, claim: Written, found: tuple[Range, Range]) -> Range | None:
    before, after = found
    try:
        match key:
            case "before":
                return before
            case "after":
                return after
            case "times":
                return before / after
            case _:
                relative = claim.unit == units.PERCENT
                return after / before - ONE if relative else after - before
    except ZeroDivisionError:
        return None


def _meets(claim: Written, expected: Range) -> bool:
    return Range.of(claim, count=True).meets(expected)


def _speed(stated: Stated, measured: Measured) -> Iterator[CheckedFigure]:
    ratios = {"latency": measured.latency_ratio, **measured.generation_ratios}
    for name, ratio in ratios.items():
        pair: StatedTime | None = getattr(stated, name)
        if pair is not None and ratio is not None:
            yield from _speed_up(name, pair, ratio, quiet=measured.quiet)


def _speed_up(name: str, pair: StatedTime, ratio: Range, *, quiet: bool) -> Iterator[CheckedFigure]:
    for key, claim in pair.figures.items():
        if key == "times" and ratio.low > 0:
            expected = ONE / ratio
        elif key == "change" and claim.unit == units.PERCENT:
            expected = ratio - ONE
        else:
            continue
        figure = f"{name.replace('_', ' ')}: {key}"
        if not quiet:
            yield _answer(figure, claim.text, "not checked", said("claim.busy"))
            continue
        told = said("claim.measured_ratio", range=sentences.range_in_words(expected, claim))
        yield _verdict(figure, claim, right=agrees(claim, expected), told=told)


def _bills(stated: Stated, measured: Measured) -> Iterator[CheckedFigure]:
    for month in stated.monthly:
        found = measured.months.get(int(written(month.volume).value))
        if found is None:
            continue
        before, after = found
        known = {"before": before, "after": after, "saving": before - after}
        for key, expected in known.items():
            text = getattr(month, key)
            if text is not None:
                claim = written(text)
                told = said("claim.in_record", value=sentences.range_in_words(expected, claim))
                right = Range.of(claim).meets(expected)
                yield _verdict(f"{month_name(month)}: {key}", claim, right=right, told=told)


def _verdict(figure: str, claim: Written, *, right: bool, told: str) -> CheckedFigure:
    if right:
        return _answer(figure, claim.text, "right", told)
    return _answer(figure, claim.text, "contradicted", sentences.against(told, claim.text))


def _answer(figure: str, stated: str, status: Status, told: str) -> CheckedFigure:
    return CheckedFigure(
        figure=figure,
        stated=stated,
        status=status,
        basis="measurement",
        sum=told,
    )
