"""Operational findings: limits on figures (latency, size, cost), which are not sampled rows.

A counted figure (bytes, parameters, a quoted price) passes or fails outright. An estimated ratio
passes under ``proven`` only if its whole 95 % interval clears the limit. A figure that was not
measured, or on a noisy machine, is inconclusive: never a pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from prunegate.cost.measurement import Estimate95
from prunegate.metrics.catalogue import METRICS
from prunegate.metrics.checks import CHECKS, Bound, is_factor, is_level
from prunegate.metrics.hypothesis import exact_fraction, holds
from prunegate.policy.schema import Rule
from prunegate.verdict.finding import FieldsOfQuestion, Finding, OpenBecause, Status
from prunegate.verdict.operational_figures import OperationalFigure


def operational_finding(
    common: FieldsOfQuestion, rule: Rule, figure: OperationalFigure | None
) -> Finding:
    """One limit on one figure; ``common`` are the finding's fields that the question decides."""
    check = common["check"]
    bound = Bound(value=common["limit"], kind=common["limit_kind"])
    standing = _standing_of(rule, Limited(check=check, bound=bound), figure)
    estimated = _estimate(figure, check) is not None
    baseline = figure.baseline if figure else None
    candidate = figure.candidate if figure else None
    changed = None if baseline is None or candidate is None else candidate - baseline
    shown = _shown(figure, check) if figure else None
    return Finding(
        **common,
        slice="overall",
        status=standing.status,
        baseline=baseline,
        candidate=candidate,
        difference=changed,
        ci_low=shown.low if shown else None,
        ci_high=shown.high if shown else None,
        p_value=None,
        p_harm=None,
        n=0,
        method="95 % interval of paired rounds" if estimated else "figure",
        method_kind="interval" if estimated else "counted",
        note=standing.note,
        open_because=standing.because,
    )


@dataclass(frozen=True)
class _Settled:
    status: Status
    note: str = ""
    because: OpenBecause | None = None


def _estimate(figure: OperationalFigure | None, check: str) -> Estimate95 | None:
    """What decides where the figure was estimated: its own interval, or its ratio's."""
    if figure is None:
        return None
    return figure.interval if is_level(check) else figure.ratio


def _shown(figure: OperationalFigure, check: str) -> Estimate95 | None:
    """The interval in the finding; there is none of a difference."""
    return _estimate(figure, check) if is_level(check) or is_factor(check) else None


@dataclass(frozen=True, kw_only=True)
class Limited:
    """What is limited, and how far."""

    check: str
    bound: Bound

    @property
    def refers(self) -> bool:
        """Whether the limit is a share or a multiple of the baseline's figure."""
        return is_factor(self.check) or self.bound.kind == "relative"


_NOT_MEASURED = "not measured: give --measurements, or use a rule that needs none"


def _standing_of(rule: Rule, limited: Limited, figure: OperationalFigure | None) -> _Settled:
    undefined: Status = "fail" if rule.on_undefined == "fail" else "inconclusive"
    if figure is not None and figure.unusable:
        return _Settled(undefined, figure.unusable, "unusable")
    if figure is None or figure.candidate is None:
        return _Settled(undefined, _NOT_MEASURED, "not measured")
    value = exact_fraction(figure.candidate)
    if is_level(limited.check):
        return _level(rule, limited, figure)
    if figure.baseline is None or (figure.baseline == 0 and limited.refers):
        note = "the baseline's figure is missing or zero, so there is no ratio"
        return _Settled(undefined, note, "no ratio")
    before = exact_fraction(figure.baseline)
    if figure.ratio is None or rule.evidence == "point":
        return _Settled("pass" if _within(rule, limited, before, value) else "fail")
    ends = (figure.ratio.low, figure.ratio.high)
    return _settled([_within(rule, limited, before, before * exact_fraction(end)) for end in ends])


def _level(rule: Rule, limited: Limited, figure: OperationalFigure) -> _Settled:
    """A limit on the candidate's own figure."""
    span = None if rule.evidence == "point" else figure.interval
    values = [figure.candidate] if span is None else [span.low, span.high]
    found = _settled(
        [_within(rule, limited, None, exact_fraction(v)) for v in values if v is not None]
    )
    return replace(found, note=found.note or figure.remark)


def _settled(good: Sequence[bool]) -> _Settled:
    """An estimate settles a limit when its whole interval lies on one side."""
    if all(good):
        return _Settled("pass")
    if not any(good):
        return _Settled("fail")
    note = "the interval holds the limit; measure more rounds"
    return _Settled("inconclusive", note, "interval")


def _within(rule: Rule, limited: Limited, before: Fraction | None, after: Fraction) -> bool:
    metric = METRICS[rule.metric]
    claim = CHECKS[limited.check].claim(limited.bound, metric)
    turned = None if before is None else metric.turned(before)
    return bool(holds(claim, turned, metric.turned(after), metric.whole))
